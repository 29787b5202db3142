/** SRResNet's training: the generator alone, on how its pictures compare with the originals. */
import { grad } from '../kernels/index.ts';
import type { Module } from '../models/module.ts';
import { Adam, type AdamOptions } from './adam.ts';
import { type ContentTerm, contentMse } from './loss-terms.ts';
import { type Crops, meanOf, type Recording, type Trained, type Training, weighted } from './training.ts';

export interface ContentTrainingOptions extends AdamOptions {
  /** Terms of the loss; default: the mean squared error alone, SRResNet-MSE. */
  readonly content?: readonly ContentTerm[];
}

/** Equation 4 (or any terms), Adam (§3.2). */
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
        const parts = this.#content.map(({ loss }) => loss(sr, hr));
        const loss = weighted(this.#content, parts);
        return { terms: [loss, ...parts], gradients: grad(loss, net.parameters()) };
      }),
    );
    const skip = failed({ losses: { generator: terms[0] }, gradients: { generator: gradients } });
    adam.update(gradients, { lr: rate, skip });
    return terms;
  }

  /** Gives the optimizer's memory back; the network stays. */
  dispose(): void {
    this.trained.generator.adam.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}
