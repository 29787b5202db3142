/** The training of a network on the mean squared error: what equation 4 of Ledig et al. and §3.2 say, as one program. */
import { type Compiled, compile, type Planned } from '../engine/compile.ts';
import type { Device } from '../engine/device.ts';
import type { ProgramFigures } from '../engine/figures.ts';
import type { Clock, RunProfile, Span } from '../engine/profile.ts';
import { type Tensor, tensor, type Variable, variable } from '../engine/tensor.ts';
import { CROP_WORDS } from '../kernels/crops.ts';
import { Gathered } from '../kernels/gathered.ts';
import { assignedNotFinite, guardAssignments } from '../kernels/guard.ts';
import { add, grad, mseLoss, notFinite, reshape, sum } from '../kernels/index.ts';
import { pack } from '../kernels/pack.ts';
import type { Module } from '../models/module.ts';
import { Adam, type AdamOptions } from './adam.ts';
import type { CropSource } from './crop-source.ts';
import { NonFiniteError } from './errors.ts';

/** What one update reports, once the GPU has done it. */
export interface StepResult {
  /** Updates made, this one included. */
  readonly step: number;
  /** Mean squared error on [-1, 1]. */
  readonly loss: number;
}

/** Where the time of one update went, in the order in which it did. */
export interface StepProfile {
  readonly result: StepResult;
  /** Planning crops and handing the plan over. */
  readonly data: Span;
  readonly run: RunProfile;
  /** Reading the loss. */
  readonly readback: Span;
}

/** Updates that the host may run ahead of the GPU. */
const AHEAD = 2;

/**
 * Trains `net` in steps. The host only encodes: crops are gathered, losses and gradients computed, weights updated by
 * one program, and an update whose loss or gradients are not finite changes nothing, nor does any after it.
 */
export class Trainer implements Disposable {
  readonly net: Module;
  readonly adam: Adam;
  readonly device: Device;
  /** Seconds that the GPU had nothing to do because crops were not planned yet. */
  waitedForData = 0;
  /** Updates submitted. */
  #step = 0;
  #inFlight = 0;
  #reserved = false;
  readonly #source: CropSource;
  readonly #failed: Variable;
  /** The running statistics, which are kept or replaced together. */
  readonly #statistics: Gathered | undefined;
  readonly #program: Compiled<[Tensor, number], { loss: Tensor; failed: Tensor }>;

  constructor(net: Module, source: CropSource, options: AdamOptions = {}) {
    const parameters = net.parameters();
    this.net = net;
    this.device = parameters[0]!.device;
    this.adam = new Adam(parameters, options);
    this.#source = source;
    const statistics = net.namedVariables().flatMap(([, variable]) => (variable.requiresGrad ? [] : [variable]));
    this.#statistics = statistics.length > 0 ? new Gathered(statistics, 'running statistics') : undefined;
    this.#failed = variable(Float32Array.of(0), [1], { device: this.device, name: 'failed', trainable: false });
    this.#program = compile((plan: Tensor, lr: Tensor) => {
      const crops = source.gather(plan);
      const loss = mseLoss(net.forward(crops.lr), crops.hr);
      const gradients = grad(loss, parameters);
      const found = add(sum(notFinite(pack(gradients))), notFinite(loss));
      const overflown = assignedNotFinite();
      const bad = overflown ? add(found, overflown) : found;
      const failed = add(this.#failed, reshape(bad, [1]));
      guardAssignments(failed, this.#statistics ? [this.#statistics] : []);
      this.adam.update(gradients, { lr: reshape(lr, [1]), skip: failed });
      this.#failed.assign(failed);
      return { loss, failed };
    });
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
    this.net.train();
    using plan = this.#plan(this.#step);
    return this.#program.plan([plan, 0]);
  }

  /**
   * Makes the first update, telling how many kernels the driver has compiled. Optional: `run` does it too, silently.
   * Throws NonFiniteError as `run` does.
   */
  async warmUp(
    learningRate: (step: number) => number,
    onKernel: (done: number, total: number) => void,
  ): Promise<StepResult> {
    this.net.train();
    const step = this.#step++;
    using plan = this.#plan(step);
    const { loss, failed } = await this.#program.warmUp([plan, learningRate(step)], onKernel);
    return await this.#read(step, loss, failed);
  }

  /**
   * Makes one update alone, and tells where its time went; with a `clock`, dispatch by dispatch. The update is the same
   * as any, to the bit. Throws NonFiniteError as `run` does.
   */
  async profile(learningRate: (step: number) => number, clock?: Clock): Promise<StepProfile> {
    this.net.train();
    const step = this.#step++;
    const began = performance.now();
    using plan = this.#plan(step);
    const data = { begin: began, end: performance.now() };
    const { result, profile } = await this.#program.profile([plan, learningRate(step)], clock);
    const done = performance.now();
    const read = await this.#read(step, result.loss, result.failed);
    return { result: read, data, run: profile, readback: { begin: done, end: performance.now() } };
  }

  /** Restores the optimizer and the counter; the network's weights are loaded by the caller. */
  resume(step: number, state: Parameters<Adam['load']>[0]): void {
    this.adam.load(state);
    this.#step = step;
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
    this.net.train();
    const pending: Promise<StepResult>[] = [];
    while (this.#step < last && !signal?.aborted) {
      pending.push(this.#submit(learningRate(this.#step)));
      if (pending.length > AHEAD) yield await pending.shift()!;
    }
    for (const result of pending) yield await result;
  }

  #plan(step: number): Tensor {
    const began = performance.now();
    const plan = tensor(this.#source.plan(step), [this.#source.options.batch, CROP_WORDS], { device: this.device });
    // With updates in flight the GPU has work meanwhile.
    if (this.#inFlight === 0) this.waitedForData += (performance.now() - began) / 1000;
    return plan;
  }

  #submit(lr: number): Promise<StepResult> {
    const step = this.#step++;
    using plan = this.#plan(step);
    const { loss, failed } = this.#program(plan, lr);
    const result = this.#read(step, loss, failed);
    // The first failure is thrown where its result is awaited; later ones must not count as unhandled.
    result.catch(() => {});
    return result;
  }

  async #read(step: number, loss: Tensor, failed: Tensor): Promise<StepResult> {
    this.#inFlight++;
    try {
      this.#reserve(loss, failed);
      const [value, bad] = await this.device.read([loss.storage, failed.storage]);
      if (new Float32Array(bad!.buffer)[0] !== 0) {
        const made = await this.adam.steps.item();
        this.#step = made;
        throw new NonFiniteError(
          step + 1,
          'the loss, a gradient or a running statistic is not finite; the state before it is kept',
        );
      }
      return { step: step + 1, loss: new Float32Array(value!.buffer)[0]! };
    } finally {
      this.#inFlight--;
      loss.dispose();
      failed.dispose();
    }
  }

  /** After the first update there is memory for as many as will ever be under way: none is made later. */
  #reserve(loss: Tensor, failed: Tensor): void {
    if (this.#reserved) return;
    this.#reserved = true;
    const { memory } = this.device;
    const taken = Array.from({ length: AHEAD }, () =>
      [loss, failed].map(({ storage }) => memory.allocate(storage.bytes, 'results of an update')),
    );
    for (const storage of taken.flat()) storage.release();
    for (let i = 0; i < AHEAD; i++) this.device.read([loss.storage, failed.storage]).catch(() => {});
  }

  /** Gives back all memory but the network's. */
  dispose(): void {
    this.#program.dispose();
    this.adam.dispose();
    this.#failed.dispose();
    this.#statistics?.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}
