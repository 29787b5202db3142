/** Reshaping; no kernel runs. */
import { apply } from '../../engine/apply.ts';
import { nameOf, ShapeError } from '../../engine/basics/errors.ts';
import { checkShape, formatShape, like, type Shape, sameShape, sizeOf } from '../../engine/basics/shape.ts';
import { defineOp } from '../../engine/define.ts';
import { requireTensors } from '../../engine/require.ts';
import { specify } from '../../engine/specify.ts';
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
