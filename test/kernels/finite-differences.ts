/** Gradients checked against finite differences of the float64 references. */
import type { Specified } from '../../engine/specify.ts';
import { contentOf, isDifferentiated, noise, type Problem, referenceOf } from './problems.ts';

/** Inputs of at most this many elements are checked element by element, larger ones along random directions. */
const SMALL = 12;
const DIRECTIONS = 3;

/**
 * Half the width of the central difference. In float64 rounding leaves ten digits; and so close, random numbers hardly
 * ever lie on both sides of a kink.
 */
const STEP = 1e-7;

/** The loss that tests differentiate: Σ over outputs of Σ upstream · output. Its upstream gradients, in float32. */
export const upstreamOf = (operation: Specified, problem: Problem): Float32Array[] =>
  referenceOf(operation, problem).map((output, i) => noise(output.length, 100 + i));

/** Which inputs of a problem have gradients, by position. */
export const differentiatedInputs = ({ inputs }: Problem): number[] =>
  inputs.flatMap((input, i) => (isDifferentiated(input) ? [i] : []));

/**
 * The largest error of `gradient` (of input `position`) over several directions: |⟨gradient, d⟩ − slope along d|, relative
 * to what ⟨gradient, d⟩ typically is for random d of that size.
 */
export function gradientError(
  operation: Specified,
  problem: Problem,
  position: number,
  upstream: readonly Float32Array[],
  gradient: Float32Array,
): number {
  const content = contentOf(problem).map(values => Float64Array.from(values));
  const lossAt = (direction: Float64Array, step: number) => {
    const moved = content.map((values, i) => (i === position ? values.map((v, j) => v + step * direction[j]) : values));
    return referenceOf(operation, problem, moved).reduce((sum, output, i) => sum + dot(output, upstream[i]), 0);
  };
  const size = Math.hypot(...gradient);
  let worst = 0;
  for (const direction of directionsOf(content[position].length, position)) {
    const slope = (lossAt(direction, STEP) - lossAt(direction, -STEP)) / (2 * STEP);
    const typical = (size * Math.hypot(...direction)) / Math.sqrt(direction.length);
    // Where the gradient is (nearly) zero, what the difference's own rounding leaves must not count.
    const error = Math.abs(dot(gradient, direction) - slope) / Math.max(typical, 1e-2);
    worst = Number.isNaN(error) ? Number.POSITIVE_INFINITY : Math.max(worst, error);
  }
  return worst;
}

const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
};

function directionsOf(length: number, position: number): Float64Array[] {
  if (length <= SMALL)
    return Array.from({ length }, (_, i) => Float64Array.from({ length }, (_, j) => (i === j ? 1 : 0)));
  return Array.from({ length: DIRECTIONS }, (_, i) => Float64Array.from(noise(length, 1000 + 10 * position + i)));
}
