/** Times the variants of one problem. */

import { median } from '../common/median.ts';
import { sizeOf } from '../engine/basics/shape.ts';
import type { Device } from '../engine/device/device.ts';
import type { Storage } from '../engine/device/memory.ts';
import { Trace } from '../engine/graph/trace.ts';
import { lower } from '../engine/program/lower.ts';
import { Profiler } from '../engine/program/profile.ts';
import { Program } from '../engine/program/program.ts';
import { SharedSlots } from '../engine/program/slots.ts';
import { FixedChoices } from '../engine/text/choices.ts';
import type { TuningProblem } from './problems.ts';

/**
 * The clock that decides. `cpu`: the process's CPU time, for software adapters; other processes do not disturb it. `gpu`:
 * GPU timestamps. `wall`: the host's clock, if there are no timestamps.
 */
export type Measure = 'cpu' | 'gpu' | 'wall';

export interface CandidateTime {
  readonly variant: string;
  /** Median milliseconds per run, by the measure that decides. */
  readonly ms: number;
  /** Median wall-clock milliseconds per run. */
  readonly wallMs: number;
  /** Number of measurements; 0 if it was dropped after its first run, whose time (including compilation) is used. */
  readonly runs: number;
  /** Why it cannot run here, if so. */
  readonly failure?: string;
}

export interface MeasureOptions {
  /** Measurements per variant. Default 5. */
  readonly rounds?: number;
  readonly signal?: AbortSignal;
  /** Called before a variant is compiled and run for the first time. */
  readonly onCandidate?: (variant: string) => void;
  /** The process's CPU time in milliseconds, from Node. */
  readonly cpuTime: () => number;
  /** Default: {@link measureOf} the adapter. */
  readonly measure?: Measure;
}

export const measureOf = ({ traits, gpu }: Device): Measure =>
  traits.software ? 'cpu' : gpu.features.has('timestamp-query') ? 'gpu' : 'wall';

/** A measurement repeats a kernel for at least this many milliseconds, so that launching and waiting are negligible. */
const LEAST_MS = 20;
const MOST_REPEATS = 50;
/** A variant that is this many times slower than the best is not measured again. */
const HOPELESS = 3;
/** A first run that takes this much longer than the best variant cannot be explained by compilation. */
const FIRST_RUN = { times: 10, ms: 20_000 };

interface Candidate {
  readonly variant: string;
  /** Absent if it could not be created. */
  made?: { readonly program: Program; readonly profiler: Profiler };
  readonly samples: { ms: number; wallMs: number }[];
  firstMs: number;
  repeats: number;
  failure?: string;
}

/** The times of a problem's variants, in the order of its candidates. Each round measures every variant once. */
export async function timeCandidates(
  device: Device,
  problem: TuningProblem,
  { rounds = 5, signal, onCandidate, cpuTime, measure = measureOf(device) }: MeasureOptions,
): Promise<CandidateTime[]> {
  const inputs = problem.node.inputs.map(({ spec }) => noise(device, sizeOf(spec.shape)));
  const candidates: Candidate[] = [];
  const timer = new Timer(device, inputs, measure, cpuTime);
  try {
    let best = Number.POSITIVE_INFINITY;
    for (const variant of problem.candidates) {
      signal?.throwIfAborted();
      onCandidate?.(variant);
      const candidate: Candidate = { variant, samples: [], firstMs: 0, repeats: 1 };
      candidates.push(candidate);
      try {
        const program = programOf(device, problem, variant);
        candidate.made = { program, profiler: new Profiler(device, program) };
        candidate.firstMs = await timer.first(candidate);
      } catch (error) {
        // If the driver rejects the kernel or lacks memory, drop the candidate. Without a device nothing can be timed.
        if (device.lost) throw error;
        candidate.failure = (error as Error).message.split('\n', 1)[0];
        continue;
      }
      if (candidate.firstMs > FIRST_RUN.times * best + FIRST_RUN.ms) continue;
      await timer.sample(candidate);
      best = Math.min(best, timer.latest(candidate).wallMs);
      candidate.repeats = Math.min(MOST_REPEATS, Math.ceil(LEAST_MS / timer.latest(candidate).wallMs));
    }
    // The first measurements only determine the repeats and which candidates stay.
    const measured = candidates.filter(({ samples }) => samples.length > 0);
    const least = Math.min(...measured.map(candidate => timer.latest(candidate).ms));
    const hopeful = measured.filter(candidate => timer.latest(candidate).ms <= HOPELESS * least);
    for (const { samples } of hopeful) samples.length = 0;
    for (let round = 0; round < rounds; round++)
      for (const candidate of hopeful) {
        signal?.throwIfAborted();
        await timer.sample(candidate);
      }
    return candidates.map(({ variant, samples, firstMs, failure }) => ({
      variant,
      ms: samples.length > 0 ? median(samples.map(({ ms }) => ms)) : firstMs,
      wallMs: samples.length > 0 ? median(samples.map(({ wallMs }) => wallMs)) : firstMs,
      runs: samples.length,
      ...(failure !== undefined && { failure }),
    }));
  } finally {
    for (const { made } of candidates) {
      made?.profiler[Symbol.dispose]();
      made?.program.dispose();
    }
    for (const storage of inputs) storage.release();
  }
}

