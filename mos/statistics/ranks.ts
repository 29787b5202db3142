/** Ranks with ties. */

/**
 * Ranks from 1, the smallest value first; equal values share the average of their ranks. The sum is always n(n + 1)/2.
 * NaN has no order, so values must be numbers.
 */
export function averageRanks(values: readonly number[]): number[] {
  const order = values.map((_, i) => i).sort((a, b) => values[a] - values[b]);
  const ranks = new Array<number>(values.length);
  for (let begin = 0; begin < order.length; ) {
    let end = begin + 1;
    while (end < order.length && values[order[end]] === values[order[begin]]) end++;
    for (let i = begin; i < end; i++) ranks[order[i]] = (begin + 1 + end) / 2;
    begin = end;
  }
  return ranks;
}

/** Ranks of scores as in figure 10 of Ledig et al.: 1 for the best (highest) score, the average for ties. */
export function scoreRanks(scores: readonly number[]): number[] {
  return averageRanks(scores.map(score => -score));
}

/** The sizes of the groups of equal values that have at least two members. */
export function tieSizes(values: readonly number[]): number[] {
  const sizes = new Map<number, number>();
  for (const value of values) sizes.set(value, (sizes.get(value) ?? 0) + 1);
  return [...sizes.values()].filter(size => size > 1);
}
