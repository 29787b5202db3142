/**
 * A moving average of the generator's weights beside any training: w̄ ← d·w̄ + (1 − d)·w after each update. It cures
 * artefacts that come and go between the checkpoints of an SRGAN. With a warm-up d is min(decay, (1 + t) / (10 + t)) after
 * t updates that counted (TensorFlow's ExponentialMovingAverage with num_updates, timm's ModelEmaV3), so that the first
 * weights are soon forgotten.
 */

import type { Tensor } from '../engine/tensor.ts';
import { add, clamp, div, fullLike, mul, sub, where } from '../kernels/index.ts';
import type { Module } from '../models/module.ts';
import type { Adam } from './adam.ts';
import { Gathered } from './gathered.ts';
import type { Crops, Recording, Training } from './training.ts';

export class AveragedTraining implements Training {
  readonly trained;
  readonly terms;
  readonly #training: Training;
  readonly #average: Gathered;
  readonly #decay: number;
  readonly #warmup: boolean;

  /**
   * Takes `training` over. `averaged` is a network like its generator: its weights, as they are now, are what the average
   * begins with. Its running statistics are left alone. `decay`: d, from 0 to below 1. `warmup`: it
   * begins lower, see above.
   */
  constructor(training: Training, averaged: Module, decay: number, warmup = false) {
    this.trained = training.trained;
    this.terms = training.terms;
    this.#training = training;
    this.#average = new Gathered(averaged.parameters(), 'averaged parameters');
    this.#decay = decay;
    this.#warmup = warmup;
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
    const next = this.#next(this.trained.generator.adam);
    whole.assign(flag ? where(flag, whole, next) : next);
    return terms;
  }

  #next({ gathered: { whole: weights }, steps }: Adam): Tensor {
    const { whole } = this.#average;
    if (!this.#warmup) return add(mul(whole, this.#decay), mul(weights, 1 - this.#decay));
    // 1 − d, of which 1 − (1 + t) / (10 + t) is the larger while t is small.
    const share = clamp(div(fullLike(steps, 9), add(steps, 10)), 1 - this.#decay, 1);
    return add(mul(whole, sub(fullLike(share, 1), share)), mul(weights, share));
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
