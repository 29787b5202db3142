/**
 * Exponential moving average (EMA) of the generator's weights: w̄ ← d·w̄ + (1 − d)·w after each update. It removes artifacts
 * that come and go between checkpoints of an SRGAN. With warm-up, d is min(decay, (1 + t) / (10 + t)) after t updates that
 * were not skipped (TensorFlow's ExponentialMovingAverage with num_updates, timm's ModelEmaV3), so that the initial weights
 * soon lose their influence.
 */

import type { Tensor } from '../engine/tensor.ts';
import { add, clamp, div, fullLike, mul, sub, where } from '../kernels/index.ts';
import type { Module } from '../nn/module.ts';
import { Gathered } from '../nn/optim/gathered.ts';
import type { Optimizer } from '../nn/optim/optimizer.ts';
import type { Crops, Recording, Training } from './training.ts';

export class AveragedTraining implements Training {
  readonly trained;
  readonly terms;
  readonly #training: Training;
  readonly #average: Gathered;
  readonly #decay: number;
  readonly #warmup: boolean;

  /**
   * @param training takes ownership.
   * @param averaged a network like the generator. Its weights hold the average, and their current values are where it
   *   starts. Its running statistics do not change.
   * @param decay d, from 0 to below 1.
   * @param warmup whether d starts lower, see above.
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
      failed: judged => {
        flag = failed(judged);
        return flag;
      },
    });
    const { whole } = this.#average;
    const next = this.#nextAverage(this.trained.generator.optimizer);
    whole.assign(flag ? where(flag, whole, next) : next);
    return terms;
  }

  #nextAverage({ gathered: { whole: weights }, steps }: Optimizer): Tensor {
    const { whole } = this.#average;
    if (!this.#warmup) return add(mul(whole, this.#decay), mul(weights, 1 - this.#decay));
    // 1 − d = max(1 − decay, 9 / (10 + t)).
    const share = clamp(div(fullLike(steps, 9), add(steps, 10)), 1 - this.#decay, 1);
    return add(mul(whole, sub(fullLike(share, 1), share)), mul(weights, share));
  }

  /** Frees all memory except the networks'. */
  dispose(): void {
    this.#training.dispose();
    this.#average.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}
