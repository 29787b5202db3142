/** Helpers for specifications. Bundles do not contain them. */
import { type Shape, sizeOf, stridesOf } from '../engine/basics/shape.ts';
import type { Choose, SampleInput } from '../engine/specify.ts';

/** Unusual shapes: rank 1 to 4, sizes of 1, primes, rows shorter and longer than a workgroup. */
export function oddShape(choose: Choose): number[] {
  const rank = choose.integer(1, 4);
  return Array.from({ length: rank }, (_, axis) =>
    choose.pick(axis === rank - 1 ? [1, 3, 8, 17, 37, 67] : [1, 2, 3, 5]),
  );
}

/** An input of arbitrary 32-bit words, for operations that must preserve bits. */
export const words = (shape: Shape): SampleInput => ({ shape, dtype: 'u32', range: [0, 2 ** 32] });

/** Evaluates `f` at every index of `shape`, with each operand's flat index from its strides. */
export function mapIndices(
  shape: Shape,
  strides: readonly (readonly number[])[],
  f: (at: readonly number[]) => number,
): Float64Array {
  const own = stridesOf(shape);
  return Float64Array.from({ length: sizeOf(shape) }, (_, index) =>
    f(
      strides.map(stride => {
        let at = 0;
        for (let axis = 0; axis < shape.length; axis++)
          at += (Math.floor(index / own[axis]) % shape[axis]) * stride[axis];
        return at;
      }),
    ),
  );
}
