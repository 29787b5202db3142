/** Training as a loop over one compiled update. The host encodes ahead and never waits for the GPU to finish an update. */

import { sizeOf } from '../engine/basics/shape.ts';
import { type Compiled, compile, type Planned } from '../engine/compile.ts';
import type { Device } from '../engine/device/device.ts';
import type { ProgramFigures } from '../engine/program/figures.ts';
import type { Clock, RunProfile, Span } from '../engine/program/profile.ts';
import { type Tensor, tensor } from '../engine/tensor.ts';
import type { OptimizerState } from '../nn/optim/optimizer.ts';
import { diagnoseNonFinite, type End } from './diagnose-non-finite.ts';
import type { NonFiniteError } from './errors.ts';
import type { BatchSource } from './pictures/crop-source.ts';
import { MAX_NON_FINITE, type Skip } from './skip.ts';
import type { Role, Trained, Training } from './training.ts';
import { Update, type UpdateResults } from './update.ts';

/** Result of one update, read back from the GPU. */
export interface StepResult {
  /** Updates so far, including this one and skipped ones. */
  readonly step: number;
  /** The generator's loss. */
  readonly loss: number;
  /** All loss terms by name, including `loss`. */
  readonly terms: Readonly<Record<string, number>>;
  /** Present if the update contained NaN or infinity (perhaps in `loss` or `terms`) and changed nothing. */
  readonly skipped?: Skip;
}

/** Time spent in each phase of one update, in order. */
export interface StepProfile {
  readonly result: StepResult;
  /** Planning crops or waiting for them to be read, and uploading them. */
  readonly data: Span;
  readonly run: RunProfile;
  /** Reading the loss. */
  readonly readback: Span;
}

/** Number of updates that the host may run ahead of the GPU. */
const AHEAD = 2;

/** An optimizer's moments, as checkpoints store them. */
export type Moments = OptimizerState['moments'];

/** Numbers of skipped updates. */
export interface Skipped {
  /** In the whole training. */
  readonly all: number;
  /** Since the last update that was not skipped. */
  readonly inRow: number;
}

/** Options of {@link Trainer}. */
export interface TrainerOptions {
  /** Number of equal parts to split each batch into; their gradients are averaged. Default: 1. */
  readonly accumulate?: number;
  /** Number of consecutive skipped updates that ends the training. Default: {@link MAX_NON_FINITE}. */
  readonly maxNonFinite?: number;
  /** Progress of the search for the first tensor with NaN or infinity, which precedes a NonFiniteError. */
  readonly onDiagnosis?: (done: number, total: number) => void;
}

/**
 * Runs updates. Each is one program in one submit: it gathers crops, computes losses and gradients, and updates the
 * weights. An update whose losses, gradients or statistics contain NaN or infinity is skipped: it changes only the
 * counters, and its result says so. After `maxNonFinite` skipped updates in a row the training has ended, and nothing
 * changes until `resume`.
 */
export class Trainer implements Disposable {
  /** What it trains; it is disposed with the trainer. */
  readonly training: Training;
  /** The device of the training. */
  readonly device: Device;
  /** Seconds in which the GPU was idle because crops were not planned or read yet. */
  waitedForData = 0;
  /** Updates submitted. */
  #step = 0;
  /** Results of submitted updates that `run` has not yielded yet, oldest first; undefined for updates after the end. */
  readonly #pending: Promise<StepResult | undefined>[] = [];
  #inFlight = 0;
  /** When the last update in flight finished. */
  #idleSince = 0;
  #reserved = false;
  readonly #source: BatchSource;
  readonly #update: Update;
  readonly #program: Compiled<[Tensor, number], UpdateResults>;
  readonly #onDiagnosis: TrainerOptions['onDiagnosis'];
  #end: End | undefined;
  #error: NonFiniteError | undefined;

  /** Takes ownership of `training`. */
  constructor(
    training: Training,
    source: BatchSource,
    { accumulate = 1, maxNonFinite = MAX_NON_FINITE, onDiagnosis }: TrainerOptions = {},
  ) {
    this.training = training;
    this.device = training.trained.generator.optimizer.steps.device;
    this.#source = source;
    const update = new Update(training, source, accumulate, maxNonFinite);
    this.#update = update;
    this.#onDiagnosis = onDiagnosis;
    this.#program = compile((batch: Tensor, lr: Tensor) => update.record(batch, lr));
  }

  /** Networks and optimizers by role, the generator first. */
  get trained(): readonly [Role, Trained][] {
    return this.#update.trained;
  }

  /** Updates submitted so far, including skipped ones. `resume` sets it. */
  get step(): number {
    return this.#step;
  }

  /** Memory and dispatches of an update; undefined before the first one and after the training has ended. */
  get figures(): ProgramFigures | undefined {
    return this.#program.programs[0];
  }

  /** Plans an update without running it. */
  plan(): Planned {
    this.#trainMode();
    const { shape } = this.#source;
    using batch = tensor(new Uint32Array(sizeOf(shape)), shape, { device: this.device });
    return this.#program.plan([batch, 0]);
  }

  /** Number of consecutive skipped updates that ends the training. */
  get maxNonFinite(): number {
    return this.#update.gate.limit;
  }

