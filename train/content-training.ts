/** Training of one network with a loss on its output: SRResNet's method, and that of the other upscaling networks. */
import type { Tensor } from '../engine/tensor.ts';
import type { Variable } from '../engine/variable.ts';
import { add, clamp, div, fullLike, grad, mul, reshape, sub } from '../kernels/index.ts';
import { NetworkModule } from '../models/network.ts';
import type { Module } from '../nn/module.ts';
import { Adam, type AdamOptions } from '../nn/optim/adam.ts';
import type { Optimizer } from '../nn/optim/optimizer.ts';
import { cutTo, type Example } from './examples.ts';
import { type ContentTerm, contentMse } from './loss-terms.ts';
import { type Crops, meanOf, type Recording, type Trained, type Training, weightedSum } from './training.ts';

/** Options of {@link ContentTraining}. */
export interface ContentTrainingOptions extends AdamOptions {
  /** Terms of the loss. Default: only the mean squared error, which trains SRResNet-MSE. */
  readonly content?: readonly ContentTerm[];
  /** Default: Adam with the other options. */
  readonly optimizer?: ((parameters: readonly Variable[]) => Optimizer) | undefined;
  /** Input and target of the network. Default: LR and HR. */
  readonly example?: ((crops: Crops) => Example) | undefined;
  /**
   * Updates over which deep supervision fades, for a network with `supervised` (Kim et al. 2016, DRCN, equation 7): the loss
   * is α · (mean loss of all predictions) + (1 − α) · (loss of the output), and α falls linearly from 1 to 0. Default: 0, the
   * output alone.
   */
  readonly supervisionSteps?: number | undefined;
}

/** Minimizes equation 4, or any content terms, with Adam (§3.2) or another optimizer. */
export class ContentTraining implements Training {
  readonly trained: { readonly generator: Trained };
  readonly terms: readonly string[];
  readonly #content: readonly ContentTerm[];
  readonly #example: (crops: Crops) => Example;
  readonly #supervisionSteps: number;

  constructor(
    net: Module,
    { content = [contentMse()], optimizer, example, supervisionSteps = 0, ...options }: ContentTrainingOptions = {},
  ) {
    const parameters = net.parameters();
    this.trained = { generator: { net, optimizer: optimizer?.(parameters) ?? new Adam(parameters, options) } };
    this.#content = content;
    this.#example = example ?? (({ lr, hr }) => ({ input: lr, target: hr }));
    this.#supervisionSteps = supervisionSteps;
    this.terms = ['loss', ...content.map(({ name }) => name), ...(supervisionSteps > 0 ? ['predictions'] : [])];
  }

  record(batches: readonly Crops[], { rate, failed }: Recording) {
    const { net, optimizer } = this.trained.generator;
    const { terms, gradients } = meanOf(
      batches.map(crops => {
        const [loss, ...terms] = this.#terms(this.#example(crops));
        return { terms: [loss, ...terms], gradients: grad(loss, net.parameters()) };
      }),
    );
    const skip = failed({ losses: { generator: terms[0] }, gradients: { generator: gradients } });
    optimizer.update(gradients, { lr: rate, skip });
    return terms;
  }

  /** The loss, and its terms. */
  #terms({ input, target }: Example): readonly [Tensor, ...Tensor[]] {
    const { net, optimizer } = this.trained.generator;
    const supervised = this.#supervisionSteps > 0 && net instanceof NetworkModule ? net.supervised?.(input) : undefined;
    const sr = supervised?.output ?? (net instanceof NetworkModule ? net.inner(input) : net.forward(input));
    const hr = cutTo(target, sr);
    const terms = this.#content.map(({ loss }) => loss(sr, hr));
    const loss = weightedSum(this.#content, terms);
    if (!supervised) return [loss, ...terms];
    // All predictions have the same target, so their mean loss is that of one batch.
    const [n = 0, depth = 0, height = 0, width = 0] = supervised.predictions.shape;
    const each = reshape(supervised.predictions, [n * depth, 1, height, width]);
    const repeated = reshape(add(fullLike(supervised.predictions, 0), hr), each.shape);
    const predictions = weightedSum(
      this.#content,
      this.#content.map(({ loss }) => loss(each, repeated)),
    );
    const { steps } = optimizer;
    const alpha = reshape(clamp(sub(fullLike(steps, 1), div(steps, this.#supervisionSteps)), 0, 1), []);
    return [add(mul(predictions, alpha), mul(loss, sub(fullLike(alpha, 1), alpha))), ...terms, predictions];
  }

  /** Frees the optimizer's memory. The network stays. */
  dispose(): void {
    this.trained.generator.optimizer.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}
