/** Training as a loop over one program: crops in, updates made, loss terms out, without the host ever waiting for one. */

import { sizeOf } from '../engine/basics/shape.ts';
import { type Compiled, compile, type Planned } from '../engine/compile.ts';
import type { Device } from '../engine/device/device.ts';
import type { ProgramFigures } from '../engine/program/figures.ts';
import type { Clock, RunProfile, Span } from '../engine/program/profile.ts';
import { type Tensor, tensor } from '../engine/tensor.ts';
import type { Adam } from './adam.ts';
import { Ending } from './ending.ts';
import type { BatchSource } from './pictures/crop-source.ts';
import { MAX_NON_FINITE, type Skip } from './skip.ts';
import type { Role, Trained, Training } from './training.ts';
import { Update, type UpdateResults } from './update.ts';

/** What one update reports, once the GPU has done it. */
export interface StepResult {
  /** Updates so far, this one and those that were skipped included. */
  readonly step: number;
  /** What the generator is trained to make small. */
  readonly loss: number;
  /** All that the training reports, by name, `loss` included. */
  readonly terms: Readonly<Record<string, number>>;
  /** Something in it was not finite, perhaps `loss` or `terms`: the update changed nothing. */
  readonly skipped?: Skip;
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

/** Moments of an optimizer, as a checkpoint keeps them. */
export type Moments = Parameters<Adam['load']>[0]['moments'];

/** Updates that were skipped. */
export interface Skipped {
  /** Of all that were made. */
  readonly all: number;
  /** Since the last one that counted. */
  readonly inRow: number;
}

/** A result, where there is one. */
async function* settled(result: Promise<StepResult | undefined>): AsyncGenerator<StepResult, void, undefined> {
  const there = await result;
  if (there) yield there;
}

export interface TrainerOptions {
  /** Equal parts that each batch is cut into, whose gradients are averaged; default 1. */
  readonly accumulate?: number;
  /** So many updates in a row that are not finite end the training; default {@link MAX_NON_FINITE}. */
  readonly maxNonFinite?: number;
  /** Told how far it is looked for the tensor that was not finite first, before NonFiniteError is thrown. */
  readonly onLooking?: (done: number, total: number) => void;
}

/**
 * Trains in steps. The host only encodes: crops are gathered, losses and gradients computed, weights updated by one
 * program. An update whose losses or gradients are not finite changes nothing but the counters: it is skipped, and its
 * result says so. After too many in a row nothing changes any more.
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
  readonly #update: Update;
  readonly #program: Compiled<[Tensor, number], UpdateResults>;
  readonly #onLooking: TrainerOptions['onLooking'];
  #ending: Ending | undefined;

  /** Takes `training` over: it is disposed of with the trainer. */
  constructor(
    training: Training,
    source: BatchSource,
    { accumulate = 1, maxNonFinite = MAX_NON_FINITE, onLooking }: TrainerOptions = {},
  ) {
    this.training = training;
    this.device = training.trained.generator.adam.first.device;
    this.#source = source;
    const update = new Update(training, source, accumulate, maxNonFinite);
    this.#update = update;
    this.#onLooking = onLooking;
    this.#program = compile((batch: Tensor, lr: Tensor) => update.record(batch, lr));
  }

  /** Networks and optimizers by role, the generator first. */
  get trained(): [Role, Trained][] {
    return Object.entries(this.training.trained) as [Role, Trained][];
  }

  /** Updates submitted so far, those that were skipped included; set when a run is resumed. */
  get step(): number {
    return this.#step;
  }

  /** What an update needs; undefined before the first, and once the training has ended. */
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

  /** So many updates in a row that are not finite end the training. */
  get maxNonFinite(): number {
    return this.#update.gate.limit;
  }

