/** Means and their confidence intervals. */

import { Random } from '../../image/random.ts';
import { studentQuantile } from './distributions.ts';

/** A range that holds the true value with a probability of 95 %. */
export interface Interval {
  readonly low: number;
  readonly high: number;
}

/** The mean; NaN for no values. */
export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** The sample's standard deviation, with n − 1. NaN for fewer than two values. */
export function deviation(values: readonly number[]): number {
  const centre = mean(values);
  const squares = values.reduce((sum, value) => sum + (value - centre) ** 2, 0);
  return values.length < 2 ? Number.NaN : Math.sqrt(squares / (values.length - 1));
}

/** mean ± t·s/√n, with Student's t of n − 1 degrees of freedom. NaN for fewer than two values. */
export function meanInterval(values: readonly number[]): Interval {
  const n = values.length;
  if (n < 2) return { low: Number.NaN, high: Number.NaN };
  const half = (studentQuantile(0.975, n - 1) * deviation(values)) / Math.sqrt(n);
  return { low: mean(values) - half, high: mean(values) + half };
}

/** A group of ratings that are not independent: of one rater, or of one picture. */
export interface Cluster {
  readonly sum: number;
  readonly count: number;
}

/** Draws of a bootstrap. */
export const DRAWS = 10_000;

/**
 * Percentile bootstrap of a mean over clusters (Efron 1979; Davison and Hinkley 1997, section 3.8): whole clusters are
 * drawn with replacement, as many as there are. NaN for fewer than two clusters.
 * @param seed the same seed gives the same interval on every machine.
 */
export function clusterInterval(clusters: readonly Cluster[], seed: number, draws = DRAWS): Interval {
  const filled = clusters.filter(({ count }) => count > 0);
  if (filled.length < 2) return { low: Number.NaN, high: Number.NaN };
  const random = new Random(seed);
  const means = new Float64Array(draws);
  for (let draw = 0; draw < draws; draw++) {
    let sum = 0;
    let count = 0;
    for (let i = 0; i < filled.length; i++) {
      const cluster = filled[random.integer(filled.length)];
      sum += cluster.sum;
      count += cluster.count;
    }
    means[draw] = sum / count;
  }
  means.sort();
  return { low: quantile(means, 0.025), high: quantile(means, 0.975) };
}

/** Linear between order statistics (type 7 of Hyndman and Fan 1996). */
function quantile(sorted: Float64Array, probability: number): number {
  const place = (sorted.length - 1) * probability;
  const below = Math.floor(place);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below] + (place - below) * (sorted[above] - sorted[below]);
}

/** Pearson's correlation. NaN if either side is constant or there are fewer than two pairs. */
export function correlation(a: readonly number[], b: readonly number[]): number {
  const [meanA, meanB] = [mean(a), mean(b)];
  let [ab, aa, bb] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    const [da, db] = [a[i] - meanA, b[i] - meanB];
    ab += da * db;
    aa += da * da;
    bb += db * db;
  }
  return aa > 0 && bb > 0 ? ab / Math.sqrt(aa * bb) : Number.NaN;
}
