/** Slicing, with steps, and reversing. */
import { apply } from '../../engine/apply.ts';
import { quoted, ShapeError } from '../../engine/basics/errors.ts';
import { f32, formatShape, like, normalizeAxes, type Shape, sizeOf, stridesOf } from '../../engine/basics/shape.ts';
import { type Declaration, defineOp } from '../../engine/define.ts';
import { requireTensors } from '../../engine/require.ts';
import { specify } from '../../engine/specify.ts';
import type { Tensor } from '../../engine/tensor.ts';
import { mapIndices, words } from '../references.ts';
import { lowerCoordinates } from './padding.ts';
import { lowerStrided } from './strided.ts';

const listed = (numbers: readonly number[]): string =>
  Array.isArray(numbers) ? formatShape(numbers) : quoted(numbers);

type SliceAttributes = {
  readonly start: readonly number[];
  readonly end: readonly number[];
  /** Distances of the elements taken; default 1. */
  readonly step?: readonly number[];
};

const stepAlong = (step: readonly number[] | undefined, axis: number): number => step?.[axis] ?? 1;

/** The number of elements taken along each axis. */
const slicedShape = ({ start, end, step }: SliceAttributes): number[] =>
  start.map((first, axis) => Math.ceil((end[axis] - first) / stepAlong(step, axis)));

/** The strides of the elements taken, and the first one's offset. */
function walkOf(shape: Shape, { start, step }: Omit<SliceAttributes, 'end'>): { strides: number[]; offset: number } {
  const strides = stridesOf(shape);
  return {
    strides: strides.map((stride, axis) => stride * stepAlong(step, axis)),
    offset: start.reduce((sum, first, axis) => sum + first * strides[axis], 0),
  };
}

export const sliceOp: Declaration<SliceAttributes> = /* @__PURE__ */ defineOp<SliceAttributes>({
  name: 'slice',
  takes: ['any'],
  infer([x], attributes) {
    const { start, end, step } = attributes;
    const { shape } = x;
    const valid =
      Array.isArray(start) &&
      Array.isArray(end) &&
      start.length === shape.length &&
      end.length === shape.length &&
      [...start, ...end].every(Number.isInteger) &&
      shape.every((size, axis) => start[axis] >= 0 && start[axis] < end[axis] && end[axis] <= size);
    if (!valid)
      throw new ShapeError(
        'slice',
        `expected integer bounds inside ${formatShape(shape)}, got ${listed(start)} to ${listed(end)}.`,
      );
    const isStep = (size: unknown) => Number.isInteger(size) && Number(size) >= 1;
    if (step !== undefined && !(Array.isArray(step) && step.length === shape.length && step.every(isStep)))
      throw new ShapeError(
        'slice',
        `expected a positive integer step for each axis of ${formatShape(shape)}, got ${listed(step)}.`,
      );
    return [like(x, slicedShape(attributes))];
  },
  lower({ inputs, outputs, attributes, baked }, traits) {
    const { strides, offset } = walkOf(inputs[0].shape, attributes);
    return lowerStrided('slice', outputs[0].shape, strides, offset, baked, traits);
  },
  gradient({ inputs, grads, attributes: { start, step } }) {
    const { shape } = inputs[0];
    return [apply(sliceGradientOp, [grads[0]!], { shape, start, ...(step && { step }) })[0]];
  },
});

/* @__PURE__ */ specify(sliceOp, () => ({
  summary: 'The elements from `start` to before `end` on each axis, all or every `step`-th.',
  reference([x], [shape], attributes) {
    const { strides, offset } = walkOf(shape, attributes);
    return [mapIndices(slicedShape(attributes), [strides], ([at]) => x[at + offset])];
  },
  samples: [
    { inputs: [{ shape: [2, 4, 3, 6] }], attributes: { start: [0, 1, 0, 2], end: [2, 3, 3, 5] } },
    { inputs: [{ shape: [3, 7, 9] }], attributes: { start: [0, 1, 2], end: [3, 6, 9], step: [2, 3, 7] } },
    { inputs: [words([4, 5])], attributes: { start: [1, 2], end: [3, 5] } },
  ],
  random(choose) {
    const shape = Array.from({ length: choose.integer(1, 4) }, () => choose.pick([1, 3, 7, 19]));
    const start = shape.map(size => choose.integer(0, size - 1));
    const end = shape.map((size, axis) => choose.integer(start[axis] + 1, size));
    const step = shape.map(() => choose.integer(1, 4));
    return { inputs: [{ shape }], attributes: { start, end, ...(choose.pick([true, false]) && { step }) } };
  },
}));

type SliceGradientAttributes = {
  readonly shape: Shape;
  readonly start: readonly number[];
  readonly step?: readonly number[];
};

