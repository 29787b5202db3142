/** Pooling and changes of shape as layers. */
import type { Tensor } from '../../engine/tensor.ts';
import { avgPool2d, flatten, maxPool2d, pixelShuffle } from '../../kernels/index.ts';
import { Module } from '../module.ts';

/** Maximum of each window; see `maxPool2d`. */
export class MaxPool2d extends Module {
  readonly #kernel: number;
  readonly #stride: number;

  /** @param stride default: the kernel. */
  constructor(kernel: number, stride = kernel) {
    super();
    this.#kernel = kernel;
    this.#stride = stride;
  }

  forward(x: Tensor): Tensor {
    return maxPool2d(x, this.#kernel, this.#stride);
  }
}

/** Mean of each window; see `avgPool2d`. */
export class AvgPool2d extends Module {
  readonly #kernel: number;
  readonly #stride: number;

  /** @param stride default: the kernel. */
  constructor(kernel: number, stride = kernel) {
    super();
    this.#kernel = kernel;
    this.#stride = stride;
  }

  forward(x: Tensor): Tensor {
    return avgPool2d(x, this.#kernel, this.#stride);
  }
}

/** [N, C·r², H, W] to [N, C, H·r, W·r]; see `pixelShuffle`. */
export class PixelShuffle extends Module {
  readonly #factor: number;

  constructor(factor: number) {
    super();
    this.#factor = factor;
  }

  forward(x: Tensor): Tensor {
    return pixelShuffle(x, this.#factor);
  }
}

/** Merges the axes after the first: [N, …] to [N, size]. */
export class Flatten extends Module {
  forward(x: Tensor): Tensor {
    return flatten(x, 1);
  }
}
