import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ImageError } from '../../image/errors.ts';
import {
  createPicture,
  crop,
  cropToMultiple,
  flipHorizontal,
  flipVertical,
  hasAlpha,
  joinAlpha,
  shave,
  splitAlpha,
  toRgb,
  transpose,
} from '../../image/picture.ts';
import { anyPicture } from './fixtures.ts';

test('flips and transposition undo themselves and move the samples they say', () => {
  fc.assert(
    fc.property(anyPicture(), picture => {
      for (const turn of [flipHorizontal, flipVertical, transpose]) expect(turn(turn(picture))).toEqual(picture);
      const { width, height, channels, data } = picture;
      const corner = (at: number) => [...data.subarray(at * channels, (at + 1) * channels)];
      const first = (p: { data: Uint8Array }) => [...p.data.subarray(0, channels)];
      expect(first(flipHorizontal(picture))).toEqual(corner(width - 1));
      expect(first(flipVertical(picture))).toEqual(corner((height - 1) * width));
      expect(transpose(picture)).toMatchObject({ width: height, height: width });
    }),
  );
});

test('alpha splits off and joins again; toRgb keeps colour and drops alpha', () => {
  fc.assert(
    fc.property(anyPicture(), picture => {
      const { colour, alpha } = splitAlpha(picture);
      expect(alpha !== undefined).toBe(hasAlpha(picture));
      expect(hasAlpha(colour)).toBe(false);
      expect(joinAlpha(colour, alpha)).toEqual(picture);
      const rgb = toRgb(picture);
      expect(rgb.channels).toBe(3);
      expect(toRgb(colour)).toEqual(rgb);
    }),
  );
});

test('a crop of a crop is a crop, and shaving cuts all four sides', () => {
  fc.assert(
    fc.property(anyPicture(), picture => {
      const { width, height } = picture;
      const right = Math.floor(width / 2);
      const half = crop(picture, right, 0, width - right, height);
      expect(crop(half, 0, height - 1, 1, 1)).toEqual(crop(picture, right, height - 1, 1, 1));
      if (Math.min(width, height) > 2) {
        expect(shave(picture, 1)).toEqual(crop(picture, 1, 1, width - 2, height - 2));
      }
      if (Math.min(width, height) >= 4) expect(cropToMultiple(picture, 4).width % 4).toBe(0);
    }),
  );
});

test('impossible pictures and cuts are refused', () => {
  expect(() => createPicture(0, 3, 3)).toThrow(ImageError);
  expect(() => createPicture(2, 2, 3, new Uint8Array(11))).toThrow('2x2x3: expected 12 samples, got 11');
  const picture = createPicture(4, 4, 3);
  expect(() => crop(picture, 2, 2, 3, 1)).toThrow('cannot crop 3x1 at (2, 2) from 4x4, 3 channels');
  expect(() => shave(picture, 2)).toThrow(ImageError);
  expect(() => joinAlpha(picture, createPicture(4, 3, 1))).toThrow(ImageError);
});
