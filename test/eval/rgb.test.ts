/** PSNR on RGB beside luma's. */
import { expect, test } from 'vitest';
import { methodTable, scoreTable } from '../../cli/score-table.ts';
import { evaluate, meanFigures } from '../../eval/evaluate.ts';
import { interpolation } from '../../eval/methods.ts';
import { rgbPsnr, scores } from '../../eval/protocols.ts';
import { createPicture, type Picture } from '../../image/picture.ts';
import { shrink } from '../../image/resize.ts';
import { formulaPicture } from '../image/fixtures.ts';

/** The picture with `change` added to samples, by their place. */
const changed = (
  { width, height, channels, data }: Picture,
  change: (x: number, y: number, channel: number) => number,
) =>
  createPicture(
    width,
    height,
    channels,
    data.map((value, i) => {
      const pixel = Math.floor(i / channels);
      return value + change(pixel % width, Math.floor(pixel / width), i % channels);
    }),
  );

/** Between 20 and 219, so that it may be changed. */
const original = createPicture(
  24,
  20,
  3,
  Uint8Array.from({ length: 24 * 20 * 3 }, (_, i) => 20 + ((i * 37) % 200)),
);

test('is that of all three channels, without four pixels at each side', () => {
  // 3, 4 and 12 off: (9 + 16 + 144) / 3.
  const off = changed(original, (_x, _y, channel) => [3, -4, 12][channel]);
  expect(rgbPsnr(off, original)).toBeCloseTo(10 * Math.log10((255 ** 2 * 3) / 169), 10);
  const border = changed(original, (x, y) => (x < 4 || x >= 20 || y < 4 || y >= 16 ? 9 : 0));
  expect(rgbPsnr(border, original)).toBe(Number.POSITIVE_INFINITY);
  // One sample just inside the border, of 16 · 12 · 3.
  const one = changed(original, (x, y, channel) => (x === 4 && y === 15 && channel === 2 ? 10 : 0));
  expect(rgbPsnr(one, original)).toBeCloseTo(10 * Math.log10((255 ** 2 * 16 * 12 * 3) / 100), 10);
});

test('sees what luma does not, and ignores alpha', () => {
  const blue = changed(original, (x, _y, channel) => (channel === 2 && x === 8 ? 1 : 0));
  expect(scores(blue, original).psnr).toBeGreaterThan(rgbPsnr(blue, original));
  const alpha = createPicture(
    24,
    20,
    4,
    Uint8Array.from({ length: 24 * 20 * 4 }, (_, i) =>
      i % 4 === 3 ? i % 256 : original.data[Math.floor(i / 4) * 3 + (i % 4)],
    ),
  );
  expect(rgbPsnr(alpha, original)).toBe(Number.POSITIVE_INFINITY);
});

test('of a grey original is its PSNR', () => {
  const grey = formulaPicture([24, 24, 1, 2]);
  const off = createPicture(
    24,
    24,
    1,
    grey.data.map(value => (value > 127 ? value - 5 : value + 5)),
  );
  expect(rgbPsnr(off, grey)).toBeCloseTo(10 * Math.log10(255 ** 2 / 25), 10);
  expect(rgbPsnr(off, grey)).toBe(scores(off, grey).psnr);
});

test('stands in the table and the means where it was asked for, and changes nothing else', async () => {
  const pairs = [{ name: 'a', hr: original, lr: shrink(original) }];
  const plain = await evaluate(interpolation('bicubic'), pairs);
  const measure = async (result: Picture, hr: Picture) => ({ psnr_rgb: rgbPsnr(result, hr) });
  const { images, mean } = await evaluate(interpolation('bicubic'), pairs, { measure });
  const { psnr_rgb, ...rest } = images[0];
  expect(rest).toEqual(plain.images[0]);
  expect(mean).toEqual({ ...plain.mean, psnr_rgb });
  const table = scoreTable(images, mean!);
  expect(table).toContain(` ${psnr_rgb!.toFixed(3)} `);
  expect(table).toContain('RGB: PSNR of R, G and B together, 4 pixels cut from each side');
  expect(scoreTable(plain.images, plain.mean!)).not.toContain('RGB');
});

test('identical pictures are left out of its mean, and told of', () => {
  const figures = { psnr: 30, ssim: 0.9, psnr_paper: 30, ssim_paper: 0.9 };
  const mean = meanFigures([
    { ...figures, psnr_rgb: 28 },
    { ...figures, psnr_rgb: Number.POSITIVE_INFINITY },
  ]);
  expect(mean).toEqual({ ...figures, psnr_rgb: 28, identical_rgb: 1 });
  expect(methodTable([{ label: 'm', mean, pictures: 2 }])).toContain(
    'm: PSNR by RGB of 1 of 2 pictures (1 identical: ∞)',
  );
});
