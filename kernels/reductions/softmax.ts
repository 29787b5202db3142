/**
 * Softmax and its relatives, composed of a maximum and a sum: exponentials are of x less its maximum, so none overflows. None of
 * the results depends on that maximum, so no gradient flows through it.
 */
import { noGrad } from '../../engine/apply.ts';
import { normalizeAxes, type Shape } from '../../engine/basics/shape.ts';
import { requireTensors } from '../../engine/require.ts';
import { type FunctionSpecification, specifyFunction } from '../../engine/specify.ts';
import { type Tensor, tidy } from '../../engine/tensor.ts';
import { add, div, sub } from '../elementwise/arithmetic.ts';
import { exp, log } from '../elementwise/functions.ts';
import { notFinite, where } from '../elementwise/selection.ts';
import { reshape } from '../movement/reshape.ts';
import { groupsOf, reducedShape, reductionOf, reductionSpecification, type SumOptions } from './axes.ts';
import { max } from './extrema.ts';
import { sum } from './sum.ts';

/** log Σ eˣ over `axes`. −∞ where all elements are −∞, ∞ where one is. PyTorch's `logsumexp`. */
export function logSumExp(x: Tensor, options: SumOptions = {}): Tensor {
  const { axes, keepDims } = reductionOf('logSumExp', x, options);
  return tidy(() => {
    const kept = { axes, keepDims: true };
    // An infinite maximum would give ∞ − ∞; NaN stays in x.
    const shift = noGrad(() => {
      const largest = max(x, kept);
      return where(notFinite(largest), 0, largest);
    });
    const total = add(log(sum(exp(sub(x, shift)), kept)), shift);
    return reshape(total, reducedShape(x.shape, axes, keepDims));
  });
}

/* @__PURE__ */ specifyFunction(() => ({
  name: 'logSumExp',
  summary: 'log Σ eˣ over axes, without overflow.',
  call: ([x], attributes) => [logSumExp(x, attributes)],
  ...reductionSpecification(logSumExpOf),
  samples: [
    { inputs: [{ shape: [3, 5, 4] }], attributes: { axes: [1], keepDims: true } },
    {
      inputs: [{ shape: [3, 3], values: [1000, 999, 0, -1000, -1000.5, -2000, -88, 88, 3] }],
      attributes: { axes: [1], keepDims: false },
      kink: 'flat in float32',
    },
  ],
  tolerance: 2e-6,
}));

function logSumExpOf(group: readonly number[]): number {
  const largest = Math.max(...group);
  if (Math.abs(largest) === Number.POSITIVE_INFINITY) return largest;
  return largest + Math.log(group.reduce((total, value) => total + Math.exp(value - largest), 0));
}

/** x less its maximum along an axis. Throws ShapeError if there is no such axis. */
function lowered(name: string, x: Tensor, axis: number) {
  requireTensors(name, x);
  const kept = { axes: normalizeAxes(name, [axis], x.shape.length), keepDims: true };
  return {
    kept,
    difference: sub(
      x,
      noGrad(() => max(x, kept)),
    ),
  };
}

/**
 * eˣ / Σ eˣ along `axis` (negative from the end), which then sums to 1. NaN along the axis if there is NaN or ∞, or if all are
 * −∞, as in PyTorch.
 */
export const softmax = (x: Tensor, axis = -1): Tensor =>
  tidy(() => {
    const { kept, difference } = lowered('softmax', x, axis);
    const powers = exp(difference);
    return div(powers, sum(powers, kept));
  });

/** The logarithm of {@link softmax}, without the rounding of small ones to 0. */
export const logSoftmax = (x: Tensor, axis = -1): Tensor =>
  tidy(() => {
    const { kept, difference } = lowered('logSoftmax', x, axis);
    return sub(difference, log(sum(exp(difference), kept)));
  });

type AxisAttributes = { readonly axis: number };

function normalized(
  name: string,
  summary: string,
  call: typeof softmax,
  element: (x: number, logSum: number) => number,
): FunctionSpecification<AxisAttributes> {
  return {
    name,
    summary,
    call: ([x], { axis }) => [call(x, axis)],
    reference([x], [shape], { axis }) {
      const axes = normalizeAxes(name, [axis], shape.length);
      const sums = groupsOf(x, shape, axes).map(logSumExpOf);
      const [inner, size] = [strideOf(shape, axes[0]), shape[axes[0]]];
      return [x.map((value, i) => element(value, sums[Math.floor(i / (inner * size)) * inner + (i % inner)]))];
    },
    samples: [
      { inputs: [{ shape: [3, 5, 4], range: [-3, 3] }], attributes: { axis: 1 } },
      {
        inputs: [{ shape: [3, 3], values: [1000, 999, 0, -1000, -1000.5, -1001, -5, 5, 3] }],
        attributes: { axis: -1 },
        kink: 'flat in float32',
      },
    ],
    random(choose) {
      const shape = Array.from({ length: choose.integer(1, 3) }, () => choose.pick([1, 2, 5, 70]));
      return { inputs: [{ shape, range: [-3, 3] }], attributes: { axis: choose.integer(0, shape.length - 1) } };
    },
    tolerance: 2e-6,
  };
}

const strideOf = (shape: Shape, axis: number): number => shape.slice(axis + 1).reduce((a, b) => a * b, 1);

/* @__PURE__ */ specifyFunction(() =>
  normalized('softmax', 'eˣ / Σ eˣ along an axis.', softmax, (x, logSum) => Math.exp(x - logSum)),
);

/* @__PURE__ */ specifyFunction(() =>
  normalized('logSoftmax', 'x − log Σ eˣ along an axis.', logSoftmax, (x, logSum) => x - logSum),
);
