import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fromYcbcr, luma, toGrey, toYcbcr } from '../../image/colour.ts';
import { daalaLuma } from '../../image/daala.ts';
import { createPicture, joinAlpha, toRgb } from '../../image/picture.ts';
import { anyPicture, formulaPicture } from './fixtures.ts';
import reference from './reference-values.json' with { type: 'json' };

test('luma and daala luma equal the reference', () => {
  expect([...luma(formulaPicture(reference.scores.a)).data]).toEqual(reference.scores.luma);
  expect([...daalaLuma(formulaPicture(reference.daalaLuma.picture)).data]).toEqual(reference.daalaLuma.luma);
});

test('YCbCr and back is the same picture', () => {
  fc.assert(
    fc.property(anyPicture(12, [3]), picture => {
      expect(fromYcbcr(toYcbcr(picture))).toEqual(picture);
    }),
  );
});

test('luma lies in 16…235 for colour, is the sample itself for grey, and rounds the real one', () => {
  fc.assert(
    fc.property(anyPicture(), picture => {
      const y = luma(picture).data;
      const real = toYcbcr(picture).data;
      for (let i = 0; i < y.length; i++) {
        if (picture.channels <= 2) expect(y[i]).toBe(picture.data[i * picture.channels]);
        else expect(y[i]).toBe(Math.floor(real[3 * i] + 0.5));
      }
      if (picture.channels > 2) expect(Math.min(...y) >= 16 && Math.max(...y) <= 235).toBe(true);
    }),
  );
});

test('grey of grey is grey: equal channels keep their value', () => {
  fc.assert(
    fc.property(anyPicture(12, [1]), picture => {
      expect(toGrey(toRgb(picture))).toEqual(picture);
      expect(toGrey(picture)).toBe(picture);
    }),
  );
});

test('grey of 16-bit colours: 0.299 R + 0.587 G + 0.114 B, half up; white stays white, alpha goes', () => {
  const rows: readonly (readonly [colour: readonly number[], grey: number])[] = [
    [[65535, 65535, 65535], 65535],
    [[0, 0, 0], 0],
    [[65535, 0, 0], 19595],
    [[0, 65535, 0], 38469],
    [[0, 0, 65535], 7471],
    [[1000, 1000, 1001], 1000],
    [[1000, 1001, 1000], 1001],
    [[256, 512, 300], 411],
  ];
  const colours = rows.flatMap(([colour]) => colour);
  const greys = Uint16Array.from(rows, ([, grey]) => grey);
  const picture = createPicture(rows.length, 1, 3, Uint16Array.from(colours));
  expect(toGrey(picture)).toEqual(createPicture(rows.length, 1, 1, greys));
  const alpha = createPicture(
    rows.length,
    1,
    1,
    Uint16Array.from(rows, (_, i) => i * 9000),
  );
  expect(toGrey(joinAlpha(picture, alpha))).toEqual(toGrey(picture));
  const grey = createPicture(rows.length, 1, 1, greys);
  expect(toGrey(joinAlpha(grey, alpha))).toEqual(grey);
});

// Where the bound comes from: the noise in Y' is less than one level. That in Cb and Cr should cancel in luma but does
// not, as png2y4m adds it to green where it ought to subtract: 0.7152 · 2 · (361 · 1479548743 + 1063 · 1255654969) /
// 9745792000, or 0.917 levels of 299.2 (16-bit units). Of the luma so dithered the tool takes the integer below or above.
test('daala luma of any grey stays within 2.92 levels of studio-range grey, odd sizes included', () => {
  fc.assert(
    fc.property(fc.nat(255), fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 }), (grey, width, height) => {
      const picture = createPicture(width, height, 1);
      picture.data.fill(grey);
      for (const y of daalaLuma(picture).data) expect(Math.abs(y - (16 + (219 * grey) / 255))).toBeLessThan(2.92);
    }),
  );
});

// At 255 alone it is not: what exceeds white is clipped, so that the luma above white costs nothing.
test('the dither is fair: over 128x128 pixels of one grey the mean luma is that grey within a tenth of a level', () => {
  for (const grey of [0, 1, 39, 128, 170, 254]) {
    const picture = createPicture(128, 128, 1);
    picture.data.fill(grey);
    const { data } = daalaLuma(picture);
    const mean = data.reduce((sum, y) => sum + y, 0) / data.length;
    expect(Math.abs(mean - (16 + (219 * grey) / 255)), `grey ${grey}: mean luma ${mean}`).toBeLessThan(0.1);
  }
});

test('daala luma of a large picture begins as that of a small one of the same width: the dither restarts', () => {
  const large = formulaPicture([40, 30, 3, 5]);
  const small = createPicture(40, 10, 3, large.data.slice(0, 40 * 10 * 3));
  expect(daalaLuma(small).data).toEqual(daalaLuma(large).data.slice(0, 400));
});
