/** SRResNet's training method: the generator alone, with a content loss. */
import { grad } from '../kernels/index.ts';
import type { Module } from '../models/module.ts';
import { Adam, type AdamOptions } from './adam.ts';
import { type ContentTerm, contentMse } from './loss-terms.ts';
import { type Crops, meanOf, type Recording, type Trained, type Training, weightedSum } from './training.ts';

export interface ContentTrainingOptions extends AdamOptions {
  /** Terms of the loss. Default: only the mean squared error, which trains SRResNet-MSE. */
  readonly content?: readonly ContentTerm[];
}

/** Minimizes equation 4, or any content terms, with Adam (§3.2). */
export class ContentTraining implements Training {
  readonly trained: { readonly generator: Trained };
  readonly terms: readonly string[];
  readonly #content: readonly ContentTerm[];

  constructor(net: Module, { content = [contentMse()], ...options }: ContentTrainingOptions = {}) {
    this.trained = { generator: { net, adam: new Adam(net.parameters(), options) } };
    this.#content = content;
    this.terms = ['loss', ...content.map(({ name }) => name)];
  }

  record(batches: readonly Crops[], { rate, failed }: Recording) {
    const { net, adam } = this.trained.generator;
    const { terms, gradients } = meanOf(
      batches.map(({ lr, hr }) => {
        const sr = net.forward(lr);
        const terms = this.#content.map(({ loss }) => loss(sr, hr));
        const loss = weightedSum(this.#content, terms);
        return { terms: [loss, ...terms], gradients: grad(loss, net.parameters()) };
      }),
    );
    const skip = failed({ losses: { generator: terms[0] }, gradients: { generator: gradients } });
    adam.update(gradients, { lr: rate, skip });
    return terms;
  }

  /** Frees the optimizer's memory. The network stays. */
  dispose(): void {
    this.trained.generator.adam.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}
