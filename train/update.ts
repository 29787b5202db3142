/** One update as a function of a batch and a learning rate: what a trainer compiles, and what can be looked into. */

import { DaybreakError } from '../engine/basics/errors.ts';
import type { Device } from '../engine/device/device.ts';
import { activeTrace } from '../engine/graph/trace.ts';
import { type Tensor, tensor } from '../engine/tensor.ts';
import { concat, reshape, slice } from '../kernels/index.ts';
import { FiniteGate } from './finite-gate.ts';
import { firstNonFinite, type Looking, type TensorNames } from './first-non-finite.ts';
import type { BatchSource } from './pictures/crop-source.ts';
import type { Skip } from './skip.ts';
import type { Crops, Judged, Role, Trained, Training } from './training.ts';

/** The loss, where the forward pass ends for the figures; and what is read: terms, then the gate's report. */
export type UpdateResults = { loss: Tensor; report: Tensor };

export class Update implements Disposable {
  readonly device: Device;
  readonly gate: FiniteGate;
  readonly #training: Training;
  readonly #source: BatchSource;
  readonly #parts: number;
  readonly #trained: readonly [Role, Trained][];
  readonly #names: TensorNames;

  /** `parts`: equal parts that a batch is cut into, whose gradients are averaged. `limit`: see {@link FiniteGate}. */
  constructor(training: Training, source: BatchSource, parts: number, limit: number) {
    const { batch } = source.options;
    if (batch % parts !== 0) throw new DaybreakError(`Trainer: ${batch} crops do not make ${parts} equal parts.`);
    this.#training = training;
    this.#source = source;
    this.#parts = parts;
    this.#trained = Object.entries(training.trained) as [Role, Trained][];
    this.device = training.trained.generator.adam.first.device;
    this.gate = new FiniteGate(this.device, this.#trained, limit);
    this.#names = {
      given: ['the batch', 'the learning rate'],
      variables: namesOf(this.#trained),
      updated: new WeakMap(),
      losses: new WeakMap(),
      gradients: new WeakMap(),
    };
  }

  /** To be traced. `batch`: of the source; `rate`: a scalar. */
  record(batch: Tensor, rate: Tensor): UpdateResults {
    let report: readonly Tensor[] = [];
    const failed = (found: Judged) => {
      // Before the weights are what the gate makes of them.
      this.#name(found);
      const judged = this.gate.judge(found);
      report = judged.report;
      return judged.flag;
    };
    const batches = partsOf(this.#source.gather(batch), this.#parts);
    const terms = this.#training.record(batches, { rate: reshape(rate, [1]), failed });
    return { loss: terms[0], report: concat([...terms, ...report].map(one => reshape(one, [1]))) };
  }

  /** What `report` says. */
  read(values: Float32Array): { readonly terms: Readonly<Record<string, number>>; readonly skipped: Skip | undefined } {
    const { terms: names } = this.#training;
    return {
      terms: Object.fromEntries(names.map((name, i) => [name, values[i]])),
      skipped: this.gate.skipOf(values.subarray(names.length)),
    };
  }

  /** Which tensor would be the first that is not finite, were update `step` (from 0) made now. Nothing is. */
  async firstNonFinite(step: number, learningRate: number, looking: Looking): Promise<string | undefined> {
    using batch = await this.#source.batch(step);
    using rate = tensor(learningRate, [], { device: this.device });
    return await firstNonFinite([batch, rate], (batch, rate) => this.record(batch, rate), this.#names, looking);
  }

  /** Nothing but this update's trace has these values. */
  #name({ losses, gradients }: Judged): void {
    const { updated, losses: ofLosses, gradients: ofGradients } = this.#names;
    for (const [role, { net }] of this.#trained) {
      ofLosses.set(losses[role]!.value, `the ${role}'s loss`);
      for (const [i, [name, { value }]] of net.namedParameters().entries()) {
        ofGradients.set(gradients[role]![i].value, `the gradient of ${role} ${name}`);
        const now = activeTrace()!.import(value);
        if (now.source?.kind !== 'variable') updated.set(now, `the updated ${role} ${name}`);
      }
    }
  }

  dispose(): void {
    this.gate.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

/** "generator conv_in.weight" and the like, of all weights and statistics. */
const namesOf = (trained: readonly (readonly [Role, Trained])[]): TensorNames['variables'] =>
  new Map(
    trained.flatMap(([role, { net }]) => net.namedVariables().map(([name, { state }]) => [state, `${role} ${name}`])),
  );

/** A batch in so many equal parts. */
function partsOf(crops: Crops, count: number): Crops[] {
  if (count === 1) return [crops];
  const part = (x: Tensor, i: number) => {
    const [n = 0, ...rest] = x.shape;
    return slice(x, [(i * n) / count, ...rest.map(() => 0)], [((i + 1) * n) / count, ...rest]);
  };
  return Array.from({ length: count }, (_, i) => ({ lr: part(crops.lr, i), hr: part(crops.hr, i) }));
}
