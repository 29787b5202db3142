/** The two-dimensional convolution problem. */
import type { Epilogue } from '../../../engine/text/epilogue.ts';
import type { Variant } from '../../../engine/text/variants.ts';
import type { Pair } from '../../pairs.ts';

/** How the kernel moves over the image; pairs are [rows, columns]. */
export interface Geometry {
  readonly stride: Pair;
  /** Zeros before the first row and column. */
  readonly padding: Pair;
  /** Zeros after the last row and column, if other than `padding`; negative: rows and columns that are left out. */
  readonly end?: Pair;
  /** Distance between the elements of the image that a kernel reads; default 1. */
  readonly dilation?: Pair;
  /** Channels are in as many groups, default 1: an output channel reads the input channels of its own group only. */
  readonly groups?: number;
}

/**
 * Cross-correlation as in PyTorch: x is [n, c, h, w], the weight [k, c / groups, r, s], the bias [k], y [n, k, oh, ow]. With
 * one group and no dilation:
 *
 *     y[n, k, i, j] = bias[k] + sum over c, r, s of x[n, c, i * stride[0] + r - padding[0], ...] * weight[k, c, r, s]
 */
export interface Conv2dProblem extends Geometry {
  readonly n: number;
  readonly c: number;
  readonly h: number;
  readonly w: number;
  /** Output channels, and the kernel's height and width. */
  readonly k: number;
  readonly r: number;
  readonly s: number;
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
export function outputSize(problem: Pick<Conv2dProblem, 'h' | 'w' | 'r' | 's' | keyof Geometry>): [number, number] {
  const { h, w, r, s, stride, padding, end = padding, dilation = [1, 1] } = problem;
  const along = (size: number, kernel: number, axis: 0 | 1) =>
    Math.floor((size + padding[axis] + end[axis] - dilation[axis] * (kernel - 1) - 1) / stride[axis]) + 1;
  return [along(h, r, 0), along(w, s, 1)];
}

/** Groups of fewer channels leave the lanes of a subgroup, or a tile, mostly empty. */
const FEWEST_CHANNELS = 4;

/** What the fast variants compute: one group, or groups of several channels, and not both a stride and dilation. */
export const suitsTiles = (problem: Conv2dProblem): boolean => {
  const { stride, dilation, groups = 1 } = problem;
  const hasChannels = groups === 1 || Math.min(...channelsOfGroup(problem)) >= FEWEST_CHANNELS;
  return hasChannels && (!dilation || Math.max(...stride) === 1);
};

/** Channels of x and of the result in each of the groups. */
export const channelsOfGroup = ({ c, k, groups = 1 }: Pick<Conv2dProblem, 'c' | 'k' | 'groups'>): [number, number] => [
  c / groups,
  k / groups,
];

/** Whether padding is smaller than the kernel, dilated. */
export const isWithinKernel = ({
  r,
  s,
  padding,
  dilation = [1, 1],
}: Pick<Conv2dProblem, 'r' | 's' | 'padding' | 'dilation'>): boolean =>
  padding[0] <= dilation[0] * (r - 1) && padding[1] <= dilation[1] * (s - 1);

/** A label, e.g. `3x3 64>64`, with stride, dilation and groups that are not 1. */
export function describe({ c, k, r, s, stride, dilation = [1, 1], groups = 1 }: Conv2dProblem): string {
  const step = Math.max(...stride) === 1 ? '' : ` /${stride.join('x')}`;
  const spread = Math.max(...dilation) === 1 ? '' : ` dilation ${dilation.join('x')}`;
  return `${r}x${s} ${c}>${k}${step}${spread}${groups === 1 ? '' : ` groups ${groups}`}`;
}

/** The key for choosing a variant: {@link describe}, padding, and the image sizes if they are in the text. */
export function keyOf(problem: Conv2dProblem): string {
  const { n, h, w, padding, end, baked } = problem;
  const around = end ? `${padding.join('x')} to ${end.join('x')}` : padding.join('x');
  return `${describe(problem)} padding ${around}${baked ? ` ${n}x${h}x${w}` : ''}`;
}
