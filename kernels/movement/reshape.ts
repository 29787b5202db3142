/** Reshaping; no kernel runs. */
import { apply } from '../../engine/apply.ts';
import { nameOf, ShapeError } from '../../engine/basics/errors.ts';
import {
  checkShape,
  formatShape,
  like,
  normalizeAxes,
  type Shape,
  sameShape,
  sizeOf,
} from '../../engine/basics/shape.ts';
import { defineOp } from '../../engine/define.ts';
import { requireTensors } from '../../engine/require.ts';
import { specify, specifyFunction } from '../../engine/specify.ts';
import type { Tensor } from '../../engine/tensor.ts';
import { words } from '../references.ts';

type ReshapeAttributes = { readonly shape: Shape };

export const reshapeOp = /* @__PURE__ */ defineOp<ReshapeAttributes>({
  name: 'reshape',
  takes: ['any'],
  view: { offset: () => 0 },
  infer([x], { shape }) {
    checkShape('reshape', shape);
    if (sizeOf(shape) !== sizeOf(x.shape))
      throw new ShapeError(
        'reshape',
        `cannot reshape ${formatShape(x.shape)} to ${formatShape(shape)}: expected ${sizeOf(x.shape)} elements, got ${sizeOf(shape)}.`,
      );
    return [like(x, shape)];
  },
  lower: () => ({ steps: [], scratch: [] }),
  gradient: ({ inputs, grads }) => [reshape(grads[0]!, inputs[0].shape)],
});

/* @__PURE__ */ specify(reshapeOp, () => ({
  summary: 'The same elements in the same order with another shape; one dimension may be -1.',
  reference: ([x]) => [Float64Array.from(x)],
  samples: [
    { inputs: [{ shape: [2, 3, 4] }], attributes: { shape: [6, 4] } },
    { inputs: [{ shape: [1] }], attributes: { shape: [] } },
    { inputs: [words([3, 4])], attributes: { shape: [2, 6] } },
  ],
  random(choose) {
    const [a, b, c] = [choose.integer(1, 7), choose.integer(1, 7), choose.integer(1, 7)];
    return {
      inputs: [{ shape: [a, b, c] }],
      attributes: { shape: choose.pick([[a * b * c], [c, a * b], [b * c, 1, a]]) },
    };
  },
}));

/** x with another shape, in which one dimension may be -1. */
export function reshape(x: Tensor, shape: Shape): Tensor {
  requireTensors('reshape', x);
  if (!Array.isArray(shape))
    throw new ShapeError('reshape', `expected a shape as an array of numbers, got ${nameOf(shape)}.`);
  const unknown = shape.indexOf(-1);
  const known = shape.reduce((product, size) => (size === -1 ? product : product * size), 1);
  const full = unknown < 0 ? shape : shape.map((size, axis) => (axis === unknown ? x.size / known : size));
  if (sameShape(x.shape, full)) return x.alias();
  return apply(reshapeOp, [x], { shape: full })[0];
}

/**
 * x without its axes of size 1, or without those of `axes` (one or several, negative from the end) whose size is 1. PyTorch's
 * `squeeze`.
 */
export function squeeze(x: Tensor, axes?: number | readonly number[]): Tensor {
  requireTensors('squeeze', x);
  const chosen = normalizeAxes('squeeze', typeof axes === 'number' ? [axes] : axes, x.shape.length);
  return reshape(
    x,
    x.shape.filter((size, axis) => size !== 1 || !chosen.includes(axis)),
  );
}

/** x with a new axis of size 1 at `axis` of the result, negative from its end. PyTorch's `unsqueeze`. */
export function unsqueeze(x: Tensor, axis: number): Tensor {
  requireTensors('unsqueeze', x);
  const [at] = normalizeAxes('unsqueeze', [axis], x.shape.length + 1);
  return reshape(x, x.shape.toSpliced(at, 0, 1));
}

/**
 * x with the axes from `first` to `last` (both included, negative from the end; default all) merged into one; a scalar becomes
 * [1]. PyTorch's `flatten`.
 */
export function flatten(x: Tensor, first = 0, last = -1): Tensor {
  requireTensors('flatten', x);
  const rank = Math.max(x.shape.length, 1);
  const [[from], [to]] = [normalizeAxes('flatten', [first], rank), normalizeAxes('flatten', [last], rank)];
  if (from > to)
    throw new ShapeError(
      'flatten',
      `expected first not after last, got ${first} and ${last} for ${formatShape(x.shape)}.`,
    );
  return reshape(x, [...x.shape.slice(0, from), sizeOf(x.shape.slice(from, to + 1)), ...x.shape.slice(to + 1)]);
}

/* @__PURE__ */ specifyFunction<{ readonly axes?: number | readonly number[] }>(() => ({
  name: 'squeeze',
  summary: 'Without axes of size 1: all, or those given.',
  call: ([x], { axes }) => [squeeze(x, axes)],
  reference: ([x]) => [Float64Array.from(x)],
  samples: [
    { inputs: [{ shape: [1, 3, 1, 2] }], attributes: {} },
    { inputs: [words([1, 3, 1])], attributes: { axes: -1 } },
  ],
  random(choose) {
    const shape = Array.from({ length: choose.integer(1, 4) }, () => choose.pick([1, 1, 3]));
    return { inputs: [{ shape }], attributes: { axes: shape.flatMap((_, axis) => choose.pick([[axis], []])) } };
  },
}));

/* @__PURE__ */ specifyFunction<{ readonly axis: number }>(() => ({
  name: 'unsqueeze',
  summary: 'With a new axis of size 1.',
  call: ([x], { axis }) => [unsqueeze(x, axis)],
  reference: ([x]) => [Float64Array.from(x)],
  samples: [
    { inputs: [{ shape: [3, 2] }], attributes: { axis: 1 } },
    { inputs: [words([3])], attributes: { axis: -1 } },
  ],
  random(choose) {
    const shape = Array.from({ length: choose.integer(0, 3) }, () => choose.pick([1, 2, 5]));
    return { inputs: [{ shape }], attributes: { axis: choose.integer(-shape.length - 1, shape.length) } };
  },
}));

/* @__PURE__ */ specifyFunction<{ readonly first: number; readonly last: number }>(() => ({
  name: 'flatten',
  summary: 'Neighbouring axes merged into one.',
  call: ([x], { first, last }) => [flatten(x, first, last)],
  reference: ([x]) => [Float64Array.from(x)],
  samples: [
    { inputs: [{ shape: [2, 3, 1, 5] }], attributes: { first: 1, last: -1 } },
    { inputs: [words([2, 3])], attributes: { first: 0, last: 1 } },
  ],
  random(choose) {
    const shape = Array.from({ length: choose.integer(0, 3) }, () => choose.pick([1, 2, 5]));
    const last = choose.integer(0, Math.max(shape.length - 1, 0));
    return { inputs: [{ shape }], attributes: { first: choose.integer(0, last), last } };
  },
}));
