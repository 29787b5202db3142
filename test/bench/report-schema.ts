/** What `--json` must hold, as the benchmarks' users were promised it. */
import { z } from 'zod';

const positive = z.number().positive();

export const reportSchema = z.object({
  adapter: z.object({
    vendor: z.string(),
    architecture: z.string(),
    device: z.string(),
    description: z.string(),
    software: z.boolean(),
    tuned: z.boolean(),
  }),
  ceiling: z.object({ gflops: positive, gbps: positive, gflops_cpu: positive, gbps_cpu: positive }).loose(),
  rows: z.array(
    z.object({
      work: z.string().min(1),
      pass: z.enum(['forward', 'input-grad', 'weight-grad', 'forward+grads', 'step']),
      impl: z.string().min(1),
      ms: positive,
      cpu_ms: positive,
      gflops: positive.nullable(),
      gflops_cpu: positive.optional(),
      gbps: positive.optional(),
      share: positive.optional(),
      variant: z.string().min(1).optional(),
      samples: z.number().int().positive().optional(),
      dispatches: z.number().int().positive().optional(),
      submits: z.number().int().positive().optional(),
      buffers: z.number().int().nonnegative().optional(),
    }),
  ),
});
