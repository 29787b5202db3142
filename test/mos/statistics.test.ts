import fc from 'fast-check';
import { expect, test } from 'vitest';
import { normalCdf, studentCdf, studentQuantile } from '../../mos/statistics/distributions.ts';
import { clusterInterval, correlation, deviation, mean, meanInterval } from '../../mos/statistics/intervals.ts';
import { averageRanks, scoreRanks, tieSizes } from '../../mos/statistics/ranks.ts';

/** Values of scipy.stats.norm.cdf. */
test.each([
  [0, 0.5],
  [-1, 0.15865525393145707],
  [1.959963984540054, 0.975],
  [-2.9999, 0.0013503412829549248],
  [-3.0001, 0.001349454913260717],
  [-10, 7.619853024160593e-24],
  [-37, 5.725571222525139e-300],
  [Number.NEGATIVE_INFINITY, 0],
  [Number.POSITIVE_INFINITY, 1],
])('normal: %d', (z, p) => {
  expect(Math.abs(normalCdf(z) - p)).toBeLessThanOrEqual(p * 2e-12);
});

test('the normal distribution has no step where its formula changes', () => {
  for (const z of [-3, 3]) expect(normalCdf(z + 1e-9) / normalCdf(z - 1e-9)).toBeCloseTo(1, 7);
  expect(normalCdf(2.999999999999) + normalCdf(-2.999999999999)).toBeCloseTo(1, 15);
  expect(normalCdf(Number.NaN)).toBeNaN();
});

/** One and two degrees of freedom have closed forms; the others are scipy.stats.t.ppf. */
test.each([
  [0.975, 1, Math.tan(0.475 * Math.PI)],
  [0.975, 2, (2 * 0.975 - 1) / Math.sqrt(2 * 0.975 * 0.025)],
  [0.975, 25, 2.059538552753294],
  [0.975, 2599, 1.9608771656107906],
  [0.9, 5, 1.4758840488244815],
])('Student: %d with %d degrees of freedom', (probability, freedom, t) => {
  expect(Math.abs(studentQuantile(probability, freedom) / t - 1)).toBeLessThan(1e-11);
  expect(studentCdf(t, freedom)).toBeCloseTo(probability, 13);
});

test('ranks of scores: the best is 1, ties share theirs', () => {
  expect(scoreRanks([5, 3, 3, 1, 4, 3])).toEqual([1, 4, 4, 6, 2, 4]);
  expect(averageRanks([])).toEqual([]);
  expect(tieSizes([3, 1, 3, 3, 2, 1])).toEqual([3, 2]);
});

test('ranks always have the same sum, and keep the order', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 5 }), { maxLength: 40 }), values => {
      const ranks = averageRanks(values);
      expect(ranks.reduce((sum, rank) => sum + rank, 0)).toBe((values.length * (values.length + 1)) / 2);
      for (const [i, a] of values.entries())
        for (const [j, b] of values.entries()) expect(Math.sign(ranks[i] - ranks[j])).toBe(Math.sign(a - b));
    }),
  );
});

const RATINGS = [...'34253342435432434534234354'].map(Number);

test('the interval of a mean', () => {
  expect(mean(RATINGS)).toBe(3.5);
  expect(deviation(RATINGS)).toBeCloseTo(0.9486833, 7);
  const { low, high } = meanInterval(RATINGS);
  expect([low.toFixed(4), high.toFixed(4)]).toEqual(['3.1168', '3.8832']);
  expect(meanInterval([3])).toEqual({ low: Number.NaN, high: Number.NaN });
  expect(meanInterval([4, 4, 4])).toEqual({ low: 4, high: 4 });
});

test('the bootstrap of independent ratings comes to the normal interval', () => {
  // 3.1353 to 3.8647 with s of n − 1; the bootstrap's is s of n, two percent less.
  const { low, high } = clusterInterval(
    RATINGS.map(sum => ({ sum, count: 1 })),
    1,
  );
  const half = (1.959964 * deviation(RATINGS) * Math.sqrt(25)) / 26;
  expect(low).toBeCloseTo(3.5 - half, 1);
  expect(high).toBeCloseTo(3.5 + half, 1);
});

test('the bootstrap repeats itself, and draws whole clusters', () => {
  const clusters = [
    { sum: 10, count: 10 },
    { sum: 50, count: 10 },
    { sum: 0, count: 0 },
  ];
  const interval = clusterInterval(clusters, 7, 2000);
  expect(clusterInterval(clusters, 7, 2000)).toEqual(interval);
  // Both draws hit the same cluster half of the time: the ends are the clusters' means, however many ratings they hold.
  expect(interval).toEqual({ low: 1, high: 5 });
  expect(clusterInterval(clusters.slice(1), 7)).toEqual({ low: Number.NaN, high: Number.NaN });
});

test('correlation', () => {
  expect(correlation([1, 2, 3], [2, 4, 6])).toBeCloseTo(1, 15);
  expect(correlation([1, 2, 3, 4], [4, 2, 3, 1])).toBeCloseTo(-0.8, 15);
  expect(correlation([1, 2, 3], [4, 4, 4])).toBeNaN();
});
