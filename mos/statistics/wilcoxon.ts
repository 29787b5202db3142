/** Wilcoxon's signed-rank test for paired values. */

import { normalCdf } from './distributions.ts';
import { averageRanks, tieSizes } from './ranks.ts';

/**
 * What happens to differences of zero: `wilcox` drops them before ranking, `pratt` ranks them and drops their ranks
 * (Pratt 1959), `zsplit` gives half of their ranks to each side.
 */
export type Zeros = 'wilcox' | 'pratt' | 'zsplit';

export interface SignedRankOptions {
  /** Default: `wilcox`. */
  readonly zeros?: Zeros;
  /** Default: `two-sided`. */
  readonly alternative?: 'two-sided' | 'greater' | 'less';
  /**
   * `normal`: the normal approximation, corrected for ties. `exact`: the distribution over all signs of the kept ranks,
   * given the ties, which takes time and memory in proportion to the square of their number. Default: `exact` for at most
   * `EXACT_MOST` kept differences, otherwise `normal`.
   */
  readonly method?: 'normal' | 'exact';
  /** Moves the sum by 1/2 towards its mean before the normal approximation. Default: false. */
  readonly correction?: boolean;
}

export interface SignedRank {
  /** Sum of the ranks of positive differences. */
  readonly positive: number;
  /** Sum of the ranks of negative differences. */
  readonly negative: number;
  /** The smaller of both sums. */
  readonly statistic: number;
  /** NaN if no difference is left. */
  readonly p: number;
  /** Standard score of the positive sum, without correction. NaN if no difference is left. */
  readonly z: number;
  /** Number of differences that are not zero. */
  readonly kept: number;
  readonly zeros: number;
  readonly method: 'normal' | 'exact';
}

/** Up to this many differences the exact distribution is the default, as in scipy. */
export const EXACT_MOST = 50;

/** Ranks of the differences that count, with their signs. */
interface Ranked {
  readonly ranks: readonly number[];
  readonly signs: readonly number[];
  readonly zeros: number;
  /** Sum of the ranks of zeros, of which each side gets half. */
  readonly split: number;
}

/**
 * Tests whether differences are symmetric about zero. Statistics, variances and corrections are those of scipy's
 * `wilcoxon`, the exact distribution with ties that of its permutation method.
 * @param differences finite numbers.
 */
export function signedRank(differences: readonly number[], options: SignedRankOptions = {}): SignedRank {
  const { zeros = 'wilcox', alternative = 'two-sided', correction = false } = options;
  const ranked = rankedBy(zeros, differences);
  const { ranks, signs, split } = ranked;
  const sumOf = (sign: number) => ranks.reduce((sum, rank, i) => sum + (signs[i] === sign ? rank : 0), split / 2);
  const [positive, negative] = [sumOf(1), sumOf(-1)];
  const sums = { positive, negative, statistic: Math.min(positive, negative) };
  const { mean, deviation } = momentsOf(zeros, differences, ranked);
  const method = options.method ?? (ranks.length <= EXACT_MOST ? 'exact' : 'normal');
  const counts = { kept: ranks.length, zeros: ranked.zeros, method };
  if (ranks.length === 0) return { ...sums, ...counts, p: Number.NaN, z: Number.NaN };
  const z = (positive - mean) / deviation;
  const p =
    method === 'exact'
      ? exactP(ranks, positive - split / 2, alternative)
      : normalP(positive - mean, deviation, alternative, correction);
  return { ...sums, ...counts, p, z };
}

function rankedBy(zeros: Zeros, differences: readonly number[]): Ranked {
  const kept = differences.filter(d => d !== 0);
  const count = differences.length - kept.length;
  const signs = kept.map(Math.sign);
  if (zeros === 'wilcox') return { ranks: averageRanks(kept.map(Math.abs)), signs, zeros: count, split: 0 };
  const all = averageRanks(differences.map(Math.abs));
  const ranks = all.filter((_, i) => differences[i] !== 0);
  const split = zeros === 'zsplit' ? (count * (count + 1)) / 2 : 0;
  return { ranks, signs, zeros: count, split };
}

/** Mean and standard deviation of the positive sum, were the signs random. */
function momentsOf(zeros: Zeros, differences: readonly number[], { ranks, zeros: count }: Ranked) {
  const n = zeros === 'wilcox' ? ranks.length : differences.length;
  let mean = (n * (n + 1)) / 4;
  let sum = n * (n + 1) * (2 * n + 1);
  if (zeros === 'pratt') {
    mean -= (count * (count + 1)) / 4;
    sum -= count * (count + 1) * (2 * count + 1);
  }
  // With zsplit the zeros are a tie group like the others.
  const tied = zeros === 'zsplit' && count > 1 ? [...tieSizes(ranks), count] : tieSizes(ranks);
  const ties = tied.reduce((total, t) => total + t ** 3 - t, 0);
  return { mean, deviation: Math.sqrt((sum - ties / 2) / 24) };
}

function normalP(
  distance: number,
  deviation: number,
  alternative: 'two-sided' | 'greater' | 'less',
  correction: boolean,
): number {
  const half = correction ? 0.5 : 0;
  if (alternative === 'greater') return normalCdf(-(distance - half) / deviation);
  if (alternative === 'less') return normalCdf((distance + half) / deviation);
  return Math.min(1, 2 * normalCdf(-Math.abs(distance - half * Math.sign(distance)) / deviation));
}

/**
 * Counts sign patterns by their sum. Average ranks are halves, so doubled ranks are whole numbers. The counts are kept as
 * probabilities, because there are 2^n patterns.
 */
function exactP(ranks: readonly number[], positive: number, alternative: 'two-sided' | 'greater' | 'less'): number {
  const doubled = ranks.map(rank => Math.round(2 * rank));
  const total = doubled.reduce((sum, rank) => sum + rank, 0);
  const probability = new Float64Array(total + 1);
  probability[0] = 1;
  let reached = 0;
  for (const rank of doubled) {
    reached += rank;
    for (let sum = reached; sum >= 0; sum--) {
      probability[sum] = 0.5 * (probability[sum] + (sum >= rank ? probability[sum - rank] : 0));
    }
  }
  const seen = Math.round(2 * positive);
  const tail = (from: number, to: number) => probability.subarray(from, to + 1).reduce((sum, p) => sum + p, 0);
  if (alternative === 'greater') return tail(seen, total);
  if (alternative === 'less') return tail(0, seen);
  // The distribution is symmetric.
  return Math.min(1, 2 * tail(0, Math.min(seen, total - seen)));
}

/**
 * Holm's step-down adjustment of p-values for testing several hypotheses (Holm 1979), in the order given. NaN stays NaN
 * and does not count as a hypothesis.
 */
export function holm(ps: readonly number[]): number[] {
  const order = ps.map((_, i) => i).filter(i => !Number.isNaN(ps[i]));
  order.sort((a, b) => ps[a] - ps[b]);
  const adjusted = ps.map(() => Number.NaN);
  let most = 0;
  order.forEach((index, i) => {
    most = Math.max(most, Math.min(1, ps[index] * (order.length - i)));
    adjusted[index] = most;
  });
  return adjusted;
}
