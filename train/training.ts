/** The interface between a training method and the trainer: networks, optimizers, and the update to record. */
import { DaybreakError } from '../engine/basics/errors.ts';
import type { Tensor } from '../engine/tensor.ts';
import { add, div, mul } from '../kernels/index.ts';
import type { Module } from '../nn/module.ts';
import type { Optimizer } from '../nn/optim/optimizer.ts';

/** Role of a network in training. The generator is the result. */
export type Role = 'generator' | 'discriminator';

/** A network in training and its optimizer. */
export interface Trained {
  /** The network. */
  readonly net: Module;
  /** The optimizer of its parameters. */
  readonly optimizer: Optimizer;
}

/** A batch of crops: LR [N, 3, H/4, W/4] in [0, 1], HR [N, 3, H, W] in [-1, 1]. */
export interface Crops {
  /** [batch, 3, crop/4, crop/4] in [0, 1]. */
  readonly lr: Tensor;
  /** [batch, 3, crop, crop] in [-1, 1]. */
  readonly hr: Tensor;
}

/** What the trainer passes to an update while it is being recorded. */
export interface Recording {
  /** Learning rate, one element. */
  readonly rate: Tensor;
  /**
   * Call once, with the losses and gradients. Returns a flag for the optimizers, one element: nonzero if this update must be
   * skipped, because a loss, a gradient or a running statistic is NaN or infinite, or because the training has ended.
   * Assignments recorded before the call are undone then. Those recorded after it must check the flag themselves.
   */
  readonly failed: (judged: Judged) => Tensor;
}

/** Tensors that must be finite, or the update is skipped. */
export interface Judged {
  /** Of each trained network. */
  readonly losses: Readonly<Partial<Record<Role, Tensor>>>;
  /** Of each trained network, in the order of its parameters. */
  readonly gradients: Readonly<Partial<Record<Role, readonly Tensor[]>>>;
}

/** A training method. `record` is traced once; {@link Trainer} then replays it as one program in one submit. */
export interface Training extends Disposable {
  /** Frees the optimizers' memory. The networks stay. */
  dispose(): void;
  /** The networks that are trained, with their optimizers. */
  readonly trained: { readonly generator: Trained } & Partial<Readonly<Record<Role, Trained>>>;
  /** Names of the terms that `record` returns. The first is `loss`, the generator's loss. */
  readonly terms: readonly string[];
  /** Records one update: assigns weights and statistics, and returns the terms, scalars, as means over the batches. */
  record(batches: readonly Crops[], recording: Recording): readonly Tensor[];
}

/** Result of one batch: scalars to report, the loss first, and the loss's gradients. */
export interface BatchResult {
  readonly terms: readonly Tensor[];
  readonly gradients: readonly Tensor[];
}

/**
 * The mean over batches. Each batch is recorded forward and backward before the next, so that its activations can be freed:
 * gradient accumulation gives the gradients of a large batch in the memory of a small one.
 */
export function meanOf([first, ...rest]: readonly BatchResult[]): BatchResult {
  if (!first) throw new DaybreakError('Training: expected at least one batch per update, got none.');
  const over = (pick: (result: BatchResult) => readonly Tensor[]) =>
    pick(first).map((one, i) => {
      if (rest.length === 0) return one;
      const total = rest.reduce((sum, result) => add(sum, pick(result)[i]), one);
      return div(total, 1 + rest.length);
    });
  return { terms: over(({ terms }) => terms), gradients: over(({ gradients }) => gradients) };
}

/** The sum of loss terms times their weights. */
export function weightedSum(content: readonly { readonly weight: number }[], terms: readonly Tensor[]): Tensor {
  const products = terms.map((term, i) => (content[i].weight === 1 ? term : mul(term, content[i].weight)));
  return products.reduce((total, product) => add(total, product));
}
