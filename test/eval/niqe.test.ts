import { expect, test } from 'vitest';
import {
  BLOCK,
  type Block,
  type BlockStatistics,
  blocksOf,
  distanceOf,
  FEATURES,
  fitDistribution,
  niqe,
  statisticsOf,
} from '../../eval/niqe.ts';
import { PHOTOGRAPHS } from '../../eval/niqe-model.ts';
import { createPicture, type Picture, toRgb } from '../../image/picture.ts';
import { Random } from '../../image/random.ts';
import { resize } from '../../image/resize.ts';
import { syntheticPicture } from '../../image/synthetic.ts';

/** Independent samples of a standard normal distribution (Box-Muller). */
function normal(count: number, seed: number): Float64Array {
  const random = new Random(seed);
  return Float64Array.from(
    { length: count },
    () => Math.sqrt(-2 * Math.log(1 - random.uniform())) * Math.cos(2 * Math.PI * random.uniform()),
  );
}

test('distributions are found again: normal, Laplace, uniform, and with two scales', () => {
  const gauss = fitDistribution(normal(100_000, 1));
  // exp(-(|x| / scale)^2) is a normal distribution of σ = scale / √2.
  expect(gauss.shape).toBeCloseTo(2, 1);
  expect(gauss.left).toBeCloseTo(Math.SQRT2, 1);
  const random = new Random(2);
  const laplace = Float64Array.from({ length: 100_000 }, () => {
    const u = random.uniform() - 0.5;
    return -Math.sign(u) * Math.log(1 - 2 * Math.abs(u));
  });
  expect(fitDistribution(laplace).shape).toBeCloseTo(1, 1);
  expect(fitDistribution(laplace).right).toBeCloseTo(1, 1);
  const two = fitDistribution(normal(100_000, 3).map(value => (value < 0 ? value : 3 * value)));
  expect(two.right / two.left).toBeCloseTo(3, 1);
  const flat = fitDistribution(Float64Array.from({ length: 10_000 }, () => 2 * random.uniform() - 1));
  expect(flat.shape).toBeGreaterThan(5);
  expect(fitDistribution(new Float64Array(10)).shape).toBeNaN();
});

test('the distance is Mahalanobis: closed forms for diagonal and for singular covariances', () => {
  const statistics = (mean: number, variance: (i: number) => number): BlockStatistics => ({
    mean: new Float64Array(FEATURES).fill(mean),
    covariance: Float64Array.from({ length: FEATURES ** 2 }, (_, i) =>
      i % (FEATURES + 1) === 0 ? variance(i / (FEATURES + 1)) : 0,
    ),
  });
  // Pooled variance 2: √(36 · 3² / 2).
  expect(
    distanceOf(
      statistics(1, () => 1),
      statistics(4, () => 3),
    ),
  ).toBeCloseTo(Math.sqrt(162), 10);
  const half = (i: number) => (i % 2 === 0 ? 1 : 0);
  expect(distanceOf(statistics(0, half), statistics(2, half))).toBeCloseTo(Math.sqrt(18 * 4), 10);
  expect(
    distanceOf(
      statistics(5, half),
      statistics(5, () => 1),
    ),
  ).toBe(0);
});

test('statistics leave out blocks that are not finite', () => {
  const block = (value: number): Block => ({ features: new Array<number>(FEATURES).fill(value), contrast: 1 });
  const found = statisticsOf([block(1), block(Number.NaN), block(3)])!;
  expect([found.mean[0], found.covariance[0], found.covariance[FEATURES + 1]]).toEqual([2, 2, 2]);
  expect(statisticsOf([block(1), block(Number.NaN)])).toBeUndefined();
});

const noisy = (picture: Picture, amount: number): Picture => {
  const noise = normal(picture.data.length, 5);
  return { ...picture, data: picture.data.map((value, i) => Math.min(255, Math.max(0, value + amount * noise[i]))) };
};

test('blurring and noise make a picture less natural; colour and what is beside the blocks do not count', () => {
  const picture = syntheticPicture(3, 1, 2 * BLOCK);
  const natural = niqe(picture)!;
  const blurred = resize(resize(picture, 0.25), { width: picture.width, height: picture.height });
  expect(niqe(blurred)!).toBeGreaterThan(natural);
  expect(niqe(noisy(picture, 40))!).toBeGreaterThan(natural);
  const { width, height, data } = picture;
  const wider = createPicture(width + 50, height + 50, 3);
  for (let y = 0; y < height; y++)
    wider.data.set(data.subarray(y * width * 3, (y + 1) * width * 3), y * (width + 50) * 3);
  expect(niqe(wider)).toBe(natural);
  expect(niqe(toRgb(picture))).toBe(natural);
});

test('blocks have 36 features; flat and small pictures have no value', () => {
  const blocks = blocksOf(syntheticPicture(1, 0, 2 * BLOCK));
  expect(blocks.map(({ features }) => features.length)).toEqual([FEATURES, FEATURES, FEATURES, FEATURES]);
  expect(niqe(createPicture(300, 300, 3))).toBeUndefined();
  expect(niqe(syntheticPicture(1, 0, BLOCK))).toBeUndefined();
  expect(niqe(createPicture(20, 300, 1))).toBeUndefined();
});

test('the model is a covariance of 36 features', () => {
  const { mean, covariance } = PHOTOGRAPHS;
  expect([mean.length, covariance.length]).toEqual([FEATURES, FEATURES ** 2]);
  for (let i = 0; i < FEATURES; i++) {
    expect(covariance[i * FEATURES + i]).toBeGreaterThan(0);
    for (let j = 0; j < i; j++) expect(covariance[i * FEATURES + j]).toBe(covariance[j * FEATURES + i]);
  }
});
