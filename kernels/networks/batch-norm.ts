/**
 * Batch normalization (Ioffe and Szegedy 2015), composed of other operations: `compile` fuses them into the same few passes
 * over memory that a dedicated kernel would make. Only the gradient in training is written by hand: automatic
 * differentiation would read the input twice more.
 */

import { ShapeError } from '../../engine/basics/errors.ts';
import { formatShape, type Shape, sizeOf } from '../../engine/basics/shape.ts';
import { requireFloats } from '../../engine/require.ts';
import { specifyFunction } from '../../engine/specify.ts';
import { type Tensor, tidy } from '../../engine/tensor.ts';
import { add, div, mul, square, sub } from '../elementwise/arithmetic.ts';
import { applyOne, defineElementwise } from '../elementwise/define-elementwise.ts';
import { fullLike } from '../elementwise/full-like.ts';
import { sqrt } from '../elementwise/functions.ts';
import { specifyElementwise } from '../elementwise/specify-elementwise.ts';
import { reshape } from '../movement/reshape.ts';
import { mean, sum } from '../reductions/sum.ts';
import { batchStatistics } from './batch-statistics.ts';

/** Result of {@link batchNormTraining}: the output, and the statistics of the batch. */
export interface Normalized {
  /** Shape of the input. */
  readonly output: Tensor;
  /** Mean of the batch for each channel, [C]. */
  readonly mean: Tensor;
  /** Biased variance of the batch for each channel, [C]. */
  readonly variance: Tensor;
}

/** All axes except the channels'. */
const others = (shape: Shape): number[] => shape.flatMap((_, axis) => (axis === 1 ? [] : [axis]));

function channelsLast(name: string, x: Tensor, parameter: Tensor): Tensor {
  const channels = x.shape[1] ?? 0;
  if (parameter.size !== channels)
    throw new ShapeError(
      name,
      `for x ${formatShape(x.shape)}: expected a parameter of [${channels}], got ${formatShape(parameter.shape)}.`,
    );
  return reshape(
    parameter,
    x.shape.map((size, axis) => (axis === 1 ? size : 1)),
  );
}

/** (x − mean) · weight / √(variance + eps) + bias, with all four of shape [1, C, 1, …]. */
function normalize(x: Tensor, mean: Tensor, variance: Tensor, weight: Tensor, bias: Tensor, eps: number): Tensor {
  const scale = div(weight, sqrt(add(variance, eps)));
  return add(mul(sub(x, mean), scale), bias);
}

/**
 * Inputs: x, then the batch's mean, 1 / √(variance + eps), weight and bias, all four of shape [1, C, 1, …]. The mean and
 * 1 / √(variance + eps) depend on x, so the gradient of x includes theirs, and they have none themselves:
 *
 *     gx = weight · s · (g − Σg / M − (x − mean) · s² · Σ g (x − mean) / M),  s = 1 / √(variance + eps)
 *
 * with sums over the M elements of a channel.
 */
const normalizeByBatch = /* @__PURE__ */ defineElementwise({
  name: 'normalizeByBatch',
  arity: 5,
  expression: ([x, mean, s, weight, bias]) => `(${x} - ${mean}) * (${weight} * ${s}) + ${bias}`,
  gradient({ grad, inputs: [x, mean, s, weight] }) {
    const options = { axes: others(x.shape), keepDims: true };
    const count = x.size / mean.size;
    const centred = () => sub(x, mean);
    const once = (make: () => Tensor) => {
      let made: Tensor | undefined;
      return () => {
        made ??= make();
        return made;
      };
    };
    const total = once(() => sum(grad, options));
    const product = once(() => sum(mul(grad, centred()), options));
    return [
      () => {
        // Whole tensors first: multiplying by per-channel values needs no extra kernel.
        const slope = mul(mul(mul(centred(), s), s), product());
        return mul(mul(div(sub(sub(mul(grad, count), total()), slope), count), weight), s);
      },
      null,
      null,
      () => mul(product(), s),
      total,
    ];
  },
});

/* @__PURE__ */ specifyElementwise(normalizeByBatch, () => ({
  summary: 'The last step of batch norm in training.',
  compute: ([x, mean, s, weight, bias]) => (x - mean) * (weight * s) + bias,
  samples: [
    {
      inputs: [[4, 3, 5, 7], ...Array.from({ length: 4 }, () => [1, 3, 1, 1])].map(shape => ({ shape })),
      attributes: {},
    },
  ],
  gradientTestedBy: {
    name: 'batchNorm',
    why: 'The gradient of x includes those of mean and s, which depend on x there.',
  },
}));

/** The batch's mean and variance, [1, C, 1, …], and the parameters in that shape. */
function prepare(x: Tensor, weight: Tensor, bias: Tensor) {
  const [w, b] = [channelsLast('batchNorm', x, weight), channelsLast('batchNorm', x, bias)];
  const axes = others(x.shape);
  const average = mean(x, { axes, keepDims: true });
  const variance = mean(square(sub(x, average)), { axes, keepDims: true });
  return { w, b, average, variance };
}

