/** Products over axes. */
import { specify } from '../../engine/specify.ts';
import type { Tensor } from '../../engine/tensor.ts';
import { foldBy } from '../../engine/text/accumulate.ts';
import { div, mul } from '../elementwise/arithmetic.ts';
import { equal } from '../elementwise/comparison.ts';
import { applyOne } from '../elementwise/define-elementwise.ts';
import { where } from '../elementwise/selection.ts';
import { reshape } from '../movement/reshape.ts';
import { defineReduction, reducedShape, reductionOf, reductionSpecification, type SumOptions } from './axes.ts';
import { sum } from './sum.ts';

export const prodOp = /* @__PURE__ */ defineReduction(
  'prod',
  /* @__PURE__ */ foldBy('1.0', (a, b) => `${a} * ${b}`),
  ({ inputs: [x], grads, attributes: { axes } }) => {
    const g = reshape(grads[0]!, reducedShape(x.shape, axes, true));
    // The product of all others: that of all but zeros divided by x, unless another element is 0.
    const isZero = equal(x, 0);
    const nonzero = where(isZero, 1, x);
    const zeros = sum(isZero, { axes, keepDims: true });
    const others = div(prod(nonzero, { axes, keepDims: true }), nonzero);
    return mul(g, where(equal(zeros, isZero), others, 0));
  },
);

/* @__PURE__ */ specify(prodOp, () => ({
  summary: 'Product over axes.',
  ...reductionSpecification(group => group.reduce((a, b) => a * b)),
  samples: [
    { inputs: [{ shape: [3, 5, 4], range: [-2, 2] }], attributes: { axes: [1], keepDims: true } },
    { inputs: [{ shape: [3, 3], values: [0, 2, 3, 0, 0, 5, 1, 2, 3] }], attributes: { axes: [1], keepDims: false } },
    { inputs: [{ shape: [300], range: [0.95, 1.05] }], attributes: { axes: [0], keepDims: false } },
  ],
  // Every factor rounds.
  tolerance: 1e-5,
}));

/**
 * Product of x over `axes`. The gradient is right beside zeros too; second derivatives are where no element is 0. PyTorch's
 * `prod`.
 */
export const prod = (x: Tensor, options: SumOptions = {}): Tensor =>
  applyOne(prodOp, [x], reductionOf('prod', x, options));
