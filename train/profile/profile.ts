/** `--profile`: measures real updates of a training, and summarizes them. */
import { median } from '../../common/median.ts';
import type { ProgramFigures } from '../../engine/program/figures.ts';
import { BufferCount, type Clock, type DispatchProfile } from '../../engine/program/profile.ts';
import { convolutionFlops } from '../../kernels/products/conv2d/flops.ts';
import type { StepProfile, StepResult, Trainer } from '../trainer.ts';

/** Two kinds of measured updates: normal ones for host times, and ones timed dispatch by dispatch for GPU times. */
export interface TrainingProfile {
  readonly adapter: string;
  readonly whole: readonly StepProfile[];
  readonly timed: readonly StepProfile[];
  readonly figures: ProgramFigures;
  /** Number of elements in all parameters. */
  readonly parameters: number;
  /** Number of GPU buffers created during the updates in `whole`; the first update is not among them. */
  readonly buffersMade: number;
}

/** Profiles the next updates of a training. */
export class TrainingProfiler {
  readonly #trainer: Trainer;
  readonly #steps: number;
  readonly #whole: StepProfile[] = [];
  readonly #timed: StepProfile[] = [];
  #buffersMade = 0;

  /** `steps`: number of updates of each kind. */
  constructor(trainer: Trainer, steps: number) {
    this.#trainer = trainer;
    this.#steps = steps;
  }

  get done(): boolean {
    return this.#timed.length >= this.#steps;
  }

