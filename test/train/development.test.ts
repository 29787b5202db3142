import { describe, expect, test } from 'vitest';
import { createPicture } from '../../image/picture.ts';
import { developmentPicture, evenlySpaced, shownRegion } from '../../train/report/development.ts';

/** A picture of one grey. */
function flat(width: number, height: number, grey: number) {
  const picture = createPicture(width, height, 3);
  picture.data.fill(grey);
  return picture;
}

describe('many stages', () => {
  test('are reduced to evenly spaced ones, including the last', () => {
    const all = Array.from({ length: 100 }, (_, i) => i + 1);
    expect(evenlySpaced(all, 4)).toEqual([25, 50, 75, 100]);
    expect(evenlySpaced(all)).toHaveLength(8);
    expect(evenlySpaced([1, 2, 3])).toEqual([1, 2, 3]);
    expect(evenlySpaced(all.slice(0, 9), 8).at(-1)).toBe(9);
    expect(new Set(evenlySpaced(all.slice(0, 9), 8)).size).toBe(8);
  });
});

test('the region is where interpolation differs most, also in small pictures', () => {
  const [a, b] = [flat(200, 120, 100), flat(200, 120, 100)];
  for (let y = 40; y < 60; y++)
    for (let x = 150; x < 170; x++) b.data.fill(250, (y * 200 + x) * 3, (y * 200 + x) * 3 + 3);
  const part = shownRegion(a, b);
  expect(part).toMatchObject({ width: 96, height: 96 });
  expect(part.x <= 150 && part.x + 96 >= 170 && part.y <= 40 && part.y + 96 >= 60).toBe(true);
  expect(shownRegion(flat(30, 20, 1), flat(30, 20, 2))).toEqual({ x: 0, y: 0, width: 28, height: 20 });
});

test('stages are drawn from left to right, at twice their size', () => {
  const strip = developmentPicture([10, 20, 30].map(grey => ({ label: `update ${grey}`, picture: flat(8, 4, grey) })));
  // Margins of 16, gutters of 10.
  expect([strip.width, strip.height]).toEqual([2 * 16 + 3 * 16 + 2 * 10, 2 * 16 + 8 + 18]);
  for (const [i, grey] of [10, 20, 30].entries())
    for (const [x, y] of [
      [0, 0],
      [15, 7],
    ])
      expect(strip.data[((16 + y) * strip.width + 16 + i * 26 + x) * 3]).toBe(grey);
});
