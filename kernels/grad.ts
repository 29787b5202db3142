/** Gradients, with the two operations that the engine needs for them. */
import { backward, type GradientOptions } from '../engine/autograd.ts';
import type { Declaration } from '../engine/define.ts';
import type { Tensor } from '../engine/tensor.ts';
import { literal } from '../engine/text/expression.ts';
import { add } from './elementwise/arithmetic.ts';
import { applyOne, defineElementwise } from './elementwise/define-elementwise.ts';

export const fullLikeOp: Declaration<{ readonly value: number }> = defineElementwise<{ readonly value: number }>({
  name: 'fullLike',
  summary: 'A number, in the shape of x.',
  arity: 1,
  attributes: [{ value: 1 }],
  constant: true,
  compute: (_, { value }) => Math.fround(value),
  expression: (_, { value }) => literal(value),
  gradient: ({ grad }) => [() => fullLike(grad, 0)],
});

/** A tensor of x's shape, full of `value`. */
export const fullLike = (x: Tensor, value: number): Tensor => applyOne(fullLikeOp, [x], { value });

/**
 * Gradients of `loss` (one element) with respect to each of `wrt`, with their shapes. Inside `compile`, anything can be
 * differentiated; in eager work, what was computed from variables or `{ requiresGrad: true }` outside `noGrad`.
 * Throws GradientError where the loss does not depend on one of them.
 */
export function grad(loss: Tensor, wrt: readonly Tensor[], options: GradientOptions = {}): Tensor[] {
  return backward(loss, wrt, { add, onesLike: x => fullLike(x, 1) }, options);
}
