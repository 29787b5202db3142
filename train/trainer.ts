/** Training as a loop over one program: crops in, updates made, loss terms out, without the host ever waiting for one. */
import { type Compiled, compile, type Planned } from '../engine/compile.ts';
import type { Device } from '../engine/device.ts';
import { DaybreakError } from '../engine/errors.ts';
import type { ProgramFigures } from '../engine/figures.ts';
import type { Clock, RunProfile, Span } from '../engine/profile.ts';
import { sizeOf } from '../engine/shape.ts';
import { type Tensor, tensor, type Variable, variable } from '../engine/tensor.ts';
import { Gathered } from '../kernels/gathered.ts';
import { guardAssignments } from '../kernels/guard.ts';
import { add, concat, notFinite, reshape, slice, sum } from '../kernels/index.ts';
import { pack } from '../kernels/pack.ts';
import type { Adam } from './adam.ts';
import type { BatchSource } from './crop-source.ts';
import { NonFiniteError } from './errors.ts';
import type { Crops, Role, Trained, Training } from './training.ts';

/** What one update reports, once the GPU has done it. */
export interface StepResult {
  /** Updates made, this one included. */
  readonly step: number;
  /** What the generator is trained to make small. */
  readonly loss: number;
  /** All that the training reports, by name, `loss` included. */
  readonly terms: Readonly<Record<string, number>>;
}

/** Where the time of one update went, in the order in which it did. */
export interface StepProfile {
  readonly result: StepResult;
  /** Planning crops, or waiting for them to be read, and handing them over. */
  readonly data: Span;
  readonly run: RunProfile;
  /** Reading the loss. */
  readonly readback: Span;
}

/** Updates that the host may run ahead of the GPU. */
const AHEAD = 2;

/** The loss, where the forward pass ends for the figures; terms and, last, whether anything was not finite: what is read. */
type Results = { loss: Tensor; report: Tensor };

/** Moments of an optimizer, as a checkpoint keeps them. */
export type Moments = Parameters<Adam['load']>[0]['moments'];

/** A batch in so many equal parts. */
function partsOf(crops: Crops, count: number): Crops[] {
  if (count === 1) return [crops];
  const part = (x: Tensor, i: number) => {
    const [n = 0, ...rest] = x.shape;
    return slice(x, [(i * n) / count, ...rest.map(() => 0)], [((i + 1) * n) / count, ...rest]);
  };
  return Array.from({ length: count }, (_, i) => ({ lr: part(crops.lr, i), hr: part(crops.hr, i) }));
}

/**
 * Trains in steps. The host only encodes: crops are gathered, losses and gradients computed, weights updated by one
 * program, and an update whose losses or gradients are not finite changes nothing, nor does any after it.
 */
export class Trainer implements Disposable {
  readonly training: Training;
  readonly device: Device;
  /** Seconds that the GPU had nothing to do because crops were not planned or read yet. */
  waitedForData = 0;
  /** Updates submitted. */
  #step = 0;
  #inFlight = 0;
  /** Since when nothing is in flight. */
  #idleSince = 0;
  #reserved = false;
  readonly #source: BatchSource;
  readonly #failed: Variable;
  /** The running statistics, which are kept or replaced together. */
  readonly #statistics: Gathered | undefined;
  readonly #program: Compiled<[Tensor, number], Results>;

