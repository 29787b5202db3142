/** Dropout as a layer. */
import type { Tensor } from '../../engine/tensor.ts';
import { dropout, type Generator } from '../../kernels/index.ts';
import { Module } from '../module.ts';

/** Options of {@link Dropout}. */
export interface DropoutLayerOptions {
  /** Where the random numbers come from. Default: the device's default generator. */
  readonly generator?: Generator;
}

/** Sets each element to zero with probability p in training, and scales the others by 1 / (1 − p); see `dropout`. */
export class Dropout extends Module {
  readonly #p: number;
  readonly #options: DropoutLayerOptions;

  /** @param p from 0 to 1; default 0.5. */
  constructor(p = 0.5, options: DropoutLayerOptions = {}) {
    super();
    this.#p = p;
    this.#options = options;
  }

  forward(x: Tensor): Tensor {
    return dropout(x, { p: this.#p, training: this.training, ...this.#options });
  }
}
