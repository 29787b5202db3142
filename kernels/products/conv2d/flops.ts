/** Counts the arithmetic of convolutions. */

import { type Shape, sizeOf } from '../../../engine/basics/shape.ts';
import type { Attributes, Problem } from '../../../engine/graph/operation.ts';
import { conv2dInputGradientOp, conv2dOp, conv2dWeightGradientOp } from './index.ts';

/** 2 · N · K · OH · OW · C · R · S, regardless of the algorithm; `y` has the output's shape. */
const direct = (y: Shape, [, c, r, s]: Shape): number => 2 * sizeOf(y) * c * r * s;

/**
 * Floating-point operations of a convolution or one of its gradients, counted as direct convolution. Undefined for other
 * operations. In a fused operation (`conv2d+…`) only the convolution counts.
 */
export function convolutionFlops(
  operation: string,
  { inputs, outputs }: Pick<Problem<Attributes>, 'inputs' | 'outputs'>,
): number | undefined {
  const [name] = operation.split('+');
  if (name === conv2dOp.name) return direct(outputs[0].shape, inputs[1].shape);
  if (name === conv2dInputGradientOp.name) return direct(inputs[0].shape, inputs[1].shape);
  if (name === conv2dWeightGradientOp.name) return direct(inputs[1].shape, outputs[0].shape);
  return undefined;
}
