import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { toYcbcr } from '../../image/colour.ts';
import { readPicture } from '../../image/files.node.ts';
import { psnr } from '../../image/metrics.ts';
import { shavePlane } from '../../image/plane.ts';
import { doubleByNedi, NEDI } from '../../methods/nedi.ts';
import { LocalRunner } from '../../methods/passes.ts';
import { DATA } from '../image/fixtures.ts';
import { largestDifference, planeOf, scene, transposed } from './planes.ts';

const runner = new LocalRunner();
const twice = (plane: Parameters<typeof doubleByNedi>[0]) => doubleByNedi(plane, { runner });

describe('once', () => {
  test('given pixels stay; constants stay constant, at every size', async () => {
    for (const [width, height] of [
      [1, 1],
      [2, 7],
      [9, 3],
    ] as const) {
      const flat = await twice(planeOf(width, height, () => 77));
      expect([flat.width, flat.height]).toEqual([2 * width, 2 * height]);
      expect(flat.data.every(value => value === 77)).toBe(true);
    }
    const given = scene(20, 14);
    const { width, data } = await twice(given);
    expect(given.data.every((value, i) => value === data[2 * Math.floor(i / 20) * width + 2 * (i % 20)])).toBe(true);
  });

  test('planes are exact where no window reaches an edge', async () => {
    const slope = fc.integer({ min: -4, max: 4 });
    await fc.assert(
      fc.asyncProperty(slope, slope, async (a, b) => {
        const level = (x: number, y: number) => 128 + a * (x - 12) + b * (y - 12);
        const result = await twice(planeOf(24, 24, level));
        for (let y = 18; y < 30; y++) {
          for (let x = 18; x < 30; x++) expect(result.data[y * 48 + x]).toBeCloseTo(level(x / 2, y / 2), 9);
        }
      }),
      { numRuns: 8 },
    );
  });

  test('a diagonal step has no other levels than the two and their mean', async () => {
    const { data } = await twice(planeOf(24, 24, (x, y) => (x > y ? 200 : 50)));
    const levels = new Set<number>();
    for (let y = 12; y < 36; y++) for (let x = 12; x < 36; x++) levels.add(Number(data[y * 48 + x].toFixed(6)));
    expect([...levels].sort((a, b) => a - b)).toEqual([50, 125, 200]);
  });

  test('a vertical step stays below its levels, where a determinant of 0 would be missed', async () => {
    const { data } = await twice(planeOf(24, 24, x => (x < 12 ? 50 : 200)));
    expect(data.every(value => value > 50 - 1e-9 && value < 200 + 1e-9)).toBe(true);
    for (let y = 12; y < 36; y++) for (let x = 0; x <= 22; x++) expect(data[y * 48 + x]).toBeCloseTo(50, 9);
  });

  test('the transposed picture gives the transposed result', async () => {
    const given = scene(31, 22);
    const [one, other] = [await twice(given), await twice(transposed(given))];
    expect(largestDifference(transposed(one), other)).toBeLessThan(1e-9);
  });

  test('below a variance of 8 a new pixel is the mean of its neighbours, above it is not', async () => {
    // Alternate columns: the variance of two pairs that differ by d is d²/3.
    const columns = (step: number) => planeOf(24, 24, (x, y) => 100 + (x % 2) * step + (y % 3 === 0 ? 0.5 : 0));
    const middle = async (step: number) => {
      const given = columns(step);
      const { data } = await twice(given);
      const mean =
        (12 + 0.5) * 0 + [12, 13].flatMap(y => [12, 13].map(x => given.data[y * 24 + x])).reduce((a, b) => a + b) / 4;
      return Math.abs(data[25 * 48 + 25] - mean);
    };
    expect(await middle(4)).toBeLessThan(1e-12);
    expect(await middle(6)).toBeGreaterThan(1e-3);
  });
});

test('four times: the size, and aligned like imresize (planes)', async () => {
  const level = (x: number, y: number) => 100 + 2 * x + 3 * y;
  const result = await NEDI.run(planeOf(24, 20, level), { runner });
  expect([result.width, result.height]).toEqual([96, 80]);
  for (let y = 36; y < 44; y++) {
    for (let x = 44; x < 52; x++) {
      expect(result.data[y * 96 + x]).toBeCloseTo(level((x + 0.5) / 4 - 0.5, (y + 0.5) / 4 - 0.5), 9);
    }
  }
});

// LR: every second sample of luma, for which the method was made. Keys' cubic at the same places: 27.850, 37.220, 33.759.
test.for([
  ['butterfly', 28.308],
  ['bird', 36.855],
  ['head', 34.01],
] as const)('%s from every second sample', async ([name, expected], context) => {
  if (DATA === undefined) return context.skip('DAYBREAK_DATA is not set: no benchmark pictures');
  const { width, height, data } = toYcbcr(await readPicture(join(DATA, 'Set5/HR', `${name}.png`)));
  const original = planeOf(width, height, (x, y) => data[3 * (y * width + x)]);
  const given = planeOf(width >> 1, height >> 1, (x, y) => original.data[2 * y * width + 2 * x]);
  const result = await twice(given);
  const cut = planeOf(result.width, result.height, (x, y) => original.data[y * width + x]);
  expect(psnr(shavePlane(result, 12), shavePlane(cut, 12)).toFixed(3)).toBe(expected.toFixed(3));
});
