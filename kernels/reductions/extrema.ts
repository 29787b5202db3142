/** The largest and the smallest element, and where they are. */
import { noGrad } from '../../engine/apply.ts';
import { checkOptions, ShapeError } from '../../engine/basics/errors.ts';
import { normalizeAxes } from '../../engine/basics/shape.ts';
import type { GradientContext } from '../../engine/define.ts';
import { requireTensors } from '../../engine/require.ts';
import { type FunctionSpecification, specify, specifyFunction } from '../../engine/specify.ts';
import { type Tensor, tidy } from '../../engine/tensor.ts';
import { foldBy } from '../../engine/text/accumulate.ts';
import { literal } from '../../engine/text/literal.ts';
import { arange } from '../creation/constants.ts';
import { div, mul } from '../elementwise/arithmetic.ts';
import { isNaNText } from '../elementwise/bits.ts';
import { cast } from '../elementwise/cast.ts';
import { equal } from '../elementwise/comparison.ts';
import { applyOne, defineElementwise } from '../elementwise/define-elementwise.ts';
import { specifyElementwise } from '../elementwise/specify-elementwise.ts';
import { reshape } from '../movement/reshape.ts';
import {
  defineReduction,
  groupsOf,
  type ReductionAttributes,
  reducedShape,
  reductionOf,
  reductionSpecification,
  type SumOptions,
} from './axes.ts';
import { sum } from './sum.ts';

/** A fold to the element that is larger or smaller than all others, or NaN. */
const extremeFold = (name: string, comparison: '>' | '<', empty: number) =>
  foldBy(
    literal(empty),
    (a, b) => `${name}(${a}, ${b})`,
    `fn ${name}(a: f32, b: f32) -> f32 { return select(b, a, a ${comparison} b || ${isNaNText('a')}); }`,
  );

/** Ties share the gradient evenly. If the result is NaN, so is the gradient, as in PyTorch. */
function shared({ inputs: [x], outputs, grads, attributes: { axes } }: GradientContext<ReductionAttributes>): Tensor {
  const kept = reducedShape(x.shape, axes, true);
  const isExtreme = equal(x, reshape(outputs[0], kept));
  return div(mul(reshape(grads[0]!, kept), isExtreme), sum(isExtreme, { axes, keepDims: true }));
}

export const maxOp = /* @__PURE__ */ defineReduction(
  'max',
  /* @__PURE__ */ extremeFold('daybreakLarger', '>', Number.NEGATIVE_INFINITY),
  shared,
);

/* @__PURE__ */ specify(maxOp, () => ({
  summary: 'Largest element over axes, NaN if there is one; ties share the gradient evenly.',
  ...reductionSpecification(group => group.reduce((a, b) => Math.max(a, b))),
}));

export const minOp = /* @__PURE__ */ defineReduction(
  'min',
  /* @__PURE__ */ extremeFold('daybreakSmaller', '<', Number.POSITIVE_INFINITY),
  shared,
);

/* @__PURE__ */ specify(minOp, () => ({
  summary: 'Smallest element over axes, NaN if there is one; ties share the gradient evenly.',
  ...reductionSpecification(group => group.reduce((a, b) => Math.min(a, b))),
}));

/** The largest element over `axes`, NaN if there is one; ties share the gradient evenly. PyTorch's `amax`. */
export const max = (x: Tensor, options: SumOptions = {}): Tensor =>
  applyOne(maxOp, [x], reductionOf('max', x, options));

/** The smallest element over `axes`, NaN if there is one; ties share the gradient evenly. PyTorch's `amin`. */
export const min = (x: Tensor, options: SumOptions = {}): Tensor =>
  applyOne(minOp, [x], reductionOf('min', x, options));

/** The position of an extreme element or of NaN, which is extreme if there is one; ∞ elsewhere. */
export const positionOp = /* @__PURE__ */ defineElementwise({
  name: 'position',
  arity: 3,
  expression: ([x, extreme, position], _, number) =>
    `select(${number(Number.POSITIVE_INFINITY)}, ${position}, ${x} == ${extreme} || ${isNaNText(x)})`,
});

