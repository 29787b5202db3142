/** Example-based super-resolution: the dictionary, the search, one pass and the Markov network. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Plane } from '../../image/plane.ts';
import { resizeSamples } from '../../image/resize.ts';
import { MethodError } from '../../methods/errors.ts';
import { ALPHA, doubleByExamples, EXAMPLES } from '../../methods/examples.ts';
import { doubleByMarkov, MARKOV, type MarkovOptions } from '../../methods/markov.ts';
import { LocalRunner } from '../../methods/passes.ts';
import {
  DictionaryBuilder,
  doubled,
  FLAT_CONTRAST,
  HIGH,
  LOW,
  middleBand,
  type PatchDictionary,
} from '../../methods/patch-dictionary.ts';
import { PatchSearch, searchIndexOf } from '../../methods/patch-search.ts';
import { largestDifference, planeOf, scene } from './planes.ts';

const runner = new LocalRunner();

function dictionaryOf(pictures: readonly Plane[], most = 1e6, seed = 0): PatchDictionary {
  const builder = new DictionaryBuilder(most, seed);
  for (const picture of pictures) builder.add(picture);
  return builder.finish();
}

/** Texture without flat places and without repetition. */
const texture = (width: number, height: number, salt = 0): Plane =>
  planeOf(
    width,
    height,
    (x, y) => 128 + 60 * Math.sin(x * 0.9 + salt + 0.02 * y * y) + 50 * Math.cos(y * 1.3 + 0.03 * x * x),
  );

/** As if a picture had been taken at half the size. */
const halved = (plane: Plane): Plane => resizeSamples({ ...plane, channels: 1 }, 0.5, { method: 'bicubic' });

/** A random dictionary of small integers, so that distances tie. */
const anyDictionary = fc
  .integer({ min: 1, max: 40 })
  .chain(count =>
    fc
      .tuple(
        fc.array(fc.integer({ min: -2, max: 2 }), { minLength: count * LOW, maxLength: count * LOW }),
        fc.array(fc.integer({ min: -2, max: 2 }), { minLength: count * HIGH, maxLength: count * HIGH }),
      )
      .map(([low, high]): PatchDictionary => ({ count, low: Float32Array.from(low), high: Float32Array.from(high) })),
  );

describe('dictionary', () => {
  test('the middle band has neither constants nor slopes away from the edges', () => {
    expect(middleBand(planeOf(9, 9, () => 50)).data.every(value => Math.abs(value) < 1e-12)).toBe(true);
    const ramp = middleBand(planeOf(30, 30, (x, y) => 3 * x - y));
    expect(Math.abs(ramp.data[15 * 30 + 15])).toBeLessThan(1e-12);
  });

  test('low parts have a contrast of 1; low and high are the picture’s, divided by the same', () => {
    const picture = texture(12, 10);
    const { count, low, high } = dictionaryOf([picture]);
    expect(count).toBe(8 * 6);
    const original = doubled(halved(picture));
    const middle = middleBand(original);
    for (let i = 0; i < count; i++) {
      let sum = 0;
      for (let k = 0; k < LOW; k++) sum += Math.abs(low[i * LOW + k]);
      expect(sum / LOW).toBeCloseTo(1, 5);
      const [left, top] = [i % 8, Math.floor(i / 8)];
      const centre = (top + 2) * 12 + left + 2;
      const contrast = middle.data[centre] / low[i * LOW + 24];
      expect(contrast).toBeGreaterThan(FLAT_CONTRAST);
      expect(high[i * HIGH + 12] * contrast).toBeCloseTo(picture.data[centre] - original.data[centre], 2);
    }
  });

  test('flat pictures and those smaller than a patch have no pairs; an odd row is dropped', () => {
    expect(dictionaryOf([planeOf(20, 20, () => 7), texture(4, 9)]).count).toBe(0);
    const odd = texture(13, 11);
    const even = planeOf(12, 10, (x, y) => odd.data[y * 13 + x]);
    expect(dictionaryOf([odd])).toEqual(dictionaryOf([even]));
  });

  test('a limit keeps a random part: the same for the same seed, each pair as likely as any other', () => {
    const pictures = [texture(20, 20), texture(24, 16, 2)];
    const all = dictionaryOf(pictures);
    const [one, same, other] = [1, 1, 2].map(seed => dictionaryOf(pictures, 50, seed));
    expect(one.count).toBe(50);
    expect(one).toEqual(same);
    expect(one).not.toEqual(other);
    const first = (from: PatchDictionary) => new Set(Array.from({ length: from.count }, (_, i) => from.low[i * LOW]));
    for (const value of first(one)) expect(first(all).has(value)).toBe(true);
    // From the second picture comes its share: 20 · 12 of 20 · 12 + 16 · 16 pairs, that is 24 of 50; ±4 standard deviations.
    const second = first(dictionaryOf([pictures[1]]));
    let from = 0;
    for (let seed = 0; seed < 20; seed++) {
      for (const value of first(dictionaryOf(pictures, 50, seed))) if (second.has(value)) from++;
    }
    expect(Math.abs(from / 20 - 24)).toBeLessThan(4 * Math.sqrt(12.5 / 20));
  });
});

