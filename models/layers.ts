/** Layers with PyTorch's names, defaults and initialization. */
import type { Philox } from '../engine/basics/philox.ts';
import { type Shape, sizeOf } from '../engine/basics/shape.ts';
import { type Tensor, tidy } from '../engine/tensor.ts';
import { type Variable, variable } from '../engine/variable.ts';
import { batchNorm, conv2d, linear, pad, pixelShuffle, prelu } from '../kernels/index.ts';
import { batchNormTracking } from '../kernels/networks/batch-norm.ts';
import { Module } from './module.ts';

interface FirstContent {
  readonly name: string;
  readonly random: Philox | undefined;
  readonly trainable?: boolean;
  /** Number of neighbours on the first axis that get the same values. */
  readonly alike?: number;
}

/**
 * Uniform in ±1/√fan-in: PyTorch's default for weights and biases of convolutions and linear layers (Kaiming uniform with
 * a = √5). Zeros without `random`, for weights that are loaded right away.
 */
function uniform(shape: Shape, fanIn: number, { name, random, trainable = true, alike = 1 }: FirstContent): Variable {
  const bound = 1 / Math.sqrt(fanIn);
  const data = new Float32Array(sizeOf(shape));
  const each = data.length / shape[0];
  if (random)
    for (let start = 0; start < data.length; start += alike * each) {
      for (let i = start; i < start + each; i++) data[i] = (2 * random.uniform() - 1) * bound;
      for (let n = 1; n < alike; n++) data.copyWithin(start + n * each, start, start + each);
    }
  return variable(data, shape, { name, trainable });
}

/** Normal with this standard deviation. Zeros without `random`. */
function normal(shape: Shape, deviation: number, { name, random, trainable = true }: FirstContent): Variable {
  const data = new Float32Array(sizeOf(shape));
  if (random) for (let i = 0; i < data.length; i++) data[i] = deviation * random.normal();
  return variable(data, shape, { name, trainable });
}

const constant = (channels: number, value: number, name: string, trainable = true): Variable =>
  variable(new Float32Array(channels).fill(value), [channels], { name, trainable });

/** Padding of an image: zeros, reflection without repeating the edge, or the edge repeated. */
export type PaddingMode = 'zeros' | 'reflect' | 'replicate';

export interface Conv2dLayerOptions {
  readonly stride?: number;
  /** Default: half the kernel, so that stride 1 keeps the size. */
  readonly padding?: number;
  /** Default `zeros`. */
  readonly paddingMode?: PaddingMode;
  readonly bias?: boolean;
  /** False: frozen; no gradient flows to the weights. */
  readonly trainable?: boolean;
  /** Source of the initial weights; without it they are zeros, to be loaded. */
  readonly random?: Philox | undefined;
  /** Number of neighbouring output channels that start with the same kernel and bias; default 1. */
  readonly alike?: number;
  /** Initial weights are normal with this standard deviation, and biases 0, instead of PyTorch's default. */
  readonly deviation?: number | undefined;
}

/** The deviation that keeps the variance of activations through ReLU: √(2 / fan-in) (He et al. 2015, equation 10). */
export const heDeviation = (inputs: number, kernel: number): number => Math.sqrt(2 / (inputs * kernel ** 2));

/** A convolution: weight [out, in, kernel, kernel], bias [out] unless `bias: false`. */
export class Conv2d extends Module {
  readonly weight: Variable;
  readonly bias: Variable | undefined;
  readonly #stride: number;
  readonly #padding: number;
  readonly #paddingMode: PaddingMode;

  constructor(
    inputs: number,
    outputs: number,
    kernel: number,
    {
      stride = 1,
      padding = kernel >> 1,
      paddingMode = 'zeros',
      bias = true,
      trainable = true,
      random,
      alike = 1,
      deviation,
    }: Conv2dLayerOptions = {},
  ) {
    super();
    const fanIn = inputs * kernel ** 2;
    const first = { random, trainable, alike };
    const [shape, named] = [[outputs, inputs, kernel, kernel], { name: 'conv weight', ...first }];
    this.weight = deviation === undefined ? uniform(shape, fanIn, named) : normal(shape, deviation, named);
    if (!bias) this.bias = undefined;
    else if (deviation === undefined) this.bias = uniform([outputs], fanIn, { name: 'conv bias', ...first });
    else this.bias = constant(outputs, 0, 'conv bias', trainable);
    this.#stride = stride;
    this.#padding = padding;
    this.#paddingMode = paddingMode;
  }

