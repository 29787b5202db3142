import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { ImageError } from '../../image/errors.ts';
import { crop, type Picture } from '../../image/picture.ts';
import { syntheticPicture, syntheticPictures } from '../../image/synthetic.ts';
import { meanStatistics, PHOTOGRAPHS, type Statistics, statisticsOf } from './picture-statistics.ts';

const hash = ({ data }: Picture) => createHash('sha256').update(data).digest('hex').slice(0, 16);

// Pinned, because a run that names a seed must find the same pictures tomorrow and elsewhere. Changing the generator
// changes them: then say so where runs are recorded.
test('the same bytes as ever', () => {
  expect([0, 1, 2, 3].map(index => hash(syntheticPicture(0, index, 96, 64)))).toMatchInlineSnapshot(`
    [
      "4d86b1e9d01c9039",
      "f22037ab3d6051f9",
      "86ef5c3d1ddd8bf2",
      "800ef498c0d0854d",
    ]
  `);
  expect(hash(syntheticPicture(2 ** 53 - 1, 2 ** 53 - 1, 64))).toMatchInlineSnapshot(`"270dcb3bf887a58f"`);
});

test('picture n does not depend on which were made before it', () => {
  const sequence = syntheticPictures(5, 48, 32);
  const first = Array.from({ length: 4 }, () => sequence.next().value);
  expect(first[2]).toEqual(syntheticPicture(5, 2, 48, 32));
  expect(syntheticPictures(5, 48, 32, 3).next().value).toEqual(first[3]);
});

test('seed, number and size all make other pictures', () => {
  const pictures = [
    syntheticPicture(1, 0, 64),
    syntheticPicture(2, 0, 64),
    syntheticPicture(1, 1, 64),
    syntheticPicture(1 + 2 ** 32, 0, 64),
    syntheticPicture(1, 2 ** 32, 64),
    crop(syntheticPicture(1, 0, 80), 0, 0, 64, 64),
  ];
  expect(new Set(pictures.map(hash)).size).toBe(pictures.length);
});

test('any size from 16x16 works, wide and tall too', () => {
  for (const [width, height] of [
    [16, 16],
    [17, 131],
    [203, 16],
  ]) {
    const picture = syntheticPicture(3, 1, width, height);
    expect(picture).toMatchObject({ width, height, channels: 3 });
    expect(new Set(picture.data).size).toBeGreaterThan(20);
  }
});

test('what makes no picture is refused in one line', () => {
  for (const [seed, index, width, height] of [
    [-1, 0, 64, 64],
    [0.5, 0, 64, 64],
    [2 ** 53, 0, 64, 64],
    [0, -1, 64, 64],
    [0, Number.NaN, 64, 64],
    [0, 0, 15, 64],
    [0, 0, 64, 64.5],
    [0, 0, Number.POSITIVE_INFINITY, 64],
  ]) {
    expect(() => syntheticPicture(seed, index, width, height)).toThrow(ImageError);
  }
  expect(() => syntheticPicture(0, 0, 8, 64)).toThrow(
    /^synthetic picture: expected sides from 16[^\n]+8x64, seed 0, number 0$/,
  );
});

const sample = (count: number) => Array.from({ length: count }, (_, i) => statisticsOf(syntheticPicture(20, i, 256)));

test('statistics are those of photographs', () => {
  const all = sample(32);
  const mean = meanStatistics(all);
  for (const key of Object.keys(PHOTOGRAPHS) as (keyof Statistics)[]) {
    const [aim, off] = PHOTOGRAPHS[key];
    expect(Math.abs(mean[key] - aim), `${key}: ${mean[key]}, photographs ${aim}`).toBeLessThan(off);
  }
  // Easy and hard pictures both.
  const scores = all.map(({ bicubic }) => bicubic).sort((a, b) => a - b);
  expect(scores[3]).toBeLessThan(24.5);
  expect(scores[28]).toBeGreaterThan(28.5);
});
