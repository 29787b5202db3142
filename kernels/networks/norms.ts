/** Normalization that does not depend on the batch: layer, group and instance norm. */
import { ArgumentError, checkOptions, ShapeError } from '../../engine/basics/errors.ts';
import { formatShape, type Shape, sizeOf } from '../../engine/basics/shape.ts';
import { requireFloats } from '../../engine/require.ts';
import { specifyFunction } from '../../engine/specify.ts';
import { type Tensor, tidy } from '../../engine/tensor.ts';
import { add, mul } from '../elementwise/arithmetic.ts';
import { reshape } from '../movement/reshape.ts';
import { standardize } from './batch-norm.ts';
import { rowNorm } from './row-norm.ts';

/** Options of {@link layerNorm}, {@link groupNorm} and {@link instanceNorm}. */
export interface NormalizeOptions {
  /** Factor of the normalized elements. */
  readonly weight?: Tensor;
  /** Added to them. */
  readonly bias?: Tensor;
  /** Added to the variance. Default: 1e-5. */
  readonly eps?: number;
}

/** Rows longer than this are divided over workgroups, unless there are many of them. */
const LONGEST_ROW = 65_536;
const MANY_ROWS = 64;

/**
 * Normalizes with the biased variance, then applies the weight and the bias, of the shape `expected`. x is seen as `view`, [N, R, K,
 * S]: rows of K · S elements, with K parameters each that repeat after R rows.
 */
function normalizeRows(
  name: string,
  x: Tensor,
  options: NormalizeOptions,
  [shape, view]: readonly [expected: Shape, view: readonly [number, number, number, number]],
): Tensor {
  checkOptions(name, options, ['weight', 'bias', 'eps']);
  const { weight, bias, eps = 1e-5 } = options;
  requireFloats(name, ...[x, weight, bias].filter(one => one !== undefined));
  for (const [label, parameter] of [
    ['weight', weight],
    ['bias', bias],
  ] as const)
    if (parameter && parameter.shape.join() !== shape.join())
      throw new ShapeError(
        name,
        `for x ${formatShape(x.shape)}: expected a ${label} of ${formatShape(shape)}, got ${formatShape(parameter.shape)}.`,
      );
  const [n, rows, channels, size] = view;
  return tidy(() => {
    const whole = reshape(x, view);
    const [w, b] = [weight, bias].map(parameter => parameter && reshape(parameter, [rows, channels]));
    if (channels * size <= LONGEST_ROW || n * rows >= MANY_ROWS) return reshape(rowNorm(whole, w, b, eps), x.shape);
    let y = reshape(standardize(reshape(x, [1, n * rows, channels * size]), eps), view);
    const broadcast = [rows, channels, 1];
    if (w) y = mul(y, reshape(w, broadcast));
    if (b) y = add(y, reshape(b, broadcast));
    return reshape(y, x.shape);
  });
}

/**
 * Layer normalization (Ba et al. 2016): x with mean 0 and variance 1 over its last axes, of sizes `shape`, then · weight +
 * bias, both of that shape. PyTorch's `layer_norm`. Throws ShapeError.
 */
export function layerNorm(x: Tensor, shape: readonly number[], options: NormalizeOptions = {}): Tensor {
  const last = x.shape.slice(x.shape.length - shape.length);
  if (shape.length === 0 || shape.length > x.shape.length || last.join() !== shape.join())
    throw new ShapeError('layerNorm', `expected x to end in ${formatShape(shape)}, got ${formatShape(x.shape)}.`);
  const size = sizeOf(shape);
  return normalizeRows('layerNorm', x, options, [shape, [x.size / size, 1, size, 1]]);
}

/** Sizes [N, C, …] with at least one element for each channel. */
function channelsOf(name: string, { shape }: Tensor): number {
  if (shape.length < 2) throw new ShapeError(name, `expected [N, C, …], got ${formatShape(shape)}.`);
  return shape[1];
}

/**
 * Group normalization (Wu and He 2018): x [N, C, …] with mean 0 and variance 1 over each image's C / groups channels, then ·
 * weight + bias, both [C]. PyTorch's `group_norm`. Throws ArgumentError unless the groups divide the channels.
 */
export function groupNorm(x: Tensor, groups: number, options: NormalizeOptions = {}): Tensor {
  const channels = channelsOf('groupNorm', x);
  if (!Number.isInteger(groups) || groups < 1 || channels % groups !== 0)
    throw new ArgumentError('groupNorm', `expected groups to divide ${channels} channels, got ${groups}.`);
  const view = [x.shape[0], groups, channels / groups, sizeOf(x.shape.slice(2))] as const;
  return normalizeRows('groupNorm', x, options, [[channels], view]);
}

/**
 * Instance normalization (Ulyanov et al. 2016): x [N, C, …] with mean 0 and variance 1 over each channel of each image, then
 * · weight + bias, both [C]. PyTorch's `instance_norm` without running statistics.
 */
