/** Automatic differentiation, with the two operations that the engine needs for it. */

import { backward, type GradientOptions } from '../engine/autograd.ts';
import { ArgumentError, checkOptions, nameOf } from '../engine/basics/errors.ts';
import { requireTensors } from '../engine/require.ts';
import type { Tensor } from '../engine/tensor.ts';
import { add } from './elementwise/arithmetic.ts';
import { fullLike } from './elementwise/full-like.ts';

/**
 * Gradients of `loss` (one element) with respect to each tensor in `wrt`, with the same shapes. Inside `compile`, everything
 * can be differentiated; in eager code, anything computed from variables or `{ requiresGrad: true }` outside `noGrad`.
 * Throws GradientError if the loss does not depend on one of them.
 */
export function grad(loss: Tensor, wrt: readonly Tensor[], options: GradientOptions = {}): Tensor[] {
  requireTensors('grad', loss);
  if (!Array.isArray(wrt)) throw new ArgumentError('grad', `expected an array of tensors, got ${nameOf(wrt)}.`);
  requireTensors('grad', ...wrt);
  checkOptions('grad', options, ['createGraph']);
  return backward(loss, wrt, { add, onesLike: x => fullLike(x, 1) }, options);
}
