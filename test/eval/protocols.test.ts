import { expect, test } from 'vitest';
import { decimals, meanOfFinite, meanScores, scores } from '../../eval/protocols.ts';
import { createPicture, type Picture, toRgb } from '../../image/picture.ts';
import { formulaPicture } from '../image/fixtures.ts';

const noisy = (picture: Picture): Picture => ({ ...picture, data: picture.data.map(value => value ^ 3) });

test('a grey original: its own luma for matlab, three equal channels for paper', () => {
  const grey = formulaPicture([40, 32, 1, 1]);
  const other = noisy(grey);
  const asGrey = scores(other, grey);
  expect(scores(toRgb(other), grey)).toEqual(asGrey);
  const asColour = scores(toRgb(other), toRgb(grey));
  expect(asColour.psnr_paper).toBe(asGrey.psnr_paper);
  expect(asColour.ssim_paper).toBe(asGrey.ssim_paper);
  // Studio range shrinks differences by 219/255.
  expect(asColour.psnr - asGrey.psnr).toBeGreaterThan(0.5);
});

test('alpha counts nothing and a grey result for a colour original is repeated', () => {
  const original = formulaPicture([24, 24, 3, 9]);
  const clear = createPicture(
    24,
    24,
    4,
    new Uint8Array(24 * 24 * 4).map((_, i) => original.data[(i >> 2) * 3 + (i & 3)] ?? 0),
  );
  for (let i = 3; i < clear.data.length; i += 4) clear.data[i] = i;
  expect(scores(clear, original).psnr).toBe(Number.POSITIVE_INFINITY);
  const grey = formulaPicture([24, 24, 1, 2]);
  expect(scores(grey, original)).toEqual(scores(toRgb(grey), original));
});

test('unequal and too small pictures are refused in one line', () => {
  expect(() => scores(createPicture(24, 24, 3), createPicture(24, 25, 3))).toThrow('cannot score');
  expect(() => scores(createPicture(18, 24, 3), createPicture(18, 24, 3))).toThrow(
    'too small to score: expected at least 19x19',
  );
});

test('means: identical results are counted by protocol and left out of the mean PSNR alone', () => {
  const one = { psnr: 20, ssim: 0.5, psnr_paper: 22, ssim_paper: 0.6 };
  const same = { psnr: Number.POSITIVE_INFINITY, ssim: 1, psnr_paper: Number.POSITIVE_INFINITY, ssim_paper: 1 };
  expect(meanScores([one, { ...one, psnr: 30, ssim_paper: 0.8 }])).toEqual({
    psnr: 25,
    ssim: 0.5,
    psnr_paper: 22,
    ssim_paper: 0.7,
  });
  expect(meanScores([one, same])).toEqual({
    psnr: 20,
    ssim: 0.75,
    psnr_paper: 22,
    ssim_paper: 0.8,
    identical: 1,
    identical_paper: 1,
  });
  expect(meanScores([one, { ...one, psnr: Number.POSITIVE_INFINITY }])).toMatchObject({ psnr: 20, identical: 1 });
  expect('identical_paper' in meanScores([{ ...one, psnr: Number.POSITIVE_INFINITY }])).toBe(false);
  expect(meanScores([same, same]).psnr).toBe(Number.POSITIVE_INFINITY);
  expect(meanOfFinite([])).toBeNaN();
  expect([decimals(1.26, 1), decimals(Number.POSITIVE_INFINITY, 2)]).toEqual(['1.3', '∞']);
});

test('sides from 19 can be scored, on both axes, and sizes must be equal', () => {
  for (const [width, height] of [
    [19, 40],
    [40, 19],
  ])
    expect(scores(formulaPicture([width, height, 3, 1]), formulaPicture([width, height, 3, 2])).psnr).toBeGreaterThan(
      0,
    );
  for (const [width, height] of [
    [18, 40],
    [40, 18],
  ])
    expect(() => scores(formulaPicture([width, height, 3, 1]), formulaPicture([width, height, 3, 2]))).toThrow(
      'is too small to score: expected at least 19x19',
    );
  for (const [width, height] of [
    [24, 21],
    [25, 20],
  ])
    expect(() => scores(formulaPicture([24, 20, 3, 1]), formulaPicture([width, height, 3, 2]))).toThrow('cannot score');
});

test('a grey original with alpha is grey, too', () => {
  const grey = formulaPicture([24, 20, 1, 5]);
  const beside = createPicture(24, 20, 2);
  for (let i = 0; i < 480; i++) beside.data.set([grey.data[i], 7], 2 * i);
  const result = formulaPicture([24, 20, 3, 9]);
  expect(scores(result, beside)).toEqual(scores(result, grey));
});
