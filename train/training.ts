/** What a trainer trains: networks with their optimizers, and what one update of them computes. */
import { DaybreakError } from '../engine/basics/errors.ts';
import type { Tensor } from '../engine/tensor.ts';
import { add, div, mul } from '../kernels/index.ts';
import type { Module } from '../models/module.ts';
import type { Adam } from './adam.ts';

/** Networks in training, by what they do. `generator` is the one that is wanted in the end. */
export type Role = 'generator' | 'discriminator';

/** A network that is trained, and its optimizer. */
export interface Trained {
  readonly net: Module;
  readonly adam: Adam;
}

/** A batch of crops: LR [N, 3, H/4, W/4] in [0, 1], HR [N, 3, H, W] in [-1, 1]. */
export interface Crops {
  readonly lr: Tensor;
  readonly hr: Tensor;
}

/** What the trainer gives an update that is being recorded. */
export interface Recording {
  /** Learning rate, one element. */
  readonly rate: Tensor;
  /**
   * Flag for the optimizers, one element: not 0 where this update does not count, because a loss, a gradient or a running
   * statistic is not finite, or because too many before it were not. Everything assigned so far keeps its content then;
   * what is assigned later has to heed the flag itself.
   */
  readonly failed: (found: Judged) => Tensor;
}

/** What must be finite for an update to count. */
export interface Judged {
  /** Of each trained network. */
  readonly losses: Readonly<Partial<Record<Role, Tensor>>>;
  /** Of each trained network, in the order of its parameters. */
  readonly gradients: Readonly<Partial<Record<Role, readonly Tensor[]>>>;
}

/** One update, told in tensors: traced once, then replayed by {@link Trainer} as one program in one submit. */
export interface Training extends Disposable {
  /** Gives the optimizers' memory back; the networks stay. */
  dispose(): void;
  readonly trained: { readonly generator: Trained } & Partial<Readonly<Record<Role, Trained>>>;
  /** What `record` returns, by name; the first is `loss`, what the generator is trained to make small. */
  readonly terms: readonly string[];
  /** Assigns weights and statistics; returns the terms, scalars, as means over the batches. */
  record(batches: readonly Crops[], recording: Recording): readonly Tensor[];
}

/** What one batch gives: scalars to report, the loss first, and the loss's gradients. */
export interface Found {
  readonly terms: readonly Tensor[];
  readonly gradients: readonly Tensor[];
}

/**
 * The mean over batches. In the order in which it is recorded each batch goes forward and back before the next one, so
 * that its activations make room: gradients of a large batch in the memory of a small one.
 */
export function meanOf([first, ...rest]: readonly Found[]): Found {
  if (!first) throw new DaybreakError('An update needs at least one batch.');
  const over = (pick: (found: Found) => readonly Tensor[]) =>
    pick(first).map((one, i) => {
      if (rest.length === 0) return one;
      const total = rest.reduce((sum, found) => add(sum, pick(found)[i]), one);
      return div(total, 1 + rest.length);
    });
  return { terms: over(({ terms }) => terms), gradients: over(({ gradients }) => gradients) };
}

/** The sum of loss terms, each times its weight. */
export function weighted(parts: readonly { readonly weight: number }[], terms: readonly Tensor[]): Tensor {
  const products = terms.map((term, i) => (parts[i].weight === 1 ? term : mul(term, parts[i].weight)));
  return products.reduce((total, product) => add(total, product));
}
