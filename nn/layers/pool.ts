/** Pooling, resizing and changes of shape as layers: the functions of the same names, with their options. */
import type { Tensor } from '../../engine/tensor.ts';
import {
  type AvgPool2dOptions,
  adaptiveAvgPool2d,
  adaptiveMaxPool2d,
  avgPool2d,
  flatten,
  type InterpolateOptions,
  interpolate,
  type MaxPool2dOptions,
  maxPool2d,
  pixelShuffle,
} from '../../kernels/index.ts';
import { Module } from '../module.ts';

type Pair = readonly [rows: number, columns: number];

/** Maximum of each window; see `maxPool2d`. */
export class MaxPool2d extends Module {
  readonly #kernel: number | Pair;
  readonly #options: MaxPool2dOptions;

  constructor(kernel: number | Pair, options: MaxPool2dOptions = {}) {
    super();
    this.#kernel = kernel;
    this.#options = options;
  }

  forward(x: Tensor): Tensor {
    return maxPool2d(x, this.#kernel, this.#options);
  }
}

/** Mean of each window; see `avgPool2d`. */
export class AvgPool2d extends Module {
  readonly #kernel: number | Pair;
  readonly #options: AvgPool2dOptions;

  constructor(kernel: number | Pair, options: AvgPool2dOptions = {}) {
    super();
    this.#kernel = kernel;
    this.#options = options;
  }

  forward(x: Tensor): Tensor {
    return avgPool2d(x, this.#kernel, this.#options);
  }
}

/** Means over as many windows as the result has pixels; see `adaptiveAvgPool2d`. */
export class AdaptiveAvgPool2d extends Module {
  readonly #size: number | Pair;

  constructor(size: number | Pair) {
    super();
    this.#size = size;
  }

  forward(x: Tensor): Tensor {
    return adaptiveAvgPool2d(x, this.#size);
  }
}

/** Maxima over as many windows as the result has pixels; see `adaptiveMaxPool2d`. */
export class AdaptiveMaxPool2d extends Module {
  readonly #size: number | Pair;

  constructor(size: number | Pair) {
    super();
    this.#size = size;
  }

  forward(x: Tensor): Tensor {
    return adaptiveMaxPool2d(x, this.#size);
  }
}

/** Resizes images; see `interpolate`. */
export class Upsample extends Module {
  readonly #options: InterpolateOptions;

  constructor(options: InterpolateOptions) {
    super();
    this.#options = options;
  }

  forward(x: Tensor): Tensor {
    return interpolate(x, this.#options);
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
