/** Constant tensors. */
import type { Tensor } from '../../engine/tensor.ts';
import { applyOne, defineElementwise, type ElementwiseOperation } from './define-elementwise.ts';
import { specifyElementwise } from './specify-elementwise.ts';

type FullAttributes = { readonly value: number };

export const fullLikeOp: ElementwiseOperation<FullAttributes> = /* @__PURE__ */ defineElementwise<FullAttributes>({
  name: 'fullLike',
  arity: 1,
  constant: true,
  expression: (_, { value }, number) => number(value),
  gradient: ({ grad }) => [() => fullLike(grad, 0)],
});

/* @__PURE__ */ specifyElementwise(fullLikeOp, () => ({
  summary: 'A tensor of x’s shape, filled with a number.',
  attributes: [{ value: 1 }],
  compute: (_, { value }) => Math.fround(value),
}));

/** A tensor of x's shape, filled with `value`. */
export const fullLike = (x: Tensor, value: number): Tensor => applyOne(fullLikeOp, [x], { value });
