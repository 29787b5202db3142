/** Variance and standard deviation over axes. */
import { ArgumentError, nameOf } from '../../engine/basics/errors.ts';
import { specifyFunction } from '../../engine/specify.ts';
import { type Tensor, tidy } from '../../engine/tensor.ts';
import { mul, sub } from '../elementwise/arithmetic.ts';
import { equal } from '../elementwise/comparison.ts';
import { applyOne, defineElementwise } from '../elementwise/define-elementwise.ts';
import { sqrt } from '../elementwise/functions.ts';
import { where } from '../elementwise/selection.ts';
import { specifyElementwise } from '../elementwise/specify-elementwise.ts';
import { type ReductionAttributes, reductionOf, reductionSpecification, type SumOptions } from './axes.ts';
import { mean, sumOp } from './sum.ts';

/** Of x and its mean. The mean's part of the gradient is 0, because the sum of the deviations is. */
export const squaredDeviationOp = /* @__PURE__ */ defineElementwise({
  name: 'squaredDeviation',
  arity: 2,
  expression: ([x, mean]) => `(${x} - ${mean}) * (${x} - ${mean})`,
  gradient: ({ grad, inputs: [x, mean] }) => [() => mul(mul(grad, sub(x, mean)), 2), null],
});

/* @__PURE__ */ specifyElementwise(squaredDeviationOp, () => ({
  summary: '(x − mean)²: a step of variance.',
  compute: ([x, mean]) => (x - mean) ** 2,
  broadcasts: false,
  gradientTestedBy: { name: 'variance', why: 'The mean has no gradient of its own there.' },
}));

/** Options of {@link variance} and {@link std}. */
export interface VarianceOptions extends SumOptions {
  /** Subtracted from the number of elements that the sum of squares is divided by; default 1. */
  readonly correction?: number;
}

function spread(name: string, x: Tensor, options: VarianceOptions): Tensor {
  const { axes, keepDims } = reductionOf(name, x, options, ['correction']);
  const { correction = 1 } = options;
  if (typeof correction !== 'number')
    throw new ArgumentError(name, `expected correction to be a number, got ${nameOf(correction)}.`);
  const count = axes.reduce((product, axis) => product * x.shape[axis], 1);
  const squares = applyOne(squaredDeviationOp, [x, mean(x, { axes, keepDims: true })], {});
  return applyOne(sumOp, [squares], { axes, keepDims, divisor: Math.max(count - correction, 0) });
}

/**
 * Σ (x − mean)² / (n − correction) over the n elements along `axes`, in two passes, so that a large mean costs no digits. NaN
 * for one element, unless the correction is less than 1. PyTorch's `var`.
 */
export const variance = (x: Tensor, options: VarianceOptions = {}): Tensor =>
  tidy(() => spread('variance', x, options));

/** The root of {@link variance}; where it is 0, so is the gradient. PyTorch's `std`. */
export const std = (x: Tensor, options: VarianceOptions = {}): Tensor =>
  tidy(() => {
    const squared = spread('std', x, options);
    const isZero = equal(squared, 0);
    return where(isZero, 0, sqrt(where(isZero, 1, squared)));
  });

type VarianceAttributes = ReductionAttributes & { readonly correction: number };

function varianceOf(group: readonly number[], { correction }: VarianceAttributes): number {
  const mean = group.reduce((a, b) => a + b) / group.length;
  return group.reduce((total, value) => total + (value - mean) ** 2, 0) / Math.max(group.length - correction, 0);
}

/** With a mean that is large compared to the deviations, and one element beside a correction of 0. */
const SAMPLES = [
  { inputs: [{ shape: [3, 5, 4] }], attributes: { axes: [0, 2], keepDims: true, correction: 1 } },
  {
    inputs: [{ shape: [2, 90], range: [10, 11] as const }],
    attributes: { axes: [1], keepDims: false, correction: 0 },
  },
];

/* @__PURE__ */ specifyFunction<VarianceAttributes>(() => ({
  name: 'variance',
  summary: 'Variance over axes, divided by n − correction.',
  call: ([x], attributes) => [variance(x, attributes)],
  ...reductionSpecification(varianceOf, [{ correction: 0 }]),
  samples: SAMPLES,
  tolerance: 4e-6,
}));

/* @__PURE__ */ specifyFunction<VarianceAttributes>(() => ({
  name: 'std',
  summary: 'Standard deviation over axes, divided by n − correction; gradient 0 where it is 0.',
  call: ([x], attributes) => [std(x, attributes)],
  ...reductionSpecification((group, attributes) => Math.sqrt(varianceOf(group, attributes)), [{ correction: 0.5 }]),
  samples: SAMPLES,
  tolerance: 4e-6,
}));
