import fc from 'fast-check';
import { expect, test } from 'vitest';
import { chooseWindow, planTiles, type Size } from '../../eval/tiles.ts';

const side = fc.integer({ min: 1, max: 90 });

test('kept parts cover each pixel once; windows are alike, inside, and reach a halo beyond what is kept', () => {
  fc.assert(
    fc.property(side, side, side, side, fc.nat(9), (width, height, w, h, halo) => {
      const tiles = planTiles({ width, height }, { width: w + 2 * halo, height: h + 2 * halo }, halo);
      const times = new Uint8Array(width * height);
      for (const { window, keep } of tiles) {
        expect([window.width, window.height]).toEqual([Math.min(width, w + 2 * halo), Math.min(height, h + 2 * halo)]);
        for (const [start, size, from, kept, length] of [
          [window.x, window.width, keep.x, keep.width, width],
          [window.y, window.height, keep.y, keep.height, height],
        ]) {
          expect(start).toBeGreaterThanOrEqual(0);
          expect(start + size).toBeLessThanOrEqual(length);
          expect(start).toBeLessThanOrEqual(Math.max(0, from - halo));
          expect(start + size).toBeGreaterThanOrEqual(Math.min(length, from + kept + halo));
        }
        for (let y = keep.y; y < keep.y + keep.height; y++) {
          for (let x = keep.x; x < keep.x + keep.width; x++) times[y * width + x]++;
        }
      }
      expect(times.every(count => count === 1)).toBe(true);
    }),
    { seed: 1 },
  );
});

test('a window that is all halo is refused where it would have to be repeated', () => {
  expect(() => planTiles({ width: 50, height: 8 }, { width: 8, height: 8 }, 4)).toThrow('all halo');
  expect(planTiles({ width: 8, height: 8 }, { width: 8, height: 8 }, 4)).toHaveLength(1);
});

const bytes = (height: number, width: number) => 1000 + 100 * height * width;

/** Pixels that the network computes in all. */
const computed = (picture: Size, window: Size, halo: number) =>
  planTiles(picture, window, halo).length *
  Math.min(window.width, picture.width) *
  Math.min(window.height, picture.height);

test('the chosen window fits, and none of sides in eights, or the whole, that fits computes less', () => {
  fc.assert(
    fc.property(side, side, fc.nat(5), fc.integer({ min: 40_000, max: 400_000 }), (width, height, halo, budget) => {
      const picture = { width, height };
      const window = chooseWindow(picture, { halo, bytes }, budget);
      expect(bytes(window.height, window.width)).toBeLessThanOrEqual(budget);
      if (bytes(height, width) <= budget) {
        expect(window).toEqual(picture);
        return;
      }
      const sides = (length: number) => [
        ...Array.from({ length: Math.ceil(length / 8) }, (_, i) => 8 * i).filter(w => w > 2 * halo),
        length,
      ];
      const fitting = sides(width)
        .flatMap(w => sides(height).map(h => ({ width: w, height: h })))
        .filter(size => bytes(size.height, size.width) <= budget);
      const least = Math.min(...fitting.map(size => computed(picture, size, halo)));
      expect(computed(picture, window, halo)).toBe(least);
    }),
    { seed: 1 },
  );
});

test('the whole picture where it fits, and a clear word where nothing does', () => {
  const picture = { width: 500, height: 300 };
  expect(chooseWindow(picture, { halo: 24, bytes }, 1e9)).toEqual(picture);
  const tight = chooseWindow(picture, { halo: 24, bytes }, 2e6);
  expect(tight.width % 8).toBe(0);
  expect(tight.height % 8).toBe(0);
  expect(() => chooseWindow(picture, { halo: 24, bytes }, 1e5)).toThrow(
    'the smallest tile, 56x56 pixels with a halo of 24, needs 0.3 MiB, but the memory budget is 0.1 MiB. Raise the budget.',
  );
  const impossible = { halo: 24, bytes: () => Number.POSITIVE_INFINITY };
  expect(() => chooseWindow(picture, impossible, 1e9)).toThrow('more than this adapter can run');
});
