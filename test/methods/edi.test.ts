import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Plane } from '../../image/plane.ts';
import { resizeSamples } from '../../image/resize.ts';
import { centreSurround, type EdgeOptions, edgeDirected } from '../../methods/edi.ts';
import { LocalRunner } from '../../methods/passes.ts';
import { largestDifference, planeOf, scene, transposed } from './planes.ts';

const runner = new LocalRunner();
const enlarge = (plane: Plane, options?: EdgeOptions) => edgeDirected(plane, { runner }, options);
const bilinear = (plane: Plane): Plane => resizeSamples({ ...plane, channels: 1 }, 4, { method: 'bilinear' });

/** Means of 4×4 blocks: what the method takes LR pixels for. */
const averaged = ({ width, height, data }: Plane): Plane =>
  planeOf(width / 4, height / 4, (x, y) => {
    let sum = 0;
    for (let i = 0; i < 16; i++) sum += data[(4 * y + (i >> 2)) * width + 4 * x + (i & 3)];
    return sum / 16;
  });

describe('centre-on-surround-off', () => {
  test('0 on planes away from the edges, and the filter’s own weights on a point', () => {
    const ramp = centreSurround(planeOf(12, 12, (x, y) => 3 * x - 2 * y));
    for (let y = 3; y < 9; y++) for (let x = 3; x < 9; x++) expect(ramp[y * 12 + x]).toBe(0);
    const point = centreSurround(planeOf(9, 9, (x, y) => (x === 4 && y === 4 ? 360 : 0)));
    expect(point[4 * 9 + 4]).toBe(40);
    expect(point[3 * 9 + 5]).toBe(40);
    expect(point[2 * 9 + 4]).toBe(-9);
    expect(point[1 * 9 + 7]).toBe(-9);
    expect(point[0 * 9 + 4]).toBe(0);
  });
});

test('constants are exact at every size', async () => {
  for (const [width, height] of [
    [1, 1],
    [2, 5],
    [9, 4],
  ] as const) {
    const { data } = await enlarge(planeOf(width, height, () => 99));
    expect(data.length).toBe(16 * width * height);
    expect(data.every(value => value === 99)).toBe(true);
  }
});

test('planes equal bilinear interpolation, and so does everything if nothing counts as an edge', async () => {
  const ramp = planeOf(14, 11, (x, y) => 40 + 5 * x + 3 * y);
  expect(largestDifference(await enlarge(ramp, { rounds: 0 }), bilinear(ramp))).toBeLessThan(1e-9);
  const slope = fc.integer({ min: 1, max: 255 });
  await fc.assert(
    fc.asyncProperty(slope, slope, async (a, b) => {
      const picture = planeOf(9, 7, (x, y) => (a * x + b * y * y) % 256);
      const result = await enlarge(picture, { leastDifference: Number.POSITIVE_INFINITY, rounds: 0 });
      expect(largestDifference(result, bilinear(picture))).toBeLessThan(1e-9);
    }),
    { numRuns: 20 },
  );
});

describe('a vertical step', () => {
  // Where it lies in its LR pixel: at its left side, or after one or three of its four columns. In the middle the filter
  // gives 0 for that pixel, and there is no crossing.
  test.each([0, 1, 3])('of phase %i stays two-valued, in its place', async phase => {
    const original = planeOf(96, 40, x => (x < 48 + phase ? 50 : 200));
    for (const turn of [(plane: Plane) => plane, transposed]) {
      const result = turn(await enlarge(turn(averaged(original))));
      // The feedback stops when block means are off by less than half a level.
      expect(largestDifference(result, original)).toBeLessThan(1);
    }
  });

  test('between two pixels is exact without feedback', async () => {
    const original = planeOf(96, 40, x => (x < 48 ? 50 : 200));
    expect(await enlarge(averaged(original), { rounds: 0 })).toEqual(original);
  });
});

test('feedback: errors of the block means fall, and the means become the picture', async () => {
  for (const picture of [scene(24, 18), averaged(scene(96, 80))]) {
    const sizes: number[] = [];
    const onError = (error: Float64Array) => sizes.push(Math.hypot(...error));
    const result = await enlarge(picture, { rounds: 40, onError });
    expect(sizes.length).toBeGreaterThan(2);
    expect(sizes.every((size, i) => i === 0 || size < sizes[i - 1])).toBe(true);
    expect(largestDifference(averaged(result), picture)).toBeLessThan(0.5);
  }
});

test('the transposed picture gives the transposed result', async () => {
  const picture = scene(22, 17);
  const [one, other] = [await enlarge(picture), await enlarge(transposed(picture))];
  expect(largestDifference(transposed(one), other)).toBeLessThan(1e-9);
});

test('new pixels do not mix what lies beyond an edge: a change there leaves this side as it is', async () => {
  // A diagonal edge, sharp everywhere; the far side gets another level.
  const edge = (far: number) => planeOf(20, 20, (x, y) => (x + y < 19 ? 50 : far));
  const [one, other] = [await enlarge(edge(200), { rounds: 0 }), await enlarge(edge(230), { rounds: 0 })];
  let same = 0;
  for (let y = 12; y < 68; y++) {
    for (let x = 12; x < 68; x++) {
      // The edge runs between x + y = 18 and 19 of LR.
      if ((x + 0.5) / 4 + (y + 0.5) / 4 - 1 > 18.2) continue;
      expect(one.data[y * 80 + x]).toBeCloseTo(50, 9);
      expect(other.data[y * 80 + x]).toBeCloseTo(50, 9);
      same++;
    }
  }
  expect(same).toBeGreaterThan(1000);
});
