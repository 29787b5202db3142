/** Joining tensors along a new axis, and taking them apart along one. */
import { ArgumentError, nameOf, quoted, ShapeError } from '../../engine/basics/errors.ts';
import { formatShape, normalizeAxes, type Shape, sameShape, sizeOf } from '../../engine/basics/shape.ts';
import { requireTensors } from '../../engine/require.ts';
import { specifyFunction } from '../../engine/specify.ts';
import { type Tensor, tidy } from '../../engine/tensor.ts';
import { words } from '../references.ts';
import { concat } from './concat.ts';
import { unsqueeze } from './reshape.ts';
import { slice } from './slice.ts';

/** Joins tensors of one shape along a new axis at `axis` of the result, negative from its end. PyTorch's `stack`. */
export function stack(tensors: readonly Tensor[], axis = 0): Tensor {
  if (!Array.isArray(tensors) || tensors.length === 0)
    throw new ArgumentError('stack', `expected an array of at least one tensor, got ${nameOf(tensors)}.`);
  requireTensors('stack', ...tensors);
  const { shape } = tensors[0];
  const other = tensors.find(one => !sameShape(one.shape, shape));
  if (other)
    throw new ShapeError('stack', `expected equal shapes, got ${formatShape(shape)} and ${formatShape(other.shape)}.`);
  const [at] = normalizeAxes('stack', [axis], shape.length + 1);
  return tidy(() =>
    concat(
      tensors.map(one => unsqueeze(one, at)),
      at,
    ),
  );
}

/** The parts of these sizes along an axis. */
function partsOf(x: Tensor, sizes: readonly number[], axis: number): Tensor[] {
  let from = 0;
  return sizes.map(size => {
    const start = x.shape.map((_, i) => (i === axis ? from : 0));
    from += size;
    return slice(
      x,
      start,
      x.shape.map((all, i) => (i === axis ? from : all)),
    );
  });
}

/** Sizes of parts of `size`; the last one may be smaller. */
const equalSizes = (all: number, size: number): number[] =>
  Array.from({ length: Math.ceil(all / size) }, (_, i) => Math.min(size, all - i * size));

const isPositive = (size: unknown): boolean => Number.isInteger(size) && Number(size) >= 1;

/**
 * x in parts along `axis` (negative from the end): of `sizes`, which must sum to the axis's size, or of one size (the last part
 * may be smaller). PyTorch's `split`.
 */
export function split(x: Tensor, sizes: number | readonly number[], axis = 0): Tensor[] {
  requireTensors('split', x);
  const [at] = normalizeAxes('split', [axis], x.shape.length);
  const all = x.shape[at];
  if (!(Array.isArray(sizes) ? sizes.length > 0 && sizes.every(isPositive) : isPositive(sizes)))
    throw new ArgumentError('split', `expected positive integer sizes, got ${quoted(sizes)}.`);
  const parts = typeof sizes === 'number' ? equalSizes(all, sizes) : sizes;
  const total = parts.reduce((sum, size) => sum + size, 0);
  if (total !== all)
    throw new ShapeError(
      'split',
      `expected sizes that sum to ${all} (axis ${axis} of ${formatShape(x.shape)}), got ${total}.`,
    );
  return partsOf(x, parts, at);
}

/**
 * x in at most `count` parts of one size along `axis`, of which the last may be smaller: fewer if the axis has too few elements,
 * as in PyTorch's `chunk`.
 */
export function chunk(x: Tensor, count: number, axis = 0): Tensor[] {
  requireTensors('chunk', x);
  const [at] = normalizeAxes('chunk', [axis], x.shape.length);
  if (!isPositive(count)) throw new ArgumentError('chunk', `expected a positive integer count, got ${quoted(count)}.`);
  return partsOf(x, equalSizes(x.shape[at], Math.ceil(x.shape[at] / count)), at);
}

/* @__PURE__ */ specifyFunction<{ readonly axis: number }>(() => ({
  name: 'stack',
  summary: 'Joins tensors along a new axis.',
  call: (inputs, { axis }) => [stack(inputs, axis)],
  reference(inputs, [shape], { axis }) {
    const inner = sizeOf(shape.slice(axis));
    const outer = inputs[0].length / inner;
    return [
      Float64Array.from(
        Array.from({ length: outer }, (_, o) =>
          inputs.flatMap(x => [...x.subarray(o * inner, (o + 1) * inner)]),
        ).flat(),
      ),
    ];
  },
  samples: [
    { inputs: [{ shape: [2, 3] }, { shape: [2, 3] }, { shape: [2, 3] }], attributes: { axis: 1 } },
    { inputs: [words([5]), words([5])], attributes: { axis: 0 } },
  ],
  random(choose) {
    const shape = Array.from({ length: choose.integer(0, 3) }, () => choose.pick([1, 2, 5]));
    const inputs = Array.from({ length: choose.integer(1, 3) }, () => ({ shape }));
    return { inputs, attributes: { axis: choose.integer(0, shape.length) } };
  },
}));

/** Elements of x by parts along an axis. */
function referenceParts(x: Float64Array, shape: Shape, sizes: readonly number[], axis: number): Float64Array[] {
  const inner = sizeOf(shape.slice(axis + 1));
  let from = 0;
  return sizes.map(size => {
    const [start, end] = [from, from + size];
    from = end;
    return x.filter((_, i) => {
      const at = Math.floor(i / inner) % shape[axis];
      return at >= start && at < end;
    });
  });
}

/* @__PURE__ */ specifyFunction<{ readonly sizes: number | readonly number[]; readonly axis: number }>(() => ({
  name: 'split',
  summary: 'Parts along an axis, of one size or of given sizes.',
  call: ([x], { sizes, axis }) => split(x, sizes, axis),
  reference: ([x], [shape], { sizes, axis }) =>
    referenceParts(x, shape, typeof sizes === 'number' ? equalSizes(shape[axis], sizes) : sizes, axis),
  samples: [
    { inputs: [{ shape: [2, 7, 3] }], attributes: { sizes: [1, 4, 2], axis: 1 } },
    { inputs: [words([5, 2])], attributes: { sizes: 2, axis: 0 } },
  ],
  random(choose) {
    const shape = Array.from({ length: choose.integer(1, 3) }, () => choose.pick([1, 2, 5]));
    return {
      inputs: [{ shape }],
      attributes: { sizes: choose.integer(1, 6), axis: choose.integer(0, shape.length - 1) },
    };
  },
}));

/* @__PURE__ */ specifyFunction<{ readonly count: number; readonly axis: number }>(() => ({
  name: 'chunk',
  summary: 'At most so many parts of one size along an axis; the last may be smaller.',
  call: ([x], { count, axis }) => chunk(x, count, axis),
  reference: ([x], [shape], { count, axis }) =>
    referenceParts(x, shape, equalSizes(shape[axis], Math.ceil(shape[axis] / count)), axis),
  samples: [
    // 5 in 4 parts are 2, 2 and 1.
    { inputs: [{ shape: [2, 5] }], attributes: { count: 4, axis: 1 } },
    { inputs: [words([6])], attributes: { count: 3, axis: 0 } },
  ],
  random(choose) {
    const shape = Array.from({ length: choose.integer(1, 3) }, () => choose.pick([1, 2, 5]));
    return {
      inputs: [{ shape }],
      attributes: { count: choose.integer(1, 6), axis: choose.integer(0, shape.length - 1) },
    };
  },
}));
