import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fromYcbcr, luma, toGrey, toYcbcr } from '../../image/colour.ts';
import { daalaLuma } from '../../image/daala.ts';
import { createPicture, toRgb } from '../../image/picture.ts';
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

test('daala luma of any grey stays within two levels of studio-range grey, odd sizes included', () => {
  fc.assert(
    fc.property(fc.nat(255), fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 }), (grey, width, height) => {
      const picture = createPicture(width, height, 1);
      picture.data.fill(grey);
      for (const y of daalaLuma(picture).data) expect(Math.abs(y - (16 + (219 * grey) / 255))).toBeLessThan(2);
    }),
  );
});

test('daala luma of a large picture begins as that of a small one of the same width: the dither restarts', () => {
  const large = formulaPicture([40, 30, 3, 5]);
  const small = createPicture(40, 10, 3, large.data.slice(0, 40 * 10 * 3));
  expect(daalaLuma(small).data).toEqual(daalaLuma(large).data.slice(0, 400));
});
