/** One update as a function of a batch and a learning rate: what the trainer compiles. */

import { DaybreakError } from '../engine/basics/errors.ts';
import type { Device } from '../engine/device/device.ts';
import type { Tensor } from '../engine/tensor.ts';
import { concat, reshape, slice } from '../kernels/index.ts';
import { FiniteGate } from './finite-gate.ts';
import type { BatchSource } from './pictures/crop-source.ts';
import type { Skip } from './skip.ts';
import type { Crops, Judged, Role, Trained, Training } from './training.ts';

/** `loss` ends the forward pass in memory figures; `report` is read by the host: the loss terms, then the gate's counts. */
export type UpdateResults = { loss: Tensor; report: Tensor };

/** Gathers crops, records the training's update with the finite gate, and packs what the host reads. */
export class Update implements Disposable {
  readonly device: Device;
  readonly gate: FiniteGate;
  /** Networks and optimizers by role, the generator first. */
  readonly trained: readonly [Role, Trained][];
  readonly #training: Training;
  readonly #source: BatchSource;
  readonly #accumulate: number;

  /**
   * @param accumulate equal parts of a batch whose gradients are averaged.
   * @param limit see {@link FiniteGate}.
   */
  constructor(training: Training, source: BatchSource, accumulate: number, limit: number) {
    const { batch } = source.options;
    if (batch % accumulate !== 0)
      throw new DaybreakError(`Trainer: expected a batch divisible by accumulate ${accumulate}, got ${batch} crops.`);
    this.#training = training;
    this.#source = source;
    this.#accumulate = accumulate;
    this.trained = Object.entries(training.trained) as [Role, Trained][];
    this.device = training.trained.generator.optimizer.steps.device;
    this.gate = new FiniteGate(this.device, this.trained, limit);
  }

  /**
   * To be traced.
   * @param batch of the source.
   * @param rate a scalar.
   * @param onJudged called during tracing with the losses and gradients, before the gate guards the weights.
   */
  record(batch: Tensor, rate: Tensor, onJudged?: (judged: Judged) => void): UpdateResults {
    let counts: readonly Tensor[] = [];
    const failed = (judged: Judged) => {
      onJudged?.(judged);
      const { flag, report } = this.gate.judge(judged);
      counts = report;
      return flag;
    };
    const batches = splitBatch(this.#source.gather(batch), this.#accumulate);
    const terms = this.#training.record(batches, { rate: reshape(rate, [1]), failed });
    return { loss: terms[0], report: concat([...terms, ...counts].map(scalar => reshape(scalar, [1]))) };
  }

  /** Decodes the elements of `report`. */
  read(values: Float32Array): { readonly terms: Readonly<Record<string, number>>; readonly skipped: Skip | undefined } {
    const { terms: names } = this.#training;
    return {
      terms: Object.fromEntries(names.map((name, i) => [name, values[i]])),
      skipped: this.gate.skipOf(values.subarray(names.length)),
    };
  }

  dispose(): void {
    this.gate.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

/** Splits a batch into equal parts. */
function splitBatch(crops: Crops, count: number): Crops[] {
  if (count === 1) return [crops];
  const nth = (x: Tensor, i: number) => {
    const [n = 0, ...rest] = x.shape;
    return slice(x, [(i * n) / count, ...rest.map(() => 0)], [((i + 1) * n) / count, ...rest]);
  };
  return Array.from({ length: count }, (_, i) => ({ lr: nth(crops.lr, i), hr: nth(crops.hr, i) }));
}