/** Runs candidates and records samples. */
class Timer {
  readonly #device: Device;
  readonly #inputs: readonly Storage[];
  readonly #measure: Measure;
  readonly #cpuTime: () => number;

  constructor(device: Device, inputs: readonly Storage[], measure: Measure, cpuTime: () => number) {
    this.#device = device;
    this.#inputs = inputs;
    this.#measure = measure;
    this.#cpuTime = cpuTime;
  }

  /** Milliseconds of the first run, which may include compilation. */
  async first({ made }: Candidate): Promise<number> {
    const { program } = made!;
    const began = performance.now();
    for (const result of program.run(this.#inputs)) result.release();
    await this.#device.finished();
    return performance.now() - began;
  }

  async sample({ made, samples, repeats }: Candidate): Promise<void> {
    const { program, profiler } = made!;
    const [began, cpu] = [performance.now(), this.#cpuTime()];
    let gpuMs = 0;
    if (this.#measure === 'gpu') {
      for (let i = 0; i < repeats; i++) {
        const { results, profile } = await profiler.run(this.#inputs, 'gpu');
        for (const result of results) result.release();
        gpuMs += profile.dispatches.reduce((sum, { begin, end }) => sum + end - begin, 0);
      }
    } else {
      for (let i = 0; i < repeats; i++) for (const result of program.run(this.#inputs)) result.release();
      await this.#device.finished();
    }
    const wallMs = (performance.now() - began) / repeats;
    const cpuMs = (this.#cpuTime() - cpu) / repeats;
    samples.push({ wallMs, ms: { cpu: cpuMs, gpu: gpuMs / repeats, wall: wallMs }[this.#measure] });
  }

  latest({ samples }: Candidate): { ms: number; wallMs: number } {
    return samples.at(-1)!;
  }
}

/** A program of only the problem's node, with one variant. */
function programOf(device: Device, { node, baked, family, key }: TuningProblem, variant: string): Program {
  const trace = new Trace(
    device,
    node.inputs.map(({ spec }) => spec),
  );
  const outputs = node.outputs.map(({ spec }) => spec);
  const alone = trace.append(node.operation, trace.arguments, outputs, node.attributes);
  const choices = new FixedChoices([{ family, problem: key, variant }]);
  return new Program(
    device,
    lower(trace.finish(alone.outputs), baked, { ...device.traits, choices }),
    new SharedSlots(device.memory),
  );
}

/** Numbers in ±1: kernels have other run times with zeros or subnormals. */
function noise(device: Device, elements: number): Storage {
  const data = new Float32Array(elements);
  let state = 1;
  for (let i = 0; i < elements; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    data[i] = state / 2 ** 31 - 1;
  }
  const storage = device.memory.allocate(data.byteLength, 'tuning');
  device.gpu.queue.writeBuffer(storage.buffer, storage.offset, data);
  return storage;
}
