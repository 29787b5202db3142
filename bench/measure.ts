/**
 * Wall time and CPU time of things that compete: in one run, in alternating order, medians of several samples.
 *
 * On a software adapter the kernels run on this process's own threads. Its CPU time hardly changes when neighbours are
 * busy; wall time does. So both are measured, and ratios between contenders of one run count more than either.
 */
import type { Device } from '../engine/device/device.ts';
import { median as medianOf } from '../train/median.ts';

/** What some work took, in milliseconds. */
export interface Timing {
  readonly ms: number;
  /** CPU time of all threads, user and system. */
  readonly cpuMs: number;
}

/** One way of doing the work. */
export interface Contender {
  /** Whose it is: `daybreak`, `tfjs`, `plain` … */
  readonly impl: string;
  /** Does the work `repeats` times, waits until all is done, and says what that took in all. */
  run(repeats: number): Promise<Timing>;
}

/** What one repetition of a contender's work takes. */
export interface Measurement extends Timing {
  readonly impl: string;
  /** CPU time of the quickest sample: what disturbs it only adds. */
  readonly leastCpuMs: number;
  /** Samples behind the medians: fewer than asked for where the time was up. */
  readonly samples: number;
  /** Repetitions that a sample is the mean of. */
  readonly repeats: number;
  /** The very first repetition, in which drivers compile. */
  readonly firstMs: number;
}

export interface MeasureOptions {
  /** Samples of each contender; default 5. */
  readonly samples?: number;
  /** A sample is repeated until it lasts this long; default 60. */
  readonly sampleMs?: number;
  /** No further round of samples begins after this time, warming up included; default 60,000. The first always does. */
  readonly budgetMs?: number;
  /** Thrown between two samples, as its reason, where it is aborted. */
  readonly signal?: AbortSignal | undefined;
}

/** The median of samples, of which there must be some: throws RangeError for none. */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError('The median of no values.');
  return medianOf(values);
}

/** What `work` takes. */
export async function timed(work: () => Promise<unknown>): Promise<Timing> {
  const before = process.cpuUsage();
  const began = performance.now();
  await work();
  const ms = performance.now() - began;
  const { user, system } = process.cpuUsage(before);
  return { ms, cpuMs: (user + system) / 1000 };
}

/** A contender on our own device: `submit` encodes and submits one repetition; waiting for all of them is quiet. */
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

/** Orders in which rounds go through `count` contenders: forwards, backwards, forwards … so that drifts cancel. */
export function* alternatingOrder(count: number, rounds: number): Generator<number[]> {
  const forwards = Array.from({ length: count }, (_, i) => i);
  for (let round = 0; round < rounds; round++) yield round % 2 === 0 ? forwards : forwards.toReversed();
}

/**
 * Measures contenders in alternating order: each is run once to warm up, then as often as a sample needs to last, then
 * `samples` times. Results come in the order of the contenders.
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
      // Work that is slower than the whole budget is not done again for a sample that would say the same.
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

/** How many repetitions last `sampleMs`, what one of them took when that was found out, and all that it took to find. */
async function enoughRepeats(
  contender: Contender,
  sampleMs: number,
): Promise<{ repeats: number; timing: Timing; spentMs: number }> {
  let spentMs = 0;
  for (let repeats = 1; ; ) {
    const timing = await contender.run(repeats);
    spentMs += timing.ms;
    if (timing.ms >= sampleMs) return { repeats, timing: perRepeat(timing, repeats), spentMs };
    // A little more than needed, since the next one may be faster; at most tenfold, since the first ones may be slow.
    const wanted = Math.ceil((repeats * 1.2 * sampleMs) / Math.max(timing.ms, 1e-3));
    repeats = Math.min(Math.max(wanted, repeats + 1), repeats * 10);
  }
}

const perRepeat = ({ ms, cpuMs }: Timing, repeats: number): Timing => ({ ms: ms / repeats, cpuMs: cpuMs / repeats });