/** (x − mean) / √(variance + eps) over all axes but the second: [N, C, …] with mean 0 and variance 1 for each channel. */
export function standardize(x: Tensor, eps: number): Tensor {
  const axes = others(x.shape);
  const average = mean(x, { axes, keepDims: true });
  const variance = mean(square(sub(x, average)), { axes, keepDims: true });
  const one = fullLike(variance, 1);
  const inverse = div(one, sqrt(add(variance, eps)));
  return applyOne(normalizeByBatch, [x, average, inverse, one, fullLike(variance, 0)], {});
}

/** Normalizes x [N, C, …] with the batch's own statistics, for training. weight and bias are [C]. */
export function batchNormTraining(x: Tensor, weight: Tensor, bias: Tensor, eps = 1e-5): Normalized {
  return tidy(() => {
    const { w, b, average, variance } = prepare(x, weight, bias);
    const inverse = div(fullLike(variance, 1), sqrt(add(variance, eps)));
    return {
      output: applyOne(normalizeByBatch, [x, average, inverse, w, b], {}),
      mean: reshape(average, [average.size]),
      variance: reshape(variance, [variance.size]),
    };
  });
}

/**
 * Like {@link batchNormTraining}, and also updates running statistics [C] with `momentum`, with the unbiased variance, as
 * PyTorch does. The new statistics are returned; the caller must assign them.
 */
export function batchNormTracking(
  x: Tensor,
  weight: Tensor,
  bias: Tensor,
  running: { readonly mean: Tensor; readonly variance: Tensor },
  { eps = 1e-5, momentum = 0.1 } = {},
): { readonly output: Tensor; readonly runningMean: Tensor; readonly runningVariance: Tensor } {
  return tidy(() => {
    const { w, b, average, variance } = prepare(x, weight, bias);
    const count = x.size / weight.size;
    const { inverse, runningMean, runningVariance } = batchStatistics(
      [average, variance, running.mean, running.variance],
      { eps, momentum, correction: count / Math.max(count - 1, 1) },
    );
    return { output: applyOne(normalizeByBatch, [x, average, inverse, w, b], {}), runningMean, runningVariance };
  });
}

/** Normalizes x [N, C, …] with given statistics [C], for evaluation. */
export function batchNorm(
  x: Tensor,
  weight: Tensor,
  bias: Tensor,
  runningMean: Tensor,
  runningVariance: Tensor,
  eps = 1e-5,
): Tensor {
  requireFloats('batchNorm', x, weight, bias, runningMean, runningVariance);
  return tidy(() => {
    const [m, v, w, b] = [runningMean, runningVariance, weight, bias].map(parameter =>
      channelsLast('batchNorm', x, parameter),
    );
    return normalize(x, m, v, w, b, eps);
  });
}

type BatchNormAttributes = { readonly training: boolean };

function inputsOf(shape: Shape, training: boolean) {
  const parameter = { shape: [shape[1]] };
  const statistics = [
    { ...parameter, range: [-0.5, 0.5] as const },
    { ...parameter, range: [0.5, 2] as const },
  ];
  return [{ shape }, { ...parameter, range: [0.5, 2] as const }, parameter, ...(training ? [] : statistics)];
}

const sampleOf = (shape: Shape, training: boolean) => ({ inputs: inputsOf(shape, training), attributes: { training } });

/* @__PURE__ */ specifyFunction<BatchNormAttributes>(() => ({
  name: 'batchNorm',
  summary: 'Batch normalization, with the batch’s statistics (training) or given ones.',
  call: ([x, weight, bias, m, v], { training }) => {
    if (!training) return [batchNorm(x, weight, bias, m, v)];
    const { output, mean, variance } = batchNormTraining(x, weight, bias);
    return [output, mean, variance];
  },
  reference([x, weight, bias, m, v], shapes, { training }) {
    const shape = shapes[0];
    const channels = shape[1];
    const inner = sizeOf(shape.slice(2));
    const count = x.length / channels;
    const channelOf = (i: number) => Math.floor(i / inner) % channels;
    const average = new Float64Array(channels);
    const variance = new Float64Array(channels);
    if (training) {
      x.forEach((value, i) => {
        average[channelOf(i)] += value / count;
      });
      x.forEach((value, i) => {
        variance[channelOf(i)] += (value - average[channelOf(i)]) ** 2 / count;
      });
    } else {
      average.set(m);
      variance.set(v);
    }
    const y = x.map((value, i) => {
      const c = channelOf(i);
      return ((value - average[c]) / Math.sqrt(variance[c] + 1e-5)) * weight[c] + bias[c];
    });
    return training ? [y, average, variance] : [y];
  },
  samples: [
    sampleOf([4, 8, 5, 7], true),
    sampleOf([4, 8, 5, 7], false),
    sampleOf([1, 3, 4, 4], true),
    sampleOf([2, 1, 1, 3], true),
    sampleOf([3, 5], true),
    sampleOf([2, 13, 40, 41], true),
  ],
  random: choose =>
    sampleOf(
      [choose.integer(2, 3), choose.pick([1, 3, 8, 17]), choose.pick([2, 5, 13]), choose.pick([3, 7])],
      choose.pick([true, false]),
    ),
  // Statistics of few numbers with little variance lose precision in the division.
  tolerance: 1e-5,
}));
