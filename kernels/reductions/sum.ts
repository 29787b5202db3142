/** Sums and means over axes, broadcasting, and its transpose `sumTo`. */
import { apply } from '../../engine/apply.ts';
import { DTypeError, ShapeError } from '../../engine/basics/errors.ts';
import {
  broadcastShapes,
  broadcastStrides,
  checkShape,
  f32,
  formatShape,
  isInteger,
  like,
  type Shape,
  sameShape,
  sizeOf,
  stridesOf,
} from '../../engine/basics/shape.ts';
import { defineOp } from '../../engine/define.ts';
import { requireTensors } from '../../engine/require.ts';
import { type Sample, specify } from '../../engine/specify.ts';
import { type Tensor, tidy } from '../../engine/tensor.ts';
import { lowerElementwise } from '../../engine/text/elementwise.ts';
import { identity, type NumberText } from '../../engine/text/expression.ts';
import { lowerReduction } from '../../engine/text/reduction.ts';
import { reshape } from '../movement/reshape.ts';
import { words } from '../references.ts';
import { reducedShape, reductionOf, type SumOptions } from './axes.ts';

type SumAttributes = {
  /** Sorted and non-negative. */
  readonly axes: readonly number[];
  readonly keepDims: boolean;
  /** Divides the sum: the number of elements for a mean. */
  readonly divisor: number;
};

/** y = (Σ over `axes` of x) / divisor. */
export const sumOp = /* @__PURE__ */ defineOp<SumAttributes>({
  name: 'sum',
  infer: ([x], { axes, keepDims }) => [f32(reducedShape(x.shape, axes, keepDims))],
  lower: ({ inputs, attributes: { axes, divisor }, baked }, traits) =>
    lowerReduction(
      { name: 'sum', expression: identity, inputs, domain: inputs[0].shape, axes, divisor, baked },
      traits,
    ),
  reduction: { describe: ({ axes, divisor }) => ({ axes, divisor }) },
  gradient({ inputs, grads, attributes: { axes, divisor } }) {
    const { shape } = inputs[0];
    const kept = reshape(grads[0]!, reducedShape(shape, axes, true));
    return [stretched(kept, shape, divisor)];
  },
});

/* @__PURE__ */ specify(sumOp, () => ({
  summary: 'Sum over axes, in a fixed order.',
  reference([x], [shape], { axes, divisor }) {
    const kept = reducedShape(shape, axes, true);
    const strides = broadcastStrides(kept, shape);
    const own = stridesOf(shape);
    const y = new Float64Array(sizeOf(kept));
    for (let i = 0; i < x.length; i++) {
      let at = 0;
      for (let axis = 0; axis < shape.length; axis++) at += (Math.floor(i / own[axis]) % shape[axis]) * strides[axis];
      y[at] += x[i];
    }
    return [y.map(total => total / divisor)];
  },
  samples: [
    sample([1], [0]),
    sample([3, 5, 37, 41], [0, 1, 2, 3]),
    sample([2, 3, 9, 11], [0, 2, 3], true),
    sample([2, 3, 4, 5], [1], true),
    sample([700, 3], [0]),
    sample([2, 67], [1], false, 67),
    sample([130, 131], [0, 1]),
  ],
  random(choose) {
    const rank = choose.integer(1, 4);
    const shape = Array.from({ length: rank }, () => choose.pick([1, 2, 5, 13, 31]));
    const axes = shape.map((_, axis) => axis).filter(() => choose.integer(0, 1) === 1);
    return sample(shape, axes.length > 0 ? axes : [0], choose.pick([true, false]));
  },
  // Terms of both signs cancel.
  tolerance: 4e-6,
}));

function sample(shape: Shape, axes: readonly number[], keepDims = false, divisor = 1): Sample<SumAttributes> {
  return { inputs: [{ shape }], attributes: { axes, keepDims, divisor } };
}

export type { SumOptions };

/** Σ x over `axes`; a scalar (shape []) over all. */
export function sum(x: Tensor, options: SumOptions = {}): Tensor {
  return apply(sumOp, [x], { ...reductionOf('sum', x, options), divisor: 1 })[0];
}

/** Mean of x over `axes`. */
export function mean(x: Tensor, options: SumOptions = {}): Tensor {
  const attributes = reductionOf('mean', x, options);
  const divisor = attributes.axes.reduce((product, axis) => product * x.shape[axis], 1);
  return apply(sumOp, [x], { ...attributes, divisor })[0];
}

