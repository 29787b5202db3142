/** How far numbers are from what they should be. */

/**
 * ‖a − b‖ / ‖b‖, and ‖a‖ where b is zero. Entries that should be no finite number must be that very one, or the result is
 * infinite.
 */
export function relativeError(got: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (got.length !== expected.length) return Number.POSITIVE_INFINITY;
  let error = 0;
  let size = 0;
  for (let i = 0; i < expected.length; i++) {
    const [a, b] = [got[i], expected[i]];
    if (Number.isFinite(b)) {
      error += (a - b) ** 2;
      size += b * b;
    } else if (!Object.is(a, b)) return Number.POSITIVE_INFINITY;
  }
  return Math.sqrt(size > 0 ? error / size : error);
}

/** The largest |a − b| / |b|; entries below `smallest`, where float32 has no digits left, are compared with that. */
export function worstElementError(got: ArrayLike<number>, expected: ArrayLike<number>, smallest = 1e-30): number {
  if (got.length !== expected.length) return Number.POSITIVE_INFINITY;
  let worst = 0;
  for (let i = 0; i < expected.length; i++) {
    const [a, b] = [got[i], expected[i]];
    if (Number.isFinite(b)) {
      const error = Math.abs(a - b) / Math.max(Math.abs(b), smallest);
      // Also where the error is NaN.
      if (!(error <= worst)) worst = Number.isNaN(error) ? Number.POSITIVE_INFINITY : error;
    } else if (!Object.is(a, b)) return Number.POSITIVE_INFINITY;
  }
  return worst;
}