  /** Runs and measures the next update. The training must have been warmed up. */
  async step(learningRate: (step: number) => number): Promise<StepResult> {
    const whole = this.#whole.length < this.#steps;
    using buffers = new BufferCount(this.#trainer.device.gpu);
    const profile = await this.#trainer.profile(learningRate, whole ? undefined : 'gpu');
    if (whole) this.#buffersMade += buffers.count;
    (whole ? this.#whole : this.#timed).push(profile);
    return profile.result;
  }

  /** The measurements; undefined before the first timed update. */
  get profile(): TrainingProfile | undefined {
    const { trained, device, figures } = this.#trainer;
    if (this.#timed.length === 0 || !figures) return undefined;
    return {
      adapter: device.adapterName,
      whole: this.#whole,
      timed: this.#timed,
      figures,
      parameters: trained.reduce((sum, [, { net }]) => sum + net.parameterCount, 0),
      buffersMade: this.#buffersMade,
    };
  }
}

/** The dispatches of a kernel in an update. */
export interface KernelShare {
  readonly kernel: string;
  readonly operation: string;
  readonly dispatches: number;
  /** GPU milliseconds per update in all its dispatches; the median of the timed updates. */
  readonly ms: number;
  /** Fraction of the GPU time in all dispatches. */
  readonly share: number;
  /** Whether it belongs to a convolution or to a gradient of one. */
  readonly convolution: boolean;
  /** GFLOP/s of a convolution's main kernel, counted as direct convolution; null for other kernels. */
  readonly gflops: number | null;
}

/** Times are medians in milliseconds per update, sizes are bytes. */
export interface ProfileSummary {
  readonly adapter: string;
  /** Number of updates of each kind. */
  readonly updates: { readonly whole: number; readonly timed: number };
  readonly clock: Clock;
  /** Resolution of the timestamps in nanoseconds; above 1, times of single dispatches are inexact. */
  readonly tick: number;
  readonly dispatches: number;
  readonly stepMs: number;
  readonly dataMs: number;
  readonly encodeMs: number;
  readonly submitMs: number;
  readonly readbackMs: number;
  /** Total of all kernels. */
  readonly gpuMs: number;
  readonly kernels: readonly KernelShare[];
  /** Fraction of the GPU time. */
  readonly convolutionShare: number;
  readonly convolutionGflop: number;
  readonly memory: {
    /** Everything that an update needs except the pictures: temporaries, variables, results. */
    readonly peak: number;
    readonly pictures: number;
    readonly temporaries: number;
    /** Maximum of temporaries that are alive at once: what a perfect plan would need. */
    readonly alive: number;
    /** What the forward pass stores for the backward pass. */
    readonly kept: number;
    /** Parameters, their gradients and two moments. */
    readonly learned: number;
    /** peak / (kept + learned). */
    readonly ratio: number;
  };
  readonly buffersMade: number;
}

export function summarize({
  adapter,
  whole,
  timed,
  figures,
  parameters,
  buffersMade,
}: TrainingProfile): ProfileSummary {
  const kernels = kernelShares(timed);
  const convolutions = kernels.filter(({ convolution }) => convolution);
  const sum = (numbers: readonly number[]) => numbers.reduce((total, x) => total + x, 0);
  const { temporaryBytes, variableBytes, resultBytes, constantBytes, keptBytes } = figures;
  const peak = temporaryBytes + variableBytes + resultBytes;
  const learned = 4 * 4 * parameters;
  const [first] = timed;
  const medianOf = (steps: readonly StepProfile[], of: (step: StepProfile) => number) => median(steps.map(of));
  return {
    adapter,
    updates: { whole: whole.length, timed: timed.length },
    clock: first.run.clock ?? 'gpu',
    tick: first.run.tick,
    dispatches: figures.dispatches,
    stepMs: medianOf(whole, ({ data, readback }) => readback.end - data.begin),
    dataMs: medianOf(whole, ({ data }) => data.end - data.begin),
    encodeMs: medianOf(whole, ({ run: { encode } }) => encode.end - encode.begin),
    submitMs: medianOf(whole, ({ run: { submit } }) => submit.end - submit.begin),
    readbackMs: medianOf(whole, ({ readback }) => readback.end - readback.begin),
    gpuMs: sum(kernels.map(({ ms }) => ms)),
    kernels,
    convolutionShare: sum(convolutions.map(({ share }) => share)),
    convolutionGflop: sum([...flopsByDispatch(first.run.dispatches).values()]) / 1e9,
    memory: {
      peak,
      pictures: constantBytes,
      temporaries: temporaryBytes,
      alive: Math.max(...first.run.dispatches.map(({ alive }) => alive)),
      kept: keptBytes,
      learned,
      ratio: peak / (keptBytes + learned),
    },
    buffersMade,
  };
}

/** Kernels by GPU time, longest first. */
function kernelShares(timed: readonly StepProfile[]): KernelShare[] {
  interface Row {
    readonly operation: string;
    readonly convolution: boolean;
    readonly times: number[];
    dispatches: number;
    flops: number;
  }
  const rows = new Map<string, Row>();
  timed.forEach(({ run }, step) => {
    const flops = flopsByDispatch(run.dispatches);
    for (const dispatch of run.dispatches) {
      const { kernel, operation } = dispatch.call;
      let row = rows.get(kernel.name);
      if (!row) {
        const times = timed.map(() => 0);
        row = { operation, convolution: isConvolution(dispatch), times, dispatches: 0, flops: 0 };
        rows.set(kernel.name, row);
      }
      row.times[step] += dispatch.end - dispatch.begin;
      if (step > 0) continue;
      row.dispatches++;
      row.flops += flops.get(dispatch) ?? 0;
    }
  });
  const times = new Map([...rows].map(([kernel, { times }]) => [kernel, median(times)]));
  const all = [...times.values()].reduce((total, ms) => total + ms, 0);
  return [...rows]
    .map(([kernel, { operation, convolution, dispatches, flops }]) => {
      const ms = times.get(kernel)!;
      const gflops = flops > 0 ? flops / 1e6 / Math.max(ms, 1e-9) : null;
      return { kernel, operation, dispatches, ms, share: ms / Math.max(all, 1e-9), convolution, gflops };
    })
    .sort((a, b) => b.ms - a.ms || (a.kernel < b.kernel ? -1 : 1));
}

const isConvolution = ({ call }: DispatchProfile): boolean =>
  convolutionFlops(call.operation, call.problem) !== undefined;

/** The FLOP of each convolution, assigned to the longest of its dispatches. */
export function flopsByDispatch(dispatches: readonly DispatchProfile[]): Map<DispatchProfile, number> {
  const longest = new Map<unknown, DispatchProfile>();
  for (const dispatch of dispatches) {
    if (!isConvolution(dispatch)) continue;
    const { problem } = dispatch.call;
    const other = longest.get(problem);
    if (!other || dispatch.end - dispatch.begin > other.end - other.begin) longest.set(problem, dispatch);
  }
  return new Map(
    [...longest.values()].map(dispatch => [
      dispatch,
      convolutionFlops(dispatch.call.operation, dispatch.call.problem)!,
    ]),
  );
}