type BroadcastAttributes = { readonly shape: Shape; readonly divisor: number };

const broadcastElementwise = {
  expression: ([x]: readonly string[], { divisor }: BroadcastAttributes, number: NumberText) =>
    divisor === 1 ? x : `${x} / ${number(divisor)}`,
};

/** y = x / divisor, broadcast to `shape`. */
export const broadcastOp = /* @__PURE__ */ defineOp<BroadcastAttributes>({
  name: 'broadcastTo',
  takes: ['any'],
  infer([x], { shape, divisor }) {
    if (divisor !== 1 && isInteger(x.dtype))
      throw new DTypeError('broadcastTo', `expected f32 to divide, got ${x.dtype}.`);
    checkShape('broadcastTo', shape);
    if (!sameShape(broadcastShapes('broadcastTo', x.shape, shape), shape))
      throw new ShapeError('broadcastTo', `cannot broadcast ${formatShape(x.shape)} to ${formatShape(shape)}.`);
    return [like(x, shape)];
  },
  lower: ({ inputs, outputs, attributes, baked }, traits) =>
    lowerElementwise(
      {
        name: 'broadcastTo',
        expression: { steps: [{ elementwise: broadcastElementwise as never, attributes, args: [{ operand: 0 }] }] },
        inputs,
        output: outputs[0],
        baked,
      },
      traits,
    ),
  elementwise: broadcastElementwise,
  gradient: ({ inputs, grads, attributes: { divisor } }) => [collapsed(grads[0]!, inputs[0].shape, divisor)],
});

/* @__PURE__ */ specify(broadcastOp, () => ({
  summary: 'Broadcasts to a shape, by NumPy’s rule.',
  reference([x], [source], { shape, divisor }) {
    const strides = broadcastStrides(source, shape);
    const own = stridesOf(shape);
    return [
      Float64Array.from({ length: sizeOf(shape) }, (_, i) => {
        let at = 0;
        for (let axis = 0; axis < shape.length; axis++) at += (Math.floor(i / own[axis]) % shape[axis]) * strides[axis];
        return x[at] / divisor;
      }),
    ];
  },
  samples: [
    { inputs: [{ shape: [] }], attributes: { shape: [2, 3], divisor: 1 } },
    { inputs: [{ shape: [1, 3, 1, 1] }], attributes: { shape: [2, 3, 9, 7], divisor: 3 } },
    { inputs: [words([3, 1])], attributes: { shape: [2, 3, 40], divisor: 1 } },
  ],
  random: choose => {
    const shape = Array.from({ length: choose.integer(1, 4) }, () => choose.pick([1, 2, 3, 7, 37]));
    return {
      inputs: [{ shape: shape.map(size => choose.pick([1, size])) }],
      attributes: { shape, divisor: choose.pick([1, 4, -3]) },
    };
  },
}));

/** x / divisor, broadcast to `shape`. */
function stretched(x: Tensor, shape: Shape, divisor: number): Tensor {
  requireTensors('broadcastTo', x);
  checkShape('broadcastTo', shape);
  if (divisor === 1 && sameShape(x.shape, shape)) return x.alias();
  return apply(broadcastOp, [x], { shape, divisor })[0];
}

/** x / divisor, summed to `shape`: the transpose of {@link stretched}. */
function collapsed(x: Tensor, shape: Shape, divisor: number): Tensor {
  requireTensors('sumTo', x);
  checkShape('sumTo', shape);
  const isStretched =
    shape.length <= x.shape.length &&
    shape.every((size, i) => size === 1 || size === x.shape[i + x.shape.length - shape.length]);
  if (!isStretched)
    throw new ShapeError('sumTo', `${formatShape(shape)} does not broadcast to ${formatShape(x.shape)}.`);
  if (sameShape(x.shape, shape)) return stretched(x, shape, divisor);
  const lead = x.shape.length - shape.length;
  const axes = x.shape.flatMap((size, axis) => (axis < lead || (shape[axis - lead] === 1 && size !== 1) ? [axis] : []));
  return tidy(() => reshape(apply(sumOp, [x], { axes, keepDims: true, divisor })[0], shape));
}

/** x broadcast to `shape`. */
export const broadcastTo = (x: Tensor, shape: Shape): Tensor => stretched(x, shape, 1);

/** The transpose of broadcasting: sums x back to `shape`. */
export const sumTo = (x: Tensor, shape: Shape): Tensor => collapsed(x, shape, 1);