  /** Updates skipped: of all that were made, and since the last one that counted. Read from the GPU. */
  async skipped(): Promise<Skipped> {
    const { steps } = this.training.trained.generator.adam;
    // Results of updates under way come before: `step` is right by then.
    const [made, inRow] = await this.device.read([steps.storage, this.#update.gate.inRow.storage]);
    const number = (bytes: Uint8Array<ArrayBuffer>) => new Float32Array(bytes.buffer)[0];
    return { all: this.#step - number(made), inRow: number(inRow) };
  }

  /**
   * Makes the first update, telling how many kernels the driver has compiled. Optional: `run` does it too, silently.
   * Throws NonFiniteError as `run` does.
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
    // Without one, an update that was under way ended the training.
    if (!result) await this.#throwIfEnded(learningRate);
    return result!;
  }

  /**
   * Makes one update alone, and tells where its time went; with a `clock`, dispatch by dispatch. The update is the same
   * as any, to the bit. Throws NonFiniteError as `run` does.
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
   * Restores the optimizers and the counters after `step` updates, skipped ones included; the networks' weights are
   * loaded by the caller. A training that has ended goes on; where as many as the limit were skipped in a row, the
   * count begins again.
   */
  resume(
    step: number,
    moments: Readonly<Partial<Record<Role, Moments>>>,
    { all, inRow }: Skipped = { all: 0, inRow: 0 },
  ): void {
    for (const [role, { adam }] of this.trained) adam.load({ steps: step - all, moments: moments[role] ?? [] });
    this.#update.gate.resume(inRow);
    this.#ending = undefined;
    this.#step = step;
  }

  #trainMode(): void {
    for (const [, { net }] of this.trained) net.train();
  }

  /**
   * Makes updates until `last` (or the signal), yielding each result in order, skipped ones too. The host runs two updates
   * ahead, so breaking off leaves up to two more updates made than were yielded: `step` says how many, but for those behind
   * the end of a training, until their results are there.
   * Throws NonFiniteError behind the result that was one too many in a row not to be finite, naming the tensor that went
   * first; the state is that before the first of them.
   */
  async *run(
    last: number,
    learningRate: (step: number) => number,
    signal?: AbortSignal,
  ): AsyncGenerator<StepResult, void, undefined> {
    await this.#throwIfEnded(learningRate, signal);
    this.#trainMode();
    const pending: Promise<StepResult | undefined>[] = [];
    while (this.#step < last && !signal?.aborted && !this.#ending) {
      using batch = await this.#batch();
      // It may have ended while the batch was read.
      if (!this.#ending) pending.push(this.#submit(batch, learningRate(this.#step)));
      if (pending.length > AHEAD) yield* settled(pending.shift()!);
    }
    for (const result of pending) yield* settled(result);
    await this.#throwIfEnded(learningRate, signal);
  }

  async #batch(): Promise<Tensor> {
    const began = performance.now();
    const batch = await this.#source.batch(this.#step);
    // With updates in flight the GPU has work meanwhile.
    if (this.#inFlight === 0) this.waitedForData += (performance.now() - Math.max(began, this.#idleSince)) / 1000;
    return batch;
  }

  #submit(batch: Tensor, lr: number): Promise<StepResult | undefined> {
    const step = this.#step++;
    const result = this.#read(step, this.#program(batch, lr));
    // A failure is thrown where its result is awaited; others must not count as unhandled.
    result.catch(() => {});
    return result;
  }

  /** Undefined for what was submitted after the training had ended: it is as if it had not been. */
  async #read(step: number, { loss, report }: UpdateResults): Promise<StepResult | undefined> {
    this.#inFlight++;
    try {
      this.#reserve(loss, report);
      const values = new Float32Array((await this.device.read([report.storage]))[0].buffer);
      if (this.#ending) {
        this.#step = this.#ending.step;
        return undefined;
      }
      const { terms, skipped } = this.#update.read(values);
      if (skipped?.inRow === this.maxNonFinite) {
        this.#ending = new Ending(step + 1, skipped);
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
    if (!this.#ending) return;
    this.#program.dispose(); // Looking takes its memory.
    throw await this.#ending.error(this.#update, learningRate, { signal, onLooking: this.#onLooking });
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
    this.#update.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}
