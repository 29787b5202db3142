/**
 * Measures wall and CPU time of contenders: in one run, in alternating order, as medians of several samples.
 *
 * On a software adapter the kernels run on this process's own threads. Its CPU time hardly depends on other processes; wall
 * time does. So both are measured, and ratios between contenders of one run are more reliable than either.
 */

import { median as medianOf } from '../common/median.ts';
import type { Device } from '../engine/device/device.ts';

/** Time of some work, in milliseconds. */
export interface Timing {
  /** Wall time in milliseconds. */
  readonly ms: number;
  /** CPU time of all threads, user and system. */
  readonly cpuMs: number;
}

/** One implementation of the work. */
export interface Contender {
  /** The implementation: `daybreak`, `tfjs`, `plain` … */
  readonly impl: string;
  /** Does the work `repeats` times, waits for it, and returns the total time. */
  run(repeats: number): Promise<Timing>;
}

/** Time of one repetition of a contender's work. */
export interface Measurement extends Timing {
  /** The contender's `impl`. */
  readonly impl: string;
  /** CPU time of the fastest sample: disturbances only add time. */
  readonly leastCpuMs: number;
  /** Samples for the medians: fewer than requested if the time limit was reached. */
  readonly samples: number;
  /** Repetitions per sample. */
  readonly repeats: number;
  /** The first repetition, which includes compilation. */
  readonly firstMs: number;
}

/** How many samples are taken, for how long. */
export interface MeasureOptions {
  /** Samples per contender; default 5. */
  readonly samples?: number;
  /** Minimum duration of a sample, in milliseconds; default 60. */
  readonly sampleMs?: number;
  /** No round of samples starts after this time (ms), including warm-up; default 60,000. The first always runs. */
  readonly budgetMs?: number;
  /** If aborted, its reason is thrown between two samples. */
  readonly signal?: AbortSignal | undefined;
}

/** The median of samples. Throws RangeError if there are none. */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError('The median of no values.');
  return medianOf(values);
}

/** Measures the time of `work`. */
export async function timed(work: () => Promise<unknown>): Promise<Timing> {
  const before = process.cpuUsage();
  const began = performance.now();
  await work();
  const ms = performance.now() - began;
  const { user, system } = process.cpuUsage(before);
  return { ms, cpuMs: (user + system) / 1000 };
}

/** A contender on our own device: `submit` encodes and submits one repetition; waiting uses no CPU time. */
export function onDevice(impl: string, device: Device, submit: () => void): Contender {
  return {
    impl,
    run: repeats =>
      timed(async () => {
        for (let i = 0; i < repeats; i++) submit();
        await device.finished();
      }),
  };
}

/** The order of `count` contenders in each round: forward, backward, forward … so that drift cancels. */
export function* alternatingOrder(count: number, rounds: number): Generator<number[]> {
  const forwards = Array.from({ length: count }, (_, i) => i);
  for (let round = 0; round < rounds; round++) yield round % 2 === 0 ? forwards : forwards.toReversed();
}

/**
 * Measures contenders in alternating order: each runs once to warm up, then to determine the repetitions per sample, then
 * for `samples` samples. Results are in the order of the contenders.
 */
export async function measure(contenders: readonly Contender[], options: MeasureOptions = {}): Promise<Measurement[]> {
  const { samples = 5, sampleMs = 60, budgetMs = 60_000, signal } = options;
  let spent = 0;
  const prepared = [];
  for (const contender of contenders) {
    signal?.throwIfAborted();
    const first = await contender.run(1);
    signal?.throwIfAborted();
    const trial = await enoughRepeats(contender, sampleMs);
    spent += first.ms + trial.spentMs;
    prepared.push({ contender, first, trial, taken: [] as Timing[] });
  }
  let longest = 0;
  for (const order of alternatingOrder(contenders.length, samples)) {
    const before = spent;
    if (spent + longest > budgetMs && longest > 0) break;
    for (const i of order) {
      signal?.throwIfAborted();
      const { contender, trial, taken } = prepared[i];
      // Work that takes longer than the whole budget is not repeated.
      const again = taken.length > 0 || trial.timing.ms < budgetMs / 2;
      const timing = again ? perRepeat(await contender.run(trial.repeats), trial.repeats) : trial.timing;
      taken.push(timing);
      spent += timing.ms * trial.repeats;
    }
    longest = Math.max(longest, spent - before);
  }
  return prepared.map(({ contender, first, trial, taken }) => ({
    impl: contender.impl,
    ms: median(taken.map(({ ms }) => ms)),
    cpuMs: median(taken.map(({ cpuMs }) => cpuMs)),
    leastCpuMs: Math.min(...taken.map(({ cpuMs }) => cpuMs)),
    samples: taken.length,
    repeats: trial.repeats,
    firstMs: first.ms,
  }));
}

/** The number of repetitions that take `sampleMs`, the time of one, and the time spent to determine it. */
async function enoughRepeats(
  contender: Contender,
  sampleMs: number,
): Promise<{ repeats: number; timing: Timing; spentMs: number }> {
  let spentMs = 0;
  for (let repeats = 1; ; ) {
    const timing = await contender.run(repeats);
    spentMs += timing.ms;
    if (timing.ms >= sampleMs) return { repeats, timing: perRepeat(timing, repeats), spentMs };
    // Slightly more than needed, because the next may be faster; at most tenfold, because the first may be slow.
    const wanted = Math.ceil((repeats * 1.2 * sampleMs) / Math.max(timing.ms, 1e-3));
    repeats = Math.min(Math.max(wanted, repeats + 1), repeats * 10);
  }
}

const perRepeat = ({ ms, cpuMs }: Timing, repeats: number): Timing => ({ ms: ms / repeats, cpuMs: cpuMs / repeats });
