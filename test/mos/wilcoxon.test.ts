import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { holm, type SignedRankOptions, signedRank } from '../../mos/statistics/wilcoxon.ts';

const minus = (x: readonly number[], y: readonly number[]) => x.map((value, i) => value - y[i]);
const repeated = (counts: readonly (readonly [value: number, times: number])[]) =>
  counts.flatMap(([value, times]) => Array<number>(times).fill(value));
const digits = (text: string) => [...text].map(Number);

/** Of R's documentation of `wilcox.test`. */
const DEPRESSION = minus(
  [1.83, 0.5, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.3],
  [0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29],
);
const MANY_ZEROS = repeated([
  [-4, 1],
  [-3, 4],
  [-2, 16],
  [-1, 15],
  [0, 8],
  [1, 4],
  [2, 5],
  [3, 1],
  [4, 2],
]);
const TWELVE = minus(
  [120, 114, 181, 188, 180, 146, 121, 191, 132, 113, 127, 112],
  [133, 143, 119, 189, 112, 199, 198, 113, 115, 121, 142, 187],
);
const TEN = minus(
  [125, 115, 130, 140, 140, 115, 140, 125, 140, 135],
  [110, 122, 125, 120, 140, 124, 123, 137, 135, 145],
);
const SMALL = minus(
  [1.81, 0.82, 1.56, -0.48, 0.81, 1.28, -1.04, 0.23, -0.75, 0.14],
  [0.71, 0.65, -0.2, 0.85, -1.1, -0.45, -0.84, -0.24, -0.68, -0.76],
);
const RATINGS = minus(digits('34253342435432434534234354'), digits('33243243334422334433233345'));
const STAIRS = Array.from({ length: 13 }, (_, i) => i - 5);

/** Of scipy's tests (scipy/stats/tests/test_morestats.py), and of scipy and R where those have none. */
const WORKED: readonly [
  name: string,
  differences: readonly number[],
  options: SignedRankOptions,
  expected: { positive?: number; negative?: number; statistic?: number; p: number },
][] = [
  ['R, exact', DEPRESSION, { method: 'exact' }, { positive: 40, negative: 5, p: 0.0390625 }],
  ['R, exact, greater', DEPRESSION, { method: 'exact', alternative: 'greater' }, { positive: 40, p: 0.01953125 }],
  ['many zeros, pratt', MANY_ZEROS, { zeros: 'pratt', method: 'normal' }, { statistic: 423, p: 0.0031724568 }],
  ['many zeros, zsplit', MANY_ZEROS, { zeros: 'zsplit', method: 'normal' }, { statistic: 441, p: 0.0032145343 }],
  ['many zeros, wilcox', MANY_ZEROS, { zeros: 'wilcox', method: 'normal' }, { statistic: 327, p: 0.00641346116 }],
  ['twelve', TWELVE, { method: 'normal' }, { statistic: 34, p: 0.6948866024 }],
  ['twelve, corrected', TWELVE, { method: 'normal', correction: true }, { statistic: 34, p: 0.7240816609 }],
  ['ten, less', TEN, { method: 'normal', alternative: 'less' }, { positive: 27, p: 0.7031847043 }],
  [
    'ten, less, corrected',
    TEN,
    { method: 'normal', alternative: 'less', correction: true },
    { positive: 27, p: 0.72336564289 },
  ],
  ['ten, greater', TEN, { method: 'normal', alternative: 'greater' }, { positive: 27, p: 0.2968152957 }],
  [
    'ten, greater, corrected',
    TEN,
    { method: 'normal', alternative: 'greater', correction: true },
    { positive: 27, p: 0.3176446594 },
  ],
  ['small, exact', SMALL, { method: 'exact' }, { p: 0.10546875 }],
  ['small, exact, greater', SMALL, { method: 'exact', alternative: 'greater' }, { p: 0.052734375 }],
  ['all equal', Array(10).fill(0.1), { method: 'normal' }, { statistic: 0, p: 0.00156540226 }],
  [
    'all equal, corrected',
    Array(10).fill(0.1),
    { method: 'normal', correction: true },
    { statistic: 0, p: 0.00190419504 },
  ],
  ['one that differs, pratt', [0, 0, 0, -1], { zeros: 'pratt', method: 'normal' }, { statistic: 0, p: 0.3173105079 }],
  ['stairs, exact with ties', STAIRS, { method: 'exact' }, { statistic: 27.5, p: 0.3955078125 }],
  [
    'stairs, 1 for 0, exact with ties',
    STAIRS.map(d => (d === 0 ? 1 : d)),
    { method: 'exact' },
    { statistic: 32, p: 0.3779296875 },
  ],
  ['ratings, wilcox', RATINGS, { method: 'normal' }, { statistic: 14, p: 0.0125549186 }],
  ['ratings, wilcox, corrected', RATINGS, { method: 'normal', correction: true }, { p: 0.0140286307 }],
  ['ratings, pratt', RATINGS, { zeros: 'pratt', method: 'normal' }, { statistic: 40, p: 0.0125549186 }],
  ['ratings, pratt, corrected', RATINGS, { zeros: 'pratt', method: 'normal', correction: true }, { p: 0.0130543413 }],
  ['ratings, zsplit', RATINGS, { zeros: 'zsplit', method: 'normal' }, { statistic: 85.5, p: 0.0184722777 }],
  ['ratings, exact with ties', RATINGS, { method: 'exact' }, { positive: 77, p: 0.0224609375 }],
];

