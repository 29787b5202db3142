/**
 * A moving average of the generator's weights beside any training: w̄ ← d·w̄ + (1 − d)·w after each update. It cures
 * artefacts that come and go between the checkpoints of an SRGAN.
 */

import type { Tensor } from '../engine/tensor.ts';
import { add, mul, where } from '../kernels/index.ts';
import type { Module } from '../models/module.ts';
import { Gathered } from './gathered.ts';
import type { Crops, Recording, Training } from './training.ts';

export class AveragedTraining implements Training {
  readonly trained;
  readonly terms;
  readonly #training: Training;
  readonly #average: Gathered;
  readonly #decay: number;

  /**
   * Takes `training` over. `averaged` is a network like its generator: its weights, as they are now, are what the average
   * begins with. Its running statistics are left alone. `decay`: d, from 0 to below 1.
   */
  constructor(training: Training, averaged: Module, decay: number) {
    this.trained = training.trained;
    this.terms = training.terms;
    this.#training = training;
    this.#average = new Gathered(averaged.parameters(), 'averaged parameters');
    this.#decay = decay;
  }

  record(batches: readonly Crops[], { rate, failed }: Recording): readonly Tensor[] {
    let flag: Tensor | undefined;
    const terms = this.#training.record(batches, {
      rate,
      failed: found => {
        flag = failed(found);
        return flag;
      },
    });
    const { whole } = this.#average;
    const weights = this.trained.generator.adam.gathered.whole;
    const next = add(mul(whole, this.#decay), mul(weights, 1 - this.#decay));
    whole.assign(flag ? where(flag, whole, next) : next);
    return terms;
  }

  /** Gives the memory back that is beside the networks. */
  dispose(): void {
    this.#training.dispose();
    this.#average.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}
