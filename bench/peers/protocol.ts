/** What the benchmark and its peers say to each other: requests as JSON lines on a peer's stdin, replies on its stdout. */
import { z } from 'zod';
import type { Arrays, HostArray, Pass, Work } from './works.ts';

/** Begins a reply's line; what else a peer's libraries print is none of ours. */
export const REPLY = '@reply ';

/** How a peer waits: asleep, as all can be made to wait, or as users of its own get it. */
export type Wait = 'quiet' | 'native';

export type Request =
  /** Do it once with these inputs (training: `steps` times) and tell the results. */
  | { readonly do: 'check'; readonly work: Work; readonly pass: Pass; readonly arrays: Encoded; readonly steps: number }
  /** Make ready what `run` repeats. */
  | { readonly do: 'prepare'; readonly work: Work; readonly pass: Pass }
  /** Repeat it, waiting after every `flight` repetitions, and tell what it took. */
  | { readonly do: 'run'; readonly repeats: number; readonly flight: number; readonly wait: Wait }
  /** Give back what `prepare` took. */
  | { readonly do: 'release' };

export type Encoded = Readonly<Record<string, { readonly shape: readonly number[]; readonly base64: string }>>;

const PASSES = ['forward', 'forward+grads', 'step'] as const satisfies readonly Pass[];

/** The first reply, unasked: who it is. */
export const greetingSchema = z.object({
  version: z.string(),
  /** What it computes on. */
  adapter: z.string(),
  software: z.boolean(),
  passes: z.array(z.enum(PASSES)),
});
export type Greeting = z.infer<typeof greetingSchema>;

export const checkedSchema = z.object({
  arrays: z.record(z.string(), z.object({ shape: z.array(z.number().int()), base64: z.string() })),
});

/** What all repetitions of a `run` took together. */
export const ranSchema = z.object({
  ms: z.number().positive(),
  cpuMs: z.number().nonnegative(),
  /** WebGPU calls; null where the peer makes none. */
  calls: z.object({ dispatches: z.number(), submits: z.number(), buffers: z.number() }).nullable(),
  /** Time since the last reply, and what CPU time went by in it: a peer that spins while others are measured. */
  idleMs: z.number(),
  idleCpuMs: z.number(),
});
export type Ran = z.infer<typeof ranSchema>;

export const failureSchema = z.object({ error: z.string() });

const encodeArray = ({ shape, data }: HostArray) => ({
  shape,
  base64: Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64'),
});

export const encode = (arrays: Arrays): Encoded =>
  Object.fromEntries(Object.entries(arrays).map(([name, array]) => [name, encodeArray(array)]));

export const decode = (encoded: Encoded): Arrays =>
  Object.fromEntries(
    Object.entries(encoded).map(([name, { shape, base64 }]) => {
      const bytes = Uint8Array.from(Buffer.from(base64, 'base64'));
      return [name, { shape, data: new Float32Array(bytes.buffer) }];
    }),
  );