  /** Numbers of skipped updates, read from the GPU. */
  async skipped(): Promise<Skipped> {
    const { steps } = this.training.trained.generator.optimizer;
    // Reads are answered in order, so results of pending updates have set `step` by then.
    const [made, inRow] = await this.device.read([steps.storage, this.#update.gate.inRow.storage]);
    const number = (bytes: Uint8Array<ArrayBuffer>) => new Float32Array(bytes.buffer)[0];
    return { all: this.#step - number(made), inRow: number(inRow) };
  }

  /**
   * Runs the first update and reports kernel compilation. Optional: `run` does the same without reports.
   * @throws NonFiniteError as `run` does.
   */
  async warmUp(
    learningRate: (step: number) => number,
    onKernel: (done: number, total: number) => void,
  ): Promise<StepResult> {
    await this.#throwIfEnded(learningRate);
    this.#trainMode();
    using batch = await this.#batch();
    const step = this.#step++;
    const result = await this.#read(step, await this.#program.warmUp([batch, learningRate(step)], onKernel));
    // Without a result, an earlier pending update ended the training.
    if (!result) await this.#throwIfEnded(learningRate);
    return result!;
  }

  /**
   * Runs one update and measures its phases; with a `clock`, each dispatch. Gives the same bits as any other update.
   * @throws NonFiniteError as `run` does.
   */
  async profile(learningRate: (step: number) => number, clock?: Clock): Promise<StepProfile> {
    await this.#throwIfEnded(learningRate);
    this.#trainMode();
    const began = performance.now();
    using batch = await this.#batch();
    const data = { begin: began, end: performance.now() };
    const step = this.#step++;
    const { result, profile } = await this.#program.profile([batch, learningRate(step)], clock);
    const done = performance.now();
    const read = await this.#read(step, result);
    if (!read) await this.#throwIfEnded(learningRate);
    return { result: read!, data, run: profile, readback: { begin: done, end: performance.now() } };
  }

  /**
   * Restores the optimizers and counters after `step` updates, including skipped ones. The caller loads the networks'
   * weights. A training that has ended continues: if `inRow` is at the limit, the count starts at 0.
   */
  resume(
    step: number,
    moments: Readonly<Partial<Record<Role, Moments>>>,
    { all, inRow }: Skipped = { all: 0, inRow: 0 },
  ): void {
    for (const [role, { optimizer }] of this.trained)
      optimizer.load({ steps: step - all, moments: moments[role] ?? [] });
    this.#update.gate.resume(inRow);
    this.#end = this.#error = undefined;
    this.#step = step;
  }

  #trainMode(): void {
    for (const [, { net }] of this.trained) net.train();
  }

  /**
   * Runs updates until `last` or the signal, and yields their results in order, including skipped ones. The host runs two
   * updates ahead. If the caller breaks off, up to two submitted updates are not yielded yet: `step` includes them, and the
   * next call yields them first.
   * @throws NonFiniteError after the result that ends the training, naming the tensor that first became NaN or infinite.
   *   The state is the one before the first of the skipped updates.
   */
  async *run(
    last: number,
    learningRate: (step: number) => number,
    signal?: AbortSignal,
  ): AsyncGenerator<StepResult, void, undefined> {
    this.#trainMode();
    while (this.#step < last && !signal?.aborted && !this.#end) {
      using batch = await this.#batch();
      // It may have ended while the batch was read.
      if (!this.#end) this.#pending.push(this.#submit(batch, learningRate(this.#step)));
      if (this.#pending.length > AHEAD) yield* this.#oldest();
    }
    while (this.#pending.length > 0) yield* this.#oldest();
    await this.#throwIfEnded(learningRate, signal);
  }

  /** Yields the oldest pending result, if its update was submitted before the end. */
  async *#oldest(): AsyncGenerator<StepResult, void, undefined> {
    const result = await this.#pending.shift();
    if (result) yield result;
  }

  async #batch(): Promise<Tensor> {
    const began = performance.now();
    const batch = await this.#source.batch(this.#step);
    // With updates in flight the GPU is busy meanwhile.
    if (this.#inFlight === 0) this.waitedForData += (performance.now() - Math.max(began, this.#idleSince)) / 1000;
    return batch;
  }

  #submit(batch: Tensor, lr: number): Promise<StepResult | undefined> {
    const step = this.#step++;
    const result = this.#read(step, this.#program(batch, lr));
    // Failures are thrown where the result is awaited, and must not count as unhandled before.
    result.catch(() => {});
    return result;
  }

  /** Undefined for an update submitted after the end: it had no effect. */
  async #read(step: number, { loss, report }: UpdateResults): Promise<StepResult | undefined> {
    this.#inFlight++;
    try {
      this.#reserve(loss, report);
      const values = new Float32Array((await this.device.read([report.storage]))[0].buffer);
      if (this.#end) {
        this.#step = this.#end.step;
        return undefined;
      }
      const { terms, skipped } = this.#update.read(values);
      if (skipped?.inRow === this.maxNonFinite) {
        this.#end = { step: step + 1, skipped };
        this.#step = step + 1;
      }
      return { step: step + 1, loss: values[0], terms, ...(skipped && { skipped }) };
    } finally {
      this.#inFlight--;
      this.#idleSince = performance.now();
      loss.dispose();
      report.dispose();
    }
  }

  async #throwIfEnded(learningRate: (step: number) => number, signal?: AbortSignal): Promise<void> {
    if (!this.#end) return;
    if (this.#error) throw this.#error;
    this.#program.dispose(); // The diagnosis needs its memory.
    const options = { signal, onProgress: this.#onDiagnosis };
    const error = await diagnoseNonFinite(this.#update, this.#source, this.#end, learningRate, options);
    if (!signal?.aborted) this.#error = error;
    throw error;
  }

  /** Allocates result buffers for all updates that will ever be in flight, once, with the first update. */
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

  /** Frees all memory except the networks'. */
  dispose(): void {
    this.#program.dispose();
    this.training.dispose();
    this.#update.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}