export function instanceNorm(x: Tensor, options: NormalizeOptions = {}): Tensor {
  const channels = channelsOf('instanceNorm', x);
  if (x.shape.length < 3)
    throw new ShapeError('instanceNorm', `expected [N, C, …] with at least three axes, got ${formatShape(x.shape)}.`);
  const view = [x.shape[0], channels, 1, sizeOf(x.shape.slice(2))] as const;
  return normalizeRows('instanceNorm', x, options, [[channels], view]);
}

/** Rows of equal length with mean 0 and variance 1. */
function standardized(x: Float64Array, rows: number): Float64Array {
  const length = x.length / rows;
  const y = new Float64Array(x.length);
  for (let row = 0; row < rows; row++) {
    const values = x.subarray(row * length, (row + 1) * length);
    const mean = values.reduce((a, b) => a + b) / length;
    const variance = values.reduce((total, value) => total + (value - mean) ** 2, 0) / length;
    values.forEach((value, i) => {
      y[row * length + i] = (value - mean) / Math.sqrt(variance + 1e-5);
    });
  }
  return y;
}

type LayerNormAttributes = { readonly shape: readonly number[] };
type GroupNormAttributes = { readonly groups: number };
type InstanceNormAttributes = Readonly<Record<never, never>>;

/** Few elements with little variance lose precision in the division. */
const TOLERANCE = 1e-5;

/* @__PURE__ */ specifyFunction<LayerNormAttributes>(() => ({
  name: 'layerNorm',
  summary: 'Layer normalization over the last axes, with an optional weight and bias.',
  call: ([x, weight, bias], { shape }) => [layerNorm(x, shape, { weight, bias })],
  reference([x, weight, bias], [whole], { shape }) {
    const size = sizeOf(shape);
    return [standardized(x, sizeOf(whole) / size).map((value, i) => value * weight[i % size] + bias[i % size])];
  },
  samples: [
    { inputs: [{ shape: [3, 5, 4] }, { shape: [5, 4] }, { shape: [5, 4] }], attributes: { shape: [5, 4] } },
    // A mean that is large compared to the deviations.
    { inputs: [{ shape: [2, 90], range: [10, 11] }, { shape: [90] }, { shape: [90] }], attributes: { shape: [90] } },
  ],
  random(choose) {
    const shape = [choose.pick([3, 8, 17])];
    return {
      inputs: [{ shape: [choose.integer(1, 4), choose.pick([1, 2, 5]), ...shape] }, { shape }, { shape }],
      attributes: { shape },
    };
  },
  tolerance: TOLERANCE,
}));

/** With weight and bias for each channel. */
const scaled = (x: Float64Array, shape: Shape, rows: number, weight: Float64Array, bias: Float64Array) => {
  const inner = sizeOf(shape.slice(2));
  return standardized(x, rows).map((value, i) => {
    const c = Math.floor(i / inner) % shape[1];
    return value * weight[c] + bias[c];
  });
};

const withParameters = (shape: Shape) => [{ shape }, { shape: [shape[1]] }, { shape: [shape[1]] }];

/* @__PURE__ */ specifyFunction<GroupNormAttributes>(() => ({
  name: 'groupNorm',
  summary: 'Group normalization, with an optional weight and bias for each channel.',
  call: ([x, weight, bias], { groups }) => [groupNorm(x, groups, { weight, bias })],
  reference: ([x, weight, bias], [shape], { groups }) => [scaled(x, shape, shape[0] * groups, weight, bias)],
  samples: [
    { inputs: withParameters([2, 6, 3, 4]), attributes: { groups: 3 } },
    // Two axes: groups of four numbers. Of two, the result is ±1 whatever they are.
    { inputs: withParameters([3, 8]), attributes: { groups: 2 } },
  ],
  random(choose) {
    const groups = choose.integer(1, 3);
    const shape = [choose.integer(1, 2), groups * choose.integer(1, 3), choose.pick([3, 5]), choose.pick([2, 7])];
    return { inputs: withParameters(shape), attributes: { groups } };
  },
  tolerance: TOLERANCE,
}));

/* @__PURE__ */ specifyFunction<InstanceNormAttributes>(() => ({
  name: 'instanceNorm',
  summary: 'Instance normalization, with an optional weight and bias for each channel.',
  call: ([x, weight, bias]) => [instanceNorm(x, { weight, bias })],
  reference: ([x, weight, bias], [shape]) => [scaled(x, shape, shape[0] * shape[1], weight, bias)],
  samples: [{ inputs: withParameters([2, 3, 3, 4]), attributes: {} }],
  random: choose => ({
    inputs: withParameters([choose.integer(1, 3), choose.integer(1, 4), choose.pick([3, 5]), choose.pick([2, 7])]),
    attributes: {},
  }),
  tolerance: TOLERANCE,
}));
