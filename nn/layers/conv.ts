/** Convolutions. */
import { type Tensor, tidy } from '../../engine/tensor.ts';
import type { Variable } from '../../engine/variable.ts';
import { conv2d, pad } from '../../kernels/index.ts';
import { Module } from '../module.ts';
import { fanInUniform, type WeightsOptions } from './weights.ts';

/** Padding of an image: zeros, reflection without repeating the edge, or the edge repeated. */
export type PaddingMode = 'zeros' | 'reflect' | 'replicate';

export interface Conv2dLayerOptions extends WeightsOptions {
  /** Default: 1. */
  readonly stride?: number;
  /** Pixels on each side. Default: 0. */
  readonly padding?: number;
  /** Default: `zeros`. */
  readonly paddingMode?: PaddingMode;
  /** Default: true. */
  readonly bias?: boolean;
  /** Number of neighbouring output channels that start with the same kernel and bias. Default: 1. */
  readonly alike?: number;
}

/**
 * A convolution, [N, in, H, W] to [N, out, H', W']: weight [out, in, kernel, kernel], bias [out] unless `bias: false`. Starts
 * uniform in ±1/√(in · kernel²).
 */
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
    { stride = 1, padding = 0, paddingMode = 'zeros', bias = true, ...weights }: Conv2dLayerOptions = {},
  ) {
    super();
    const fanIn = inputs * kernel ** 2;
    this.weight = fanInUniform([outputs, inputs, kernel, kernel], fanIn, { name: 'conv weight', ...weights });
    this.bias = bias ? fanInUniform([outputs], fanIn, { name: 'conv bias', ...weights }) : undefined;
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
