/** Layers with PyTorch's names, defaults and initialisation. */
import type { Philox } from '../engine/philox.ts';
import { type Shape, sizeOf } from '../engine/shape.ts';
import { type Tensor, type Variable, variable } from '../engine/tensor.ts';
import { batchNormTracking } from '../kernels/batch-norm.ts';
import { batchNorm, conv2d, pixelShuffle, prelu } from '../kernels/index.ts';
import { Module } from './module.ts';

/** Uniform in ±1/√fan-in: PyTorch's default for convolutions and their biases (Kaiming uniform with a = √5). */
function uniform(random: Philox, shape: Shape, fanIn: number, name: string): Variable {
  const bound = 1 / Math.sqrt(fanIn);
  const data = Float32Array.from({ length: sizeOf(shape) }, () => (2 * random.uniform() - 1) * bound);
  return variable(data, shape, { name });
}

const constant = (channels: number, value: number, name: string, trainable = true): Variable =>
  variable(new Float32Array(channels).fill(value), [channels], { name, trainable });

export interface Conv2dLayerOptions {
  readonly stride?: number;
  /** Default: half the kernel, so that stride 1 keeps the size. */
  readonly padding?: number;
  readonly bias?: boolean;
  /** Source of the first weights. */
  readonly random: Philox;
}

/** A convolution: weight [out, in, kernel, kernel], bias [out] unless `bias: false`. */
export class Conv2d extends Module {
  readonly weight: Variable;
  readonly bias: Variable | undefined;
  readonly #stride: number;
  readonly #padding: number;

  constructor(
    inputs: number,
    outputs: number,
    kernel: number,
    { stride = 1, padding = kernel >> 1, bias = true, random }: Conv2dLayerOptions,
  ) {
    super();
    const fanIn = inputs * kernel ** 2;
    this.weight = uniform(random, [outputs, inputs, kernel, kernel], fanIn, 'conv weight');
    this.bias = bias ? uniform(random, [outputs], fanIn, 'conv bias') : undefined;
    this.#stride = stride;
    this.#padding = padding;
  }

  forward(x: Tensor): Tensor {
    return conv2d(x, this.weight, this.bias, { stride: this.#stride, padding: this.#padding });
  }
}

/** Batch normalisation with running statistics: PyTorch's BatchNorm2d (eps 1e-5, momentum 0.1). */
export class BatchNorm2d extends Module {
  readonly weight: Variable;
  readonly bias: Variable;
  readonly runningMean: Variable;
  readonly runningVar: Variable;
  readonly #eps: number;
  readonly #momentum: number;

  constructor(channels: number, { eps = 1e-5, momentum = 0.1 } = {}) {
    super();
    this.weight = constant(channels, 1, 'bn weight');
    this.bias = constant(channels, 0, 'bn bias');
    this.runningMean = constant(channels, 0, 'bn running_mean', false);
    this.runningVar = constant(channels, 1, 'bn running_var', false);
    this.#eps = eps;
    this.#momentum = momentum;
  }

  forward(x: Tensor): Tensor {
    const { weight, bias, runningMean, runningVar } = this;
    if (!this.training) return batchNorm(x, weight, bias, runningMean, runningVar, this.#eps);
    const running = { mean: runningMean, variance: runningVar };
    const tracked = batchNormTracking(x, weight, bias, running, { eps: this.#eps, momentum: this.#momentum });
    runningMean.assign(tracked.runningMean);
    runningVar.assign(tracked.runningVariance);
    return tracked.output;
  }
}

/** Parametric ReLU with one slope a channel, first 0.25. */
export class PReLU extends Module {
  readonly weight: Variable;

  constructor(channels: number) {
    super();
    this.weight = constant(channels, 0.25, 'prelu weight');
  }

  forward(x: Tensor): Tensor {
    return prelu(x, this.weight);
  }
}

/** Doubles the size: convolution to four times the channels, pixel shuffle, PReLU (Shi et al. 2016). */
export class SubPixel extends Module {
  readonly conv: Conv2d;
  readonly prelu: PReLU;

  constructor(channels: number, random: Philox) {
    super();
    this.conv = new Conv2d(channels, 4 * channels, 3, { random });
    this.prelu = new PReLU(channels);
  }

  forward(x: Tensor): Tensor {
    return this.prelu.forward(pixelShuffle(this.conv.forward(x), 2));
  }
}