  forward(x: Tensor): Tensor {
    const [stride, padding] = [this.#stride, this.#padding];
    const mode = this.#paddingMode;
    if (mode === 'zeros' || padding === 0) return conv2d(x, this.weight, this.bias, { stride, padding });
    const around = [padding, padding] as const;
    return tidy(() => this.valid(pad(x, [[0, 0], [0, 0], around, around], { mode })));
  }

  /** Without padding: smaller by the kernel's size less 1, for stride 1. */
  valid(x: Tensor): Tensor {
    return conv2d(x, this.weight, this.bias, { stride: this.#stride });
  }
}

export interface LinearOptions {
  readonly bias?: boolean;
  /** Source of the initial weights; without it they are zeros, to be loaded. */
  readonly random?: Philox | undefined;
}

/** A dense layer, [N, in] to [N, out]: weight [out, in], bias [out] unless `bias: false`. */
export class Linear extends Module {
  readonly weight: Variable;
  readonly bias: Variable | undefined;

  constructor(inputs: number, outputs: number, { bias = true, random }: LinearOptions = {}) {
    super();
    this.weight = uniform([outputs, inputs], inputs, { name: 'linear weight', random });
    this.bias = bias ? uniform([outputs], inputs, { name: 'linear bias', random }) : undefined;
  }

  forward(x: Tensor): Tensor {
    return linear(x, this.weight, this.bias);
  }
}

/** Batch normalization with running statistics: PyTorch's BatchNorm2d (eps 1e-5, momentum 0.1). */
export class BatchNorm2d extends Module {
  readonly weight: Variable;
  readonly bias: Variable;
  readonly runningMean: Variable;
  readonly runningVar: Variable;
  readonly #eps: number;
  /** Weight of a batch's statistics in the running ones. */
  readonly momentum: number;

  constructor(channels: number, { eps = 1e-5, momentum = 0.1 } = {}) {
    super();
    this.weight = constant(channels, 1, 'bn weight');
    this.bias = constant(channels, 0, 'bn bias');
    this.runningMean = constant(channels, 0, 'bn running_mean', false);
    this.runningVar = constant(channels, 1, 'bn running_var', false);
    this.#eps = eps;
    this.momentum = momentum;
  }

  forward(x: Tensor): Tensor {
    const { weight, bias, runningMean, runningVar } = this;
    if (!this.training) return batchNorm(x, weight, bias, runningMean, runningVar, this.#eps);
    const running = { mean: runningMean, variance: runningVar };
    return tidy(() => {
      const tracked = batchNormTracking(x, weight, bias, running, { eps: this.#eps, momentum: this.momentum });
      runningMean.assign(tracked.runningMean);
      runningVar.assign(tracked.runningVariance);
      return tracked.output;
    });
  }
}

/** Parametric ReLU, initially 0.25: `slopes` is the number of channels, or 1 for one shared slope. */
export class PReLU extends Module {
  readonly weight: Variable;

  constructor(slopes: number) {
    super();
    this.weight = constant(slopes, 0.25, 'prelu weight');
  }

  forward(x: Tensor): Tensor {
    return prelu(x, this.weight);
  }
}

export interface SubPixelOptions {
  /** Slopes of the PReLU: one per channel (default) or 1. */
  readonly slopes?: number;
  /**
   * The four channels that the shuffle merges into one start with equal weights (ICNR, Aitken et al. 2017), so the initial
   * output is that of a convolution enlarged by nearest neighbour, without a checkerboard.
   */
  readonly icnr?: boolean;
  readonly random?: Philox | undefined;
}

/** Doubles the size: convolution to four times the channels, pixel shuffle, PReLU (Shi et al. 2016). */
export class SubPixel extends Module {
  readonly conv: Conv2d;
  readonly prelu: PReLU;

  constructor(channels: number, { slopes = channels, icnr = false, random }: SubPixelOptions = {}) {
    super();
    this.conv = new Conv2d(channels, 4 * channels, 3, { random, alike: icnr ? 4 : 1 });
    this.prelu = new PReLU(slopes);
  }

  forward(x: Tensor): Tensor {
    return tidy(() => this.prelu.forward(pixelShuffle(this.conv.forward(x), 2)));
  }
}
