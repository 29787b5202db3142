/** Convolutions. */
import { ArgumentError, checkOptions } from '../../engine/basics/errors.ts';
import { type Tensor, tidy } from '../../engine/tensor.ts';
import type { Variable } from '../../engine/variable.ts';
import {
  type Conv2dOptions,
  type ConvTranspose2dOptions,
  conv2d,
  convTranspose2d,
  type PadOptions,
  pad,
} from '../../kernels/index.ts';
import { Module } from '../module.ts';
import { fanInUniform, type WeightsOptions } from './weights.ts';

type Pair = readonly [rows: number, columns: number];

/** Padding of an image: zeros, reflection without repeating the edge, the edge repeated, or the opposite edge. */
export type PaddingMode = 'zeros' | Exclude<NonNullable<PadOptions['mode']>, 'constant'>;

const MODES: readonly PaddingMode[] = ['zeros', 'reflect', 'replicate', 'circular'];

/** Options of {@link Conv2d}. */
export interface Conv2dLayerOptions extends WeightsOptions, Conv2dOptions {
  /** What padding consists of; other modes than zeros need numbers as `padding`. Default: `zeros`. */
  readonly paddingMode?: PaddingMode;
  /** Default: true. */
  readonly bias?: boolean;
  /** Number of neighbouring output channels that start with the same kernel and bias. Default: 1. */
  readonly alike?: number;
}

const WEIGHTS = ['random', 'trainable', 'alike', 'bias'];

/** Rows and columns of a kernel. */
const sidesOf = (kernel: number | Pair): Pair => (typeof kernel === 'number' ? [kernel, kernel] : kernel);

/** Channels of each of the groups. Throws ArgumentError unless they divide the channels. */
function channelsOfGroup(name: string, channels: readonly number[], groups: number): number {
  if (!Number.isInteger(groups) || groups < 1 || channels.some(count => count % groups !== 0))
    throw new ArgumentError(name, `expected groups to divide ${channels.join(' and ')} channels, got ${groups}.`);
  return channels[0] / groups;
}

/** [before, after] on rows and columns. Undefined for padding that only zeros have. */
function marginsOf(padding: NonNullable<Conv2dOptions['padding']>): readonly [Pair, Pair] | undefined {
  if (typeof padding === 'string') return undefined;
  const [rows, columns] = typeof padding === 'number' ? [padding, padding] : padding;
  const both = (side: number | Pair): Pair => (typeof side === 'number' ? [side, side] : side);
  return [both(rows), both(columns)];
}

/**
 * A convolution, [N, in, H, W] to [N, out, H', W']: weight [out, in / groups, rows, columns], bias [out] unless
 * `bias: false`. Options are those of `conv2d`. Starts uniform in ±1/√(in / groups · rows · columns).
 */
export class Conv2d extends Module {
  /** [out, in / groups, rows, columns]. */
  readonly weight: Variable;
  /** [C out]; undefined with `bias: false`. */
  readonly bias: Variable | undefined;
  readonly #options: Conv2dOptions;
  readonly #mode: PaddingMode;

  /** Throws ArgumentError. */
  constructor(inputs: number, outputs: number, kernel: number | Pair, options: Conv2dLayerOptions = {}) {
    super();
    checkOptions('Conv2d', options, ['stride', 'padding', 'dilation', 'groups', 'paddingMode', ...WEIGHTS]);
    const { paddingMode = 'zeros', bias = true, random, trainable, alike, ...geometry } = options;
    const weights = { random, trainable, alike };
    const each = channelsOfGroup('Conv2d', [inputs, outputs], geometry.groups ?? 1);
    const [rows, columns] = sidesOf(kernel);
    const fanIn = each * rows * columns;
    this.weight = fanInUniform([outputs, each, rows, columns], fanIn, { name: 'conv weight', ...weights });
    this.bias = bias ? fanInUniform([outputs], fanIn, { name: 'conv bias', ...weights }) : undefined;
    this.#options = geometry;
    this.#mode = paddingMode;
    if (!MODES.includes(paddingMode))
      throw new ArgumentError('Conv2d', `unknown paddingMode "${String(paddingMode)}".`);
    if (paddingMode !== 'zeros' && !marginsOf(geometry.padding ?? 0))
      throw new ArgumentError('Conv2d', `expected padding as numbers for paddingMode ${paddingMode}.`);
  }

  forward(x: Tensor): Tensor {
    const { padding = 0 } = this.#options;
    if (this.#mode === 'zeros' || padding === 0) return conv2d(x, this.weight, this.bias, this.#options);
    const mode = this.#mode;
    return tidy(() => this.valid(pad(x, [[0, 0], [0, 0], ...marginsOf(padding)!], { mode })));
  }

  /** Without padding. */
  valid(x: Tensor): Tensor {
    return conv2d(x, this.weight, this.bias, { ...this.#options, padding: 0 });
  }
}

/** Options of {@link ConvTranspose2d}. */
export interface ConvTranspose2dLayerOptions extends WeightsOptions, ConvTranspose2dOptions {
  /** Default: true. */
  readonly bias?: boolean;
}

/**
 * A transposed convolution, [N, in, H, W] to [N, out, H', W']: weight [in, out / groups, rows, columns], bias [out] unless
 * `bias: false`. Options are those of `convTranspose2d`. Starts uniform in ±1/√(out / groups · rows · columns), as PyTorch's.
 */
export class ConvTranspose2d extends Module {
  /** [in, out / groups, rows, columns]. */
  readonly weight: Variable;
  /** [C out]; undefined with `bias: false`. */
  readonly bias: Variable | undefined;
  readonly #options: ConvTranspose2dOptions;

  /** Throws ArgumentError. */
  constructor(inputs: number, outputs: number, kernel: number | Pair, options: ConvTranspose2dLayerOptions = {}) {
    super();
    checkOptions('ConvTranspose2d', options, [
      ...['stride', 'padding', 'outputPadding', 'dilation', 'groups'],
      ...['random', 'trainable', 'bias'],
    ]);
    const { bias = true, random, trainable = true, ...geometry } = options;
    const each = channelsOfGroup('ConvTranspose2d', [outputs, inputs], geometry.groups ?? 1);
    const [rows, columns] = sidesOf(kernel);
    const fanIn = each * rows * columns;
    const weights = { name: 'transposed conv', random, trainable };
    this.weight = fanInUniform([inputs, each, rows, columns], fanIn, weights);
    this.bias = bias ? fanInUniform([outputs], fanIn, weights) : undefined;
    this.#options = geometry;
  }

  forward(x: Tensor): Tensor {
    return convTranspose2d(x, this.weight, this.bias, this.#options);
  }
}
