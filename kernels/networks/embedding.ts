/** Indices as vectors: one-hot, or rows of a table. Indices are u32, or whole numbers in f32. */
import { noGrad } from '../../engine/apply.ts';
import { ArgumentError, quoted, ShapeError } from '../../engine/basics/errors.ts';
import { formatShape } from '../../engine/basics/shape.ts';
import { requireTensors } from '../../engine/require.ts';
import { specifyFunction } from '../../engine/specify.ts';
import { type Tensor, tidy } from '../../engine/tensor.ts';
import { arange } from '../creation/constants.ts';
import { equal, greaterEqual, less, logicalAnd } from '../elementwise/comparison.ts';
import { floor } from '../elementwise/functions.ts';
import { where } from '../elementwise/selection.ts';
import { indexSelect } from '../movement/gather.ts';
import { indexNumbers } from '../movement/indices.ts';
import { reshape, unsqueeze } from '../movement/reshape.ts';

/** 1 where numbers are whole and from 0 to below `size`. */
export const isIndex = (index: Tensor, size: number): Tensor =>
  logicalAnd(equal(index, floor(index)), logicalAnd(greaterEqual(index, 0), less(index, size)));

/**
 * Vectors of `classes` numbers along a new last axis: 1 at the index, else 0. An index that is no class gives NaN. The result is
 * f32. PyTorch's `one_hot`.
 */
export function oneHot(index: Tensor, classes: number): Tensor {
  requireTensors('oneHot', index);
  if (!Number.isInteger(classes) || classes < 1)
    throw new ArgumentError('oneHot', `expected a positive integer number of classes, got ${quoted(classes)}.`);
  return noGrad(() =>
    tidy(() => {
      const numbers = unsqueeze(indexNumbers(index), -1);
      const all = arange(classes, { device: index.device });
      return where(isIndex(numbers, classes), equal(numbers, all), Number.NaN);
    }),
  );
}

/**
 * Rows of `weight` [count, size] at `index`, of any shape: the result is [...index's shape, size]. An index that is no row gives
 * NaN. The gradient of a row is the sum over its repetitions, in order. PyTorch's `embedding`, with the weight first.
 */
export function embedding(weight: Tensor, index: Tensor): Tensor {
  requireTensors('embedding', weight, index);
  if (weight.shape.length !== 2)
    throw new ShapeError('embedding', `expected a weight of [count, size], got ${formatShape(weight.shape)}.`);
  return tidy(() => reshape(indexSelect(weight, 0, reshape(index, [-1])), [...index.shape, weight.shape[1]]));
}

/* @__PURE__ */ specifyFunction<{ readonly classes: number }>(() => ({
  name: 'oneHot',
  summary: '1 at an index, else 0, along a new last axis; NaN for an index outside.',
  call: ([index], { classes }) => [oneHot(index, classes)],
  reference: ([index], _, { classes }) => [
    Float64Array.from({ length: index.length * classes }, (_, i) => {
      const at = index[Math.floor(i / classes)];
      if (!Number.isInteger(at) || at < 0 || at >= classes) return Number.NaN;
      return at === i % classes ? 1 : 0;
    }),
  ],
  samples: [
    { inputs: [{ shape: [2, 2], values: [0, 3, 1, 1], fixed: true }], attributes: { classes: 4 } },
    { inputs: [{ shape: [3], dtype: 'u32', values: [0, 2, 3] }], attributes: { classes: 3 } },
    { inputs: [{ shape: [4], values: [0.5, -1, Number.NaN, 0], fixed: true }], attributes: { classes: 1 } },
  ],
  random(choose) {
    const classes = choose.integer(1, 9);
    const values = Array.from({ length: 6 }, () => choose.integer(0, classes - 1));
    return { inputs: [{ shape: choose.pick([[6], [2, 3]]), values, fixed: true }], attributes: { classes } };
  },
}));

/* @__PURE__ */ specifyFunction(() => ({
  name: 'embedding',
  summary: 'Rows of a table at indices; the gradient adds up repeated rows.',
  call: ([weight, index]) => [embedding(weight, index)],
  reference: ([weight, index], [[count, size]]) => [
    Float64Array.from({ length: index.length * size }, (_, i) => {
      const row = index[Math.floor(i / size)];
      return Number.isInteger(row) && row >= 0 && row < count ? weight[row * size + (i % size)] : Number.NaN;
    }),
  ],
  samples: [
    { inputs: [{ shape: [4, 3] }, { shape: [2, 3], values: [3, 0, 3, 3, 1, 0], fixed: true }], attributes: {} },
    { inputs: [{ shape: [4, 3] }, { shape: [], dtype: 'u32', values: [2] }], attributes: {} },
  ],
  random(choose) {
    const count = choose.integer(1, 9);
    const values = Array.from({ length: 8 }, () => choose.integer(0, count - 1));
    const shape = choose.pick([[8], [2, 4]]);
    return {
      inputs: [{ shape: [count, choose.pick([1, 5, 33])] }, { shape, values, fixed: true }],
      attributes: {},
    };
  },
}));