/** Puts the elements where a slice of `shape` took them, between zeros. */
export const sliceGradientOp: Declaration<SliceGradientAttributes> = /* @__PURE__ */ defineOp<SliceGradientAttributes>({
  name: 'sliceGradient',
  infer: (_, { shape }) => [f32(shape)],
  lower({ inputs, attributes: { shape, start, step }, baked }, traits) {
    const taken = inputs[0].shape;
    const strides = stridesOf(taken);
    const axes = shape.map((_, axis) => axis);
    const sizes = Object.fromEntries(
      axes.flatMap(axis => [
        [`h${axis}`, taken[axis]],
        [`s${axis}`, strides[axis]],
        [`p${axis}`, start[axis]],
        ...(step ? [[`e${axis}`, step[axis]]] : []),
      ]),
    );
    const from = axes
      .map(axis => {
        const distance = `let b${axis} = a${axis} - p${axis};`;
        return step ? `${distance} let c${axis} = b${axis} / e${axis};` : `${distance} let c${axis} = b${axis};`;
      })
      .join('\n    ');
    const isTaken = axes.flatMap(axis => [
      `b${axis} >= 0 && c${axis} < h${axis}`,
      ...(step ? [`b${axis} % e${axis} == 0`] : []),
    ]);
    const body = () => `${from}
    var value = 0.0;
    if (${isTaken.join(' && ') || 'true'}) { value = x[${axes.map(axis => `c${axis} * s${axis}`).join(' + ') || '0'}]; }`;
    return lowerCoordinates('sliceGradient', shape, sizes, body, baked, traits, { reads: ['x'] });
  },
  gradient({ inputs, grads, attributes: { start, step } }) {
    const end = inputs[0].shape.map((size, axis) => start[axis] + (size - 1) * stepAlong(step, axis) + 1);
    return [slice(grads[0]!, start, end, step)];
  },
});

/* @__PURE__ */ specify(sliceGradientOp, () => ({
  summary: 'The transpose of slicing: its elements between zeros.',
  reference([g], [taken], { shape, ...rest }) {
    const { strides, offset } = walkOf(shape, rest);
    const y = new Float64Array(sizeOf(shape));
    const places = mapIndices(taken, [strides], ([at]) => at + offset);
    g.forEach((value, i) => {
      y[places[i]] = value;
    });
    return [y];
  },
  samples: [
    { inputs: [{ shape: [2, 3] }], attributes: { shape: [4, 5], start: [1, 0] } },
    { inputs: [{ shape: [2, 3] }], attributes: { shape: [4, 9], start: [1, 2], step: [2, 3] } },
  ],
  random(choose) {
    const taken = Array.from({ length: choose.integer(1, 3) }, () => choose.pick([1, 2, 5]));
    const step = taken.map(() => choose.integer(1, 3));
    const start = taken.map(() => choose.integer(0, 2));
    const shape = taken.map((size, axis) => start[axis] + (size - 1) * step[axis] + 1 + choose.integer(0, 4));
    return { inputs: [{ shape: taken }], attributes: { shape, start, step } };
  },
}));

/**
 * x from `start` to before `end`, with one number per axis; with `step`, only every `step`-th element from `start` on. Throws
 * ShapeError unless bounds are inside and steps positive.
 */
export const slice = (x: Tensor, start: readonly number[], end: readonly number[], step?: readonly number[]): Tensor =>
  apply(sliceOp, [x], { start, end, ...(step !== undefined && { step }) })[0];

type FlipAttributes = {
  /** Sorted and non-negative. */
  readonly axes: readonly number[];
};

export const flipOp: Declaration<FlipAttributes> = /* @__PURE__ */ defineOp<FlipAttributes>({
  name: 'flip',
  takes: ['any'],
  infer: ([x]) => [x],
  lower({ inputs: [{ shape }], attributes: { axes }, baked }, traits) {
    const strides = stridesOf(shape);
    const offset = axes.reduce((sum, axis) => sum + (shape[axis] - 1) * strides[axis], 0);
    const steps = strides.map((stride, axis) => (axes.includes(axis) ? -stride : stride));
    return lowerStrided('flip', shape, steps, offset, baked, traits);
  },
  gradient: ({ grads, attributes: { axes } }) => [flip(grads[0]!, axes)],
});

/* @__PURE__ */ specify(flipOp, () => ({
  summary: 'Reverses the order along axes.',
  reference([x], [shape], { axes }) {
    const strides = stridesOf(shape);
    const offset = axes.reduce((sum, axis) => sum + (shape[axis] - 1) * strides[axis], 0);
    const steps = strides.map((stride, axis) => (axes.includes(axis) ? -stride : stride));
    return [mapIndices(shape, [steps], ([at]) => x[at + offset])];
  },
  samples: [
    { inputs: [{ shape: [2, 3, 4] }], attributes: { axes: [1, 2] } },
    { inputs: [words([3, 5])], attributes: { axes: [0] } },
  ],
  random(choose) {
    const shape = Array.from({ length: choose.integer(1, 4) }, () => choose.pick([1, 2, 5, 9]));
    return { inputs: [{ shape }], attributes: { axes: shape.flatMap((_, i) => choose.pick([[i], []])) } };
  },
}));

/** x in reverse order along `axes` (negative ones from the end). PyTorch's `flip`. */
export function flip(x: Tensor, axes: readonly number[]): Tensor {
  requireTensors('flip', x);
  return apply(flipOp, [x], { axes: normalizeAxes('flip', axes, x.shape.length) })[0];
}
