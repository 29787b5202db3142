/** The protocol between the benchmark and its peers: requests as JSON lines on a peer's stdin, replies on its stdout. */
import { z } from 'zod';
import type { Arrays, HostArray, Pass, Work } from './works.ts';

/** Prefix of a reply's line; other lines come from a peer's libraries. */
export const REPLY = '@reply ';

/** How a peer waits: `quiet`, asleep, which all support; or `native`, as its users experience it. */
export type Wait = 'quiet' | 'native';

export type Request =
  /** Run once with these inputs (training: `steps` times) and return the results. */
  | { readonly do: 'check'; readonly work: Work; readonly pass: Pass; readonly arrays: Encoded; readonly steps: number }
  /** Prepare the work for `run`. */
  | { readonly do: 'prepare'; readonly work: Work; readonly pass: Pass }
  /** Repeat it, waiting after every `flight` repetitions, and return the time. */
  | { readonly do: 'run'; readonly repeats: number; readonly flight: number; readonly wait: Wait }
  /** Release what `prepare` allocated. */
  | { readonly do: 'release' };

export type Encoded = Readonly<Record<string, { readonly shape: readonly number[]; readonly base64: string }>>;

const PASSES = ['forward', 'forward+grads', 'step'] as const satisfies readonly Pass[];

/** The first message, sent without a request: the peer's identity. */
export const greetingSchema = z.object({
  version: z.string(),
  /** The adapter that it uses. */
  adapter: z.string(),
  software: z.boolean(),
  passes: z.array(z.enum(PASSES)),
});
export type Greeting = z.infer<typeof greetingSchema>;

export const checkedSchema = z.object({
  arrays: z.record(z.string(), z.object({ shape: z.array(z.number().int()), base64: z.string() })),
});

/** Total time of all repetitions of a `run`. */
export const ranSchema = z.object({
  ms: z.number().positive(),
  cpuMs: z.number().nonnegative(),
  /** WebGPU calls; null if the peer does not use WebGPU. */
  calls: z.object({ dispatches: z.number(), submits: z.number(), buffers: z.number() }).nullable(),
  /** Wall and CPU time since the last reply, to detect a peer that spins while others are measured. */
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