  /**
   * Takes `training` over: it is disposed of with the trainer. Each batch of `source` is cut into `accumulate` parts, whose
   * gradients are averaged.
   */
  constructor(training: Training, source: BatchSource, accumulate = 1) {
    const { batch } = source.options;
    if (batch % accumulate !== 0)
      throw new DaybreakError(`Trainer: ${batch} crops do not make ${accumulate} equal parts.`);
    this.training = training;
    this.device = training.trained.generator.adam.first.device;
    this.#source = source;
    const statistics = this.trained.flatMap(([, { net }]) =>
      net.namedVariables().flatMap(([, variable]) => (variable.requiresGrad ? [] : [variable])),
    );
    this.#statistics = statistics.length > 0 ? new Gathered(statistics, 'running statistics') : undefined;
    this.#failed = variable(Float32Array.of(0), [1], { device: this.device, name: 'failed', trainable: false });
    this.#program = compile((batch: Tensor, lr: Tensor) => {
      const batches = partsOf(source.gather(batch), accumulate);
      const terms = training.record(batches, { rate: reshape(lr, [1]), failed: (...found) => this.#judge(...found) });
      return { loss: terms[0]!, report: concat([...terms, this.#failed].map(term => reshape(term, [1]))) };
    });
  }

  /** Counts what is not finite, keeps the state where there is any, and says so to the optimizers and to later updates. */
  #judge(losses: readonly Tensor[], ...gradients: readonly (readonly Tensor[])[]): Tensor {
    // Packed as its optimizer packs them: once for both.
    const found = [...gradients.map(each => sum(notFinite(pack(each)))), ...losses.map(notFinite)];
    // A variance may overflow though losses and gradients do not.
    if (this.#statistics) found.push(sum(notFinite(pack(this.#statistics.parts))));
    const failed = found.reduce((total, one) => add(total, reshape(one, [1])), this.#failed as Tensor);
    guardAssignments(failed, [...(this.#statistics ? [this.#statistics] : []), ...this.training.gathered]);
    this.#failed.assign(failed);
    return failed;
  }

  /** Networks and optimizers by role, the generator first. */
  get trained(): [Role, Trained][] {
    return Object.entries(this.training.trained) as [Role, Trained][];
  }

  /** Updates submitted so far; set when a run is resumed. */
  get step(): number {
    return this.#step;
  }

  /** What an update needs; undefined before the first. */
  get figures(): ProgramFigures | undefined {
    return this.#program.programs[0];
  }

  /** What an update will be, planned only: nothing is made, and the state is as it was. */
  plan(): Planned {
    this.#trainMode();
    const { shape } = this.#source;
    using batch = tensor(new Uint32Array(sizeOf(shape)), shape, { device: this.device });
    return this.#program.plan([batch, 0]);
  }

  /**
   * Makes the first update, telling how many kernels the driver has compiled. Optional: `run` does it too, silently.
   * Throws NonFiniteError as `run` does.
   */
  async warmUp(
    learningRate: (step: number) => number,
    onKernel: (done: number, total: number) => void,
  ): Promise<StepResult> {
    this.#trainMode();
    using batch = await this.#batch();
    const step = this.#step++;
    return await this.#read(step, await this.#program.warmUp([batch, learningRate(step)], onKernel));
  }

  /**
   * Makes one update alone, and tells where its time went; with a `clock`, dispatch by dispatch. The update is the same
   * as any, to the bit. Throws NonFiniteError as `run` does.
   */
  async profile(learningRate: (step: number) => number, clock?: Clock): Promise<StepProfile> {
    this.#trainMode();
    const began = performance.now();
    using batch = await this.#batch();
    const data = { begin: began, end: performance.now() };
    const step = this.#step++;
    const { result, profile } = await this.#program.profile([batch, learningRate(step)], clock);
    const done = performance.now();
    const read = await this.#read(step, result);
    return { result: read, data, run: profile, readback: { begin: done, end: performance.now() } };
  }

  /** Restores the optimizers and the counter; the networks' weights are loaded by the caller. */
  resume(steps: number, moments: Readonly<Partial<Record<Role, Moments>>>): void {
    for (const [role, { adam }] of this.trained) adam.load({ steps, moments: moments[role] ?? [] });
    this.#step = steps;
  }

  #trainMode(): void {
    for (const [, { net }] of this.trained) net.train();
  }

  /**
   * Makes updates until `last` (or the signal), yielding each result in order. The host runs two updates ahead, so
   * breaking off leaves up to two more updates made than were yielded: `step` says how many.
   * Throws NonFiniteError when a loss or a gradient is not finite; the state is that before the bad update.
   */
  async *run(
    last: number,
    learningRate: (step: number) => number,
    signal?: AbortSignal,
  ): AsyncGenerator<StepResult, void, undefined> {
    this.#trainMode();
    const pending: Promise<StepResult>[] = [];
    while (this.#step < last && !signal?.aborted) {
      using batch = await this.#batch();
      pending.push(this.#submit(batch, learningRate(this.#step)));
      if (pending.length > AHEAD) yield await pending.shift()!;
    }
    for (const result of pending) yield await result;
  }

  async #batch(): Promise<Tensor> {
    const began = performance.now();
    const batch = await this.#source.batch(this.#step);
    // With updates in flight the GPU has work meanwhile.
    if (this.#inFlight === 0) this.waitedForData += (performance.now() - Math.max(began, this.#idleSince)) / 1000;
    return batch;
  }

  #submit(batch: Tensor, lr: number): Promise<StepResult> {
    const step = this.#step++;
    const result = this.#read(step, this.#program(batch, lr));
    // The first failure is thrown where its result is awaited; later ones must not count as unhandled.
    result.catch(() => {});
    return result;
  }

  async #read(step: number, { loss, report }: Results): Promise<StepResult> {
    this.#inFlight++;
    try {
      this.#reserve(loss, report);
      const values = new Float32Array((await this.device.read([report.storage]))[0]!.buffer);
      if (values.at(-1) !== 0) {
        this.#step = await this.training.trained.generator.adam.steps.item();
        throw new NonFiniteError(
          step + 1,
          'the loss, a gradient or a running statistic is not finite; the state before it is kept',
        );
      }
      const terms = Object.fromEntries(this.training.terms.map((name, i) => [name, values[i]!]));
      return { step: step + 1, loss: values[0]!, terms };
    } finally {
      this.#inFlight--;
      this.#idleSince = performance.now();
      loss.dispose();
      report.dispose();
    }
  }

  /** After the first update there is memory for as many as will ever be under way: none is made later. */
  #reserve(loss: Tensor, report: Tensor): void {
    if (this.#reserved) return;
    this.#reserved = true;
    const { memory } = this.device;
    const taken = Array.from({ length: AHEAD }, () =>
      [loss, report].map(({ storage }) => memory.allocate(storage.bytes, 'results of an update')),
    );
    for (const storage of taken.flat()) storage.release();
    for (let i = 0; i < AHEAD; i++) this.device.read([report.storage]).catch(() => {});
  }

  /** Gives back all memory but the networks'. */
  dispose(): void {
    this.#program.dispose();
    this.training.dispose();
    this.#failed.dispose();
    this.#statistics?.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}