/* @__PURE__ */ specifyElementwise(positionOp, () => ({
  summary: 'The position where x is extreme or NaN, else ∞: a step of argmax.',
  compute: ([x, extreme, position]) => (x === extreme || Number.isNaN(x) ? position : Number.POSITIVE_INFINITY),
  samples: [
    {
      inputs: [
        { shape: [4], values: [1, 3, 3, Number.NaN] },
        { shape: [1], values: [3] },
        { shape: [4], values: [0, 1, 2, 3] },
      ],
      attributes: {},
    },
  ],
}));

/** Options of `argmax` and `argmin`. */
export interface ArgOptions {
  /** The axis to search along, negative from the end; default all of x in row-major order. */
  readonly axis?: number;
  /** Keep the searched axis (or all) with size 1. */
  readonly keepDims?: boolean;
}

/** Positions beyond are not exact in float32. */
const MOST_POSITIONS = 2 ** 24;

function placeOf(name: string, extremeOf: typeof max, x: Tensor, options: ArgOptions): Tensor {
  requireTensors(name, x);
  checkOptions(name, options, ['axis', 'keepDims']);
  const { axis, keepDims = false } = options;
  const whole = axis === undefined;
  const axes = whole ? [0] : normalizeAxes(name, [axis], x.shape.length);
  const length = whole ? x.size : x.shape[axes[0]];
  if (length > MOST_POSITIONS)
    throw new ShapeError(name, `expected at most ${MOST_POSITIONS} elements along the axis, got ${length}.`);
  // Positions have no gradient.
  return noGrad(() =>
    tidy(() => {
      const line = whole ? reshape(x, [x.size]) : x;
      const shape = line.shape.map((size, i) => (i === axes[0] ? size : 1));
      const positions = reshape(arange(length, { device: x.device }), shape);
      const places = applyOne(positionOp, [line, extremeOf(line, { axes, keepDims: true }), positions], {});
      return reshape(
        cast(min(places, { axes }), 'i32'),
        keepDims && whole ? x.shape.map(() => 1) : reducedShape(line.shape, axes, keepDims),
      );
    }),
  );
}

/**
 * The position of the largest element along an axis, of the first one in a tie, of the first NaN if there is one. The result is
 * i32. Throws ShapeError for more than 2²⁴ elements. No gradient.
 */
export const argmax = (x: Tensor, options: ArgOptions = {}): Tensor => placeOf('argmax', max, x, options);

/** The position of the smallest element: like {@link argmax}. */
export const argmin = (x: Tensor, options: ArgOptions = {}): Tensor => placeOf('argmin', min, x, options);

/** {@link ArgOptions} as attributes. */
type ArgAttributes = { readonly axis?: number; readonly keepDims?: boolean };

function argSpecification(
  name: string,
  summary: string,
  call: typeof argmax,
  isBefore: (a: number, b: number) => boolean,
): FunctionSpecification<ArgAttributes> {
  const place = (group: readonly number[]): number => {
    const nan = group.findIndex(Number.isNaN);
    return nan >= 0 ? nan : group.reduce((best, value, i) => (isBefore(value, group[best]) ? i : best), 0);
  };
  return {
    name,
    summary,
    call: ([x], options) => [call(x, options)],
    reference: ([x], [shape], { axis }) => {
      const axes = axis === undefined ? shape.map((_, i) => i) : normalizeAxes(name, [axis], shape.length);
      return [Float64Array.from(groupsOf(x, shape, axes), place)];
    },
    samples: [
      { inputs: [{ shape: [2, 5, 3], fixed: true }], attributes: { axis: 1 } },
      {
        inputs: [{ shape: [3, 3], values: [1, 7, 7, 2, Number.NaN, 1, -3, -3, -3], fixed: true }],
        attributes: { axis: -1, keepDims: true },
      },
      { inputs: [{ shape: [2, 200], fixed: true }], attributes: { keepDims: true } },
    ],
    random(choose) {
      const shape = Array.from({ length: choose.integer(1, 3) }, () => choose.pick([1, 2, 5, 13]));
      return { inputs: [{ shape, fixed: true }], attributes: { axis: choose.integer(0, shape.length - 1) } };
    },
  };
}

/* @__PURE__ */ specifyFunction(() =>
  argSpecification('argmax', 'Position of the first largest element, or of the first NaN.', argmax, (a, b) => a > b),
);

/* @__PURE__ */ specifyFunction(() =>
  argSpecification('argmin', 'Position of the first smallest element, or of the first NaN.', argmin, (a, b) => a < b),
);
