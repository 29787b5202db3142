/** The two-dimensional convolution problem. */
import type { Epilogue } from '../../../engine/text/epilogue.ts';
import type { Variant } from '../../../engine/text/variants.ts';

/**
 * Cross-correlation as in PyTorch: x is [n, c, h, w], the weight [k, c, r, s], the bias [k], y [n, k, oh, ow]:
 *
 *     y[n, k, i, j] = bias[k] + sum over c, r, s of x[n, c, i * stride[0] + r - padding[0], ...] * weight[k, c, r, s]
 */
export interface Conv2dProblem {
  readonly n: number;
  readonly c: number;
  readonly h: number;
  readonly w: number;
  /** Output channels, and the kernel's height and width. */
  readonly k: number;
  readonly r: number;
  readonly s: number;
  /** Rows, columns. */
  readonly stride: readonly [number, number];
  readonly padding: readonly [number, number];
  /** Forward only; the gradients ignore it. */
  readonly bias: boolean;
  /** Whether n, h and w are constants in the text; else one text serves every batch and image size. */
  readonly baked: boolean;
  /** Forward only: applied to each element, after the bias. Its inputs follow x, weight and bias. */
  readonly epilogue?: Epilogue;
}

/** Number of inputs of the forward pass: x, weight and bias, then the epilogue's. */
export function forwardInputs({ bias, epilogue }: Pick<Conv2dProblem, 'bias' | 'epilogue'>): number {
  return (bias ? 3 : 2) + (epilogue?.extras.length ?? 0);
}

/**
 * One variant of a pass. The forward pass reads x, weight and an optional bias; the input gradient gy and weight; the
 * weight gradient x and gy.
 */
export type Conv2dVariant = Variant<Conv2dProblem>;

/** Height and width of the output. */
export function outputSize(problem: Conv2dProblem): [number, number] {
  const { h, w, r, s, stride, padding } = problem;
  return [Math.floor((h + 2 * padding[0] - r) / stride[0]) + 1, Math.floor((w + 2 * padding[1] - s) / stride[1]) + 1];
}

/** A label, e.g. `3x3 64>64`, with the stride if it is not 1. */
export function describe(problem: Conv2dProblem): string {
  const { c, k, r, s, stride } = problem;
  const step = stride[0] === 1 && stride[1] === 1 ? '' : ` /${stride.join('x')}`;
  return `${r}x${s} ${c}>${k}${step}`;
}

/** The key for choosing a variant: {@link describe}, padding, and the image sizes if they are in the text. */
export function keyOf(problem: Conv2dProblem): string {
  const { n, h, w, padding, baked } = problem;
  return `${describe(problem)} padding ${padding.join('x')}${baked ? ` ${n}x${h}x${w}` : ''}`;
}
