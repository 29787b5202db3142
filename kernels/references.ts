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

/** erf x in float64: its series below 2.5, elsewhere erfc by a continued fraction (Abramowitz and Stegun 7.1.6, 7.1.14). */
export const errorFunction = (x: number): number =>
  Math.abs(x) >= 2.5 ? Math.sign(x) * (1 - erfcFraction(Math.abs(x))) : erfSeries(x);

/** (1 + erf(x/√2)) / 2, without cancellation for negative x. */
export function normalDistribution(x: number): number {
  const z = Math.abs(x) / Math.SQRT2;
  const tail = (z >= 2.5 ? erfcFraction(z) : 1 - erfSeries(z)) / 2;
  return x < 0 ? tail : 1 - tail;
}

function erfSeries(x: number): number {
  let term = (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * x;
  let total = term;
  for (let n = 1; n < 80; n++) {
    term *= (2 * x * x) / (2 * n + 1);
    total += term;
  }
  return total;
}

function erfcFraction(x: number): number {
  if (x > 30) return 0;
  let fraction = x;
  for (let n = 80; n >= 1; n--) fraction = x + n / 2 / fraction;
  return Math.exp(-x * x) / Math.sqrt(Math.PI) / fraction;
}
