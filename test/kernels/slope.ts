/** Gradients of sums, for tests at kinks and ties. */
import { type Tensor, tensor, tidy } from '../../engine/tensor.ts';
import * as ops from '../../kernels/index.ts';
import { takeOne } from '../device.ts';

/** The gradient of Σ wᵢ · f(x)ᵢ with respect to x; `weightOf` gives wᵢ, default 1. */
export function slope(
  f: (x: Tensor) => Tensor,
  x: readonly number[],
  shape: readonly number[] = [x.length],
  weightOf: (i: number) => number = () => 1,
): Promise<Float32Array> {
  return takeOne(
    tidy(() => {
      const input = tensor(x, shape, { requiresGrad: true });
      const y = f(input);
      const weights = Float32Array.from({ length: y.size }, (_, i) => weightOf(i));
      return ops.grad(ops.sum(ops.mul(y, tensor(weights, y.shape))), [input])[0];
    }),
  );
}