describe('search', () => {
  test('is exact: the nearest patches in order, of equals the first in the dictionary', () => {
    const integer = fc.integer({ min: -2, max: 2 });
    fc.assert(
      fc.property(
        anyDictionary,
        fc.array(integer, { minLength: LOW, maxLength: LOW }),
        fc.constantFrom(1, 5, 16),
        fc.array(fc.tuple(fc.integer({ min: 0, max: HIGH - 1 }), integer), { maxLength: 9 }),
        (dictionary, query, most, beside) => {
          const { count, low, high } = dictionary;
          const index = searchIndexOf(dictionary, runner);
          const search = new PatchSearch(index, most);
          const weight = beside.length > 0 ? 0.25 : 0;
          const values = Float64Array.from(beside, ([, value]) => value);
          search.find(
            Float64Array.from(query),
            weight,
            beside.map(([place]) => place),
            values,
          );
          const distance = (i: number) => {
            let sum = 0;
            for (let k = 0; k < LOW; k++) sum += (query[k] - low[i * LOW + k]) ** 2;
            for (const [place, value] of beside) sum += weight * (value - high[i * HIGH + place]) ** 2;
            return sum;
          };
          const expected = Array.from({ length: count }, (_, i) => distance(i)).sort((a, b) => a - b);
          expect(search.count).toBe(Math.min(most, count));
          for (let i = 0; i < search.count; i++) {
            expect(search.distances[i]).toBeCloseTo(expected[i], 3);
            expect(distance(index.position[search.found[i]])).toBeCloseTo(expected[i], 3);
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  test('of the same patch twice, the first in the dictionary is found', () => {
    const low = new Float32Array(3 * LOW).fill(1);
    low.fill(-1, LOW, 2 * LOW);
    const high = new Float32Array(3 * HIGH);
    const index = searchIndexOf({ count: 3, low, high }, runner);
    const search = new PatchSearch(index, 1);
    search.find(new Float64Array(LOW).fill(1));
    expect(index.position[search.found[0]]).toBe(0);
    search.find(new Float64Array(LOW).fill(-1));
    expect(index.position[search.found[0]]).toBe(1);
  });

  test('an empty dictionary has nothing', () => {
    const search = new PatchSearch(searchIndexOf(dictionaryOf([]), runner), 4);
    search.find(new Float64Array(LOW));
    expect(search.count).toBe(0);
  });
});

const onePass = (plane: Plane, dictionary: PatchDictionary) => doubleByExamples(plane, dictionary, { runner });
const byMarkov = (plane: Plane, dictionary: PatchDictionary, options?: MarkovOptions) =>
  doubleByMarkov(plane, dictionary, { runner }, undefined, options);

describe.each([
  ['one pass', onePass],
  ['Markov network', byMarkov],
] as const)('%s', (_, double) => {
  test('a dictionary made from the picture gives the picture back', async () => {
    const original = texture(34, 26);
    // Patches at the right and bottom edge extend beyond it, and have no equals in the dictionary.
    const inner = (plane: Plane) => planeOf(32, 24, (x, y) => plane.data[y * plane.width + x]);
    const result = await double(halved(original), dictionaryOf([original]));
    expect(largestDifference(inner(result), inner(original))).toBeLessThan(1e-3);
    // Bicubic alone is far from it.
    expect(largestDifference(inner(doubled(halved(original))), inner(original))).toBeGreaterThan(20);
  });

  test('without examples, and for constants, it is bicubic', async () => {
    const picture = scene(11, 9);
    expect(largestDifference(await double(picture, dictionaryOf([])), doubled(picture))).toBe(0);
    const flat = planeOf(8, 7, () => 90);
    const result = await double(flat, dictionaryOf([texture(20, 20)]));
    expect(result.data.every(value => Math.abs(value - 90) < 1e-9)).toBe(true);
  });

  test('twice the contrast gives twice the detail', async () => {
    const dictionary = dictionaryOf([texture(30, 30, 1)]);
    const picture = texture(12, 12, 3);
    const band = (one: Plane, low: Plane) =>
      planeOf(low.width, low.height, (x, y) => one.data[y * low.width + x] - low.data[y * low.width + x]);
    const detail = band(await double(picture, dictionary), doubled(picture));
    const strong = planeOf(12, 12, (x, y) => 2 * picture.data[y * 12 + x]);
    const twice = band(await double(strong, dictionary), doubled(strong));
    expect(Math.max(...detail.data)).toBeGreaterThan(1);
    expect(
      largestDifference(
        planeOf(24, 24, (x, y) => 2 * detail.data[y * 24 + x]),
        twice,
      ),
    ).toBeLessThan(1e-9);
  });

  test('pictures of one pixel, or one row, are enlarged', async () => {
    const dictionary = dictionaryOf([texture(20, 20)]);
    expect(await double(texture(1, 1), dictionary)).toMatchObject({ width: 2, height: 2 });
    expect(await double(texture(9, 1), dictionary)).toMatchObject({ width: 18, height: 2 });
  });
});

test('one pass is the same as one patch after the other in raster order', async () => {
  const dictionary = dictionaryOf([texture(26, 26, 1)]);
  const picture = texture(15, 11, 4);
  const low = doubled(picture);
  const middle = middleBand(low);
  const inside = (at: number, length: number) => Math.min(length - 1, Math.max(0, at));
  const band = new Map<string, number>();
  for (let top = 0; top < low.height - 1; top += 4) {
    for (let left = 0; left < low.width - 1; left += 4) {
      const patch = planeOf(
        7,
        7,
        (x, y) => middle.data[inside(top + y - 1, low.height) * low.width + inside(left + x - 1, low.width)],
      );
      const contrast = patch.data.reduce((sum, value) => sum + Math.abs(value), 0) / LOW;
      let [best, least] = [0, Number.POSITIVE_INFINITY];
      for (let i = 0; i < dictionary.count; i++) {
        let distance = 0;
        for (let k = 0; k < LOW; k++) distance += (patch.data[k] / contrast - dictionary.low[i * LOW + k]) ** 2;
        for (let k = 0; k < HIGH; k++) {
          const [x, y] = [k % 5, Math.floor(k / 5)];
          if (!((y === 0 && top > 0) || (x === 0 && left > 0))) continue;
          const written = band.get(`${left + x}, ${top + y}`) ?? 0;
          distance += ALPHA ** 2 * (written / contrast - dictionary.high[i * HIGH + k]) ** 2;
        }
        if (distance < least) [best, least] = [i, distance];
      }
      for (let k = 0; k < HIGH; k++) {
        band.set(`${left + (k % 5)}, ${top + Math.floor(k / 5)}`, dictionary.high[best * HIGH + k] * contrast);
      }
    }
  }
  const expected = planeOf(
    low.width,
    low.height,
    (x, y) => low.data[y * low.width + x] + (band.get(`${x}, ${y}`) ?? 0),
  );
  expect(largestDifference(await onePass(picture, dictionary), expected)).toBeLessThan(1e-3);
});

describe('Markov network', () => {
  const dictionary = dictionaryOf([texture(26, 26, 1)], 60);

  test('a single patch, and any without weight for overlaps, take the nearest candidates', async () => {
    // 2×2 pixels become 4×4: one patch.
    const one = texture(2, 2, 5);
    expect(await byMarkov(one, dictionary)).toEqual(await byMarkov(one, dictionary, { rounds: 0 }));
    const picture = texture(12, 9, 5);
    const nearest = await byMarkov(picture, dictionary, { rounds: 0 });
    expect(await byMarkov(picture, dictionary, { overlapWeight: 0 })).toEqual(nearest);
    expect(await byMarkov(picture, dictionary)).not.toEqual(nearest);
  });

  test('on a chain it is as good as trying all choices', async () => {
    // 2 rows of 12: three patches in a row, of 16 candidates each.
    for (const salt of [1, 2, 3, 4]) {
      const picture = planeOf(6, 2, (x, y) => texture(6, 2, salt).data[y * 6 + x]);
      const result = await byMarkov(picture, dictionary, { rounds: 3, overlapWeight: 2 });
      const low = doubled(picture);
      expect(low.width).toBe(12);
      const patches = chainOf(low, dictionary);
      let [best, least] = [[0, 0, 0], Number.POSITIVE_INFINITY];
      for (let a = 0; a < 16; a++) {
        for (let b = 0; b < 16; b++) {
          for (let c = 0; c < 16; c++) {
            const energy =
              patches[0][a].misfit +
              patches[1][b].misfit +
              patches[2][c].misfit +
              2 * (gap(patches[0][a].high, patches[1][b].high) + gap(patches[1][b].high, patches[2][c].high));
            if (energy < least) [best, least] = [[a, b, c], energy];
          }
        }
      }
      const chosen = best.map((choice, i) => patches[i][choice].high);
      for (let y = 0; y < 4; y++) {
        for (let x = 0; x < 12; x++) {
          const covering = [0, 1, 2].filter(i => x >= 4 * i && x <= 4 * i + 4);
          const mean = covering.reduce((sum, i) => sum + chosen[i][y * 5 + x - 4 * i], 0) / covering.length;
          expect(result.data[y * 12 + x] - low.data[y * 12 + x]).toBeCloseTo(mean, 3);
        }
      }
    }
  });
});

interface Candidate {
  readonly misfit: number;
  readonly high: readonly number[];
}

/** The 16 nearest candidates of the three patches of a 12×4 picture. */
function chainOf(low: Plane, { count, low: lows, high }: PatchDictionary): Candidate[][] {
  const middle = middleBand(low);
  const inside = (at: number, length: number) => Math.min(length - 1, Math.max(0, at));
  return [0, 4, 8].map(left => {
    const patch = planeOf(7, 7, (x, y) => middle.data[inside(y - 1, 4) * 12 + inside(left + x - 1, 12)]);
    const contrast = patch.data.reduce((sum, value) => sum + Math.abs(value), 0) / LOW;
    expect(contrast).toBeGreaterThan(FLAT_CONTRAST);
    const all = Array.from({ length: count }, (_, i): Candidate => {
      let misfit = 0;
      for (let k = 0; k < LOW; k++) misfit += (patch.data[k] - contrast * lows[i * LOW + k]) ** 2;
      return { misfit, high: Array.from(high.subarray(i * HIGH, (i + 1) * HIGH), value => value * contrast) };
    });
    return all.sort((a, b) => a.misfit - b.misfit).slice(0, 16);
  });
}

/** Squared difference where the right column of one patch lies on the left column of the next. */
const gap = (a: readonly number[], b: readonly number[]): number =>
  [0, 1, 2, 3, 4].reduce((sum, row) => sum + (a[row * 5 + 4] - b[row * 5]) ** 2, 0);

test.each([EXAMPLES, MARKOV])(
  '$name: four times, with progress to the end; no dictionary is an error',
  async method => {
    const told: number[] = [];
    const onProgress = (done: number, total: number) => told.push(done / total);
    const dictionary = dictionaryOf([texture(20, 20)]);
    const result = await method.run(texture(7, 6, 2), { runner, dictionary, onProgress });
    expect([result.width, result.height]).toEqual([28, 24]);
    expect(told.at(-1)).toBeCloseTo(1, 12);
    expect(told.every((share, i) => i === 0 || share >= told[i - 1])).toBe(true);
    const missing = method.run(texture(7, 6), { runner });
    await expect(missing).rejects.toThrow(MethodError);
    await expect(missing).rejects.toThrow(`${method.name}: expected a dictionary of examples, got none`);
  },
);
