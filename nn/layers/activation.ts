/** Activations as layers, for `Sequential`. Those without weights are the functions of the same names. */
import type { Tensor } from '../../engine/tensor.ts';
import type { Variable } from '../../engine/variable.ts';
import {
  elu,
  type GeluOptions,
  gelu,
  hardSigmoid,
  leakyRelu,
  logSoftmax,
  prelu,
  relu,
  sigmoid,
  silu,
  softmax,
  softplus,
  softsign,
  tanh,
} from '../../kernels/index.ts';
import { Module } from '../module.ts';
import { filled } from './weights.ts';

/** Parametric ReLU (He et al. 2015): a slope below 0 for each channel, or one for all. */
export class PReLU extends Module {
  /** The slopes, [C] or [1]. */
  readonly weight: Variable;

  /** @param slopes number of channels, or 1 (default) for one shared slope. @param initial first slopes; default 0.25. */
  constructor(slopes = 1, initial = 0.25) {
    super();
    this.weight = filled([slopes], initial, 'prelu weight');
  }

  forward(x: Tensor): Tensor {
    return prelu(x, this.weight);
  }
}

/** A layer without weights or options. */
interface Activation extends Module {
  forward(x: Tensor): Tensor;
}

const layerOf = (activate: (x: Tensor) => Tensor): (new () => Activation) =>
  class extends Module {
    forward(x: Tensor): Tensor {
      return activate(x);
    }
  };

/** max(x, 0). */
export class ReLU extends /* @__PURE__ */ layerOf(relu) {}
/** 1 / (1 + e⁻ˣ). */
export class Sigmoid extends /* @__PURE__ */ layerOf(sigmoid) {}
/** The hyperbolic tangent. */
export class Tanh extends /* @__PURE__ */ layerOf(tanh) {}
/** x · sigmoid(x); also called swish. */
export class SiLU extends /* @__PURE__ */ layerOf(silu) {}
/** ln(1 + eˣ), a smooth ReLU. */
export class Softplus extends /* @__PURE__ */ layerOf(softplus) {}
/** x / (1 + |x|). */
export class Softsign extends /* @__PURE__ */ layerOf(softsign) {}
/** The sigmoid in three straight pieces; see `hardSigmoid`. */
export class Hardsigmoid extends /* @__PURE__ */ layerOf(hardSigmoid) {}
/** Gives back its input. */
export class Identity extends /* @__PURE__ */ layerOf(x => x.alias()) {}

/** x where x > 0, else slope · x. */
export class LeakyReLU extends Module {
  readonly #slope: number;

  constructor(slope = 0.01) {
    super();
    this.#slope = slope;
  }

  forward(x: Tensor): Tensor {
    return leakyRelu(x, this.#slope);
  }
}

/** x where x > 0, else α · (eˣ − 1). */
export class ELU extends Module {
  readonly #alpha: number;

  constructor(alpha = 1) {
    super();
    this.#alpha = alpha;
  }

  forward(x: Tensor): Tensor {
    return elu(x, this.#alpha);
  }
}

/** x · Φ(x). */
export class GELU extends Module {
  readonly #options: GeluOptions;

  constructor(options: GeluOptions = {}) {
    super();
    this.#options = options;
  }

  forward(x: Tensor): Tensor {
    return gelu(x, this.#options);
  }
}

/** Exponentials that add up to 1 along an axis. */
export class Softmax extends Module {
  readonly #axis: number;

  constructor(axis = -1) {
    super();
    this.#axis = axis;
  }

  forward(x: Tensor): Tensor {
    return softmax(x, this.#axis);
  }
}

/** Logarithm of the softmax, without overflow. */
export class LogSoftmax extends Module {
  readonly #axis: number;

  constructor(axis = -1) {
    super();
    this.#axis = axis;
  }

  forward(x: Tensor): Tensor {
    return logSoftmax(x, this.#axis);
  }
}