test.each(WORKED)('%s', (_, differences, options, { p, ...sums }) => {
  const result = signedRank(differences, options);
  expect(result).toMatchObject(sums);
  // The figures have eight to eleven significant digits.
  expect(Math.abs(result.p / p - 1)).toBeLessThan(1e-8);
});

test('zeros are counted in every treatment', () => {
  for (const zeros of ['wilcox', 'pratt', 'zsplit'] as const)
    expect(signedRank(RATINGS, { zeros })).toMatchObject({ zeros: 13, kept: 13 });
});

const SCORES = fc.array(fc.integer({ min: -4, max: 4 }), { minLength: 1, maxLength: 12 });

describe('for any differences', () => {
  test('the exact distribution is that of all signs', () => {
    fc.assert(
      fc.property(SCORES, fc.constantFrom('wilcox', 'pratt'), (differences, zeros) => {
        const kept = differences.filter(d => d !== 0);
        const { positive, negative, p } = signedRank(differences, { zeros, method: 'exact' });
        expect(Number.isNaN(p)).toBe(kept.length === 0);
        if (kept.length === 0) return;
        // Signs of the ranks: the test of absolute values has the ranks as its positive sum, one difference at a time.
        const statistic = (signs: number) => {
          let place = 0;
          const flipped = differences.map(d => (d === 0 ? 0 : (signs >> place++) & 1 ? Math.abs(d) : -Math.abs(d)));
          return signedRank(flipped, { zeros, method: 'normal' }).statistic;
        };
        const smaller = Math.min(positive, negative);
        let count = 0;
        for (let signs = 0; signs < 2 ** kept.length; signs++) if (statistic(signs) <= smaller) count++;
        expect(p).toBeCloseTo(Math.min(1, count / 2 ** kept.length), 12);
      }),
      { numRuns: 30 },
    );
  });

  test('with differences of one, both treatments of zeros have the closed form', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -1, max: 1 }), { minLength: 1, maxLength: 300 }), differences => {
        const [up, down] = [1, -1].map(sign => differences.filter(d => d === sign).length);
        const wilcox = signedRank(differences, { method: 'normal' });
        const pratt = signedRank(differences, { zeros: 'pratt', method: 'normal' });
        expect([wilcox.p, pratt.p].map(Number.isNaN)).toEqual(Array(2).fill(up + down === 0));
        if (up + down === 0) return;
        const z = (up - down) / Math.sqrt(up + down);
        expect(wilcox.z).toBeCloseTo(z, 9);
        expect(pratt.z).toBeCloseTo(z, 9);
        expect(pratt.p).toBeCloseTo(wilcox.p, 12);
      }),
    );
  });

  test('turning the signs swaps the sums and keeps p', () => {
    fc.assert(
      fc.property(
        SCORES,
        fc.constantFrom('wilcox', 'pratt', 'zsplit'),
        fc.constantFrom('normal', 'exact'),
        (d, zeros, method) => {
          const one = signedRank(d, { zeros, method });
          const other = signedRank(
            d.map(x => -x),
            { zeros, method },
          );
          expect([other.positive, other.negative]).toEqual([one.negative, one.positive]);
          expect(other.p.toFixed(12)).toBe(one.p.toFixed(12));
        },
      ),
    );
  });
});

test('the default is exact up to 50 differences', () => {
  const some = Array.from({ length: 50 }, (_, i) => (i % 3) - 0.5);
  expect(signedRank(some).method).toBe('exact');
  expect(signedRank([...some, 1]).method).toBe('normal');
  expect(signedRank([...some, 0]).method).toBe('exact');
});

test('thousands of pairs keep small p-values', () => {
  const { p, z } = signedRank(Array(2600).fill(2), { method: 'normal' });
  expect(z).toBeCloseTo(Math.sqrt(2600), 9);
  expect(p).toBe(0); // Φ(−51) is below the smallest number.
  expect(signedRank(Array(1000).fill(2), { method: 'normal' }).p).toBeGreaterThan(0);
});

test('Holm’s adjustment', () => {
  expect(holm([0.01, 0.04, 0.03, 0.005])).toEqual([0.03, 0.06, 0.06, 0.02]);
  expect(holm([0.5, Number.NaN, 0.9])).toEqual([1, Number.NaN, 1]);
});
