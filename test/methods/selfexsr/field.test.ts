import { expect, test } from 'vitest';
import { type Field, fieldFor, patchesAlong, STRIDE } from '../../../methods/selfexsr/field.ts';
import { type Match, sourceLevel } from '../../../methods/selfexsr/patch-cost.ts';
import { PlaceRandom } from '../../../methods/selfexsr/place-random.ts';
import { PROPAGATE_ALONG, PROPAGATE_DOWN } from '../../../methods/selfexsr/propagate.ts';
import { levelSize } from '../../../methods/selfexsr/pyramid.ts';
import { type Layer, layerFor } from '../../../methods/selfexsr/resample.ts';
import { SEARCH, triesFor } from '../../../methods/selfexsr/search.ts';
import { START } from '../../../methods/selfexsr/start.ts';
import { VOTE } from '../../../methods/selfexsr/vote.ts';
import { fieldOf, layerOf, local, noise } from './scenes.ts';

/** Sources of the right sizes for a level, made by `of`. */
const sourcesFor = (target: Layer, of: (width: number, height: number, nth: number) => Layer): Layer[] =>
  Array.from({ length: 9 }, (_, i) => {
    const { width, height } = levelSize(target, -i - 1);
    return of(width, height, i);
  });

const rowsOf = ({ height }: Field) => patchesAlong(height);

/** One iteration, as `findField` does it; `after` is called after each pass. */
async function iterate(match: Match, key: number, after = () => {}): Promise<void> {
  const [rows, columns] = [rowsOf(match.field), patchesAlong(match.field.width)];
  await local.run(SEARCH, { ...match, key }, rows);
  after();
  for (const step of [1, -1] as const) {
    await local.run(PROPAGATE_ALONG, { ...match, step }, rows);
    after();
    await local.run(PROPAGATE_DOWN, { ...match, step }, columns);
    after();
  }
}

/** Cost and biases of a patch by the definition: samples first, then their means, then the sum. */
function byDefinition({ field, target, sources }: Match, x: number, y: number) {
  const [a, b, c, d, u, v] = field.transforms.subarray((y * field.width + x) * STRIDE);
  const nearest = Math.round(3 * Math.log2(Math.sqrt(Math.abs(a * d - b * c))));
  const source = sources[Math.min(9, Math.max(1, nearest)) - 1];
  const at = (i: number, j: number, k: number) => {
    const column = Math.min(source.width - 1, Math.max(0, i));
    return source.data[(Math.min(source.height - 1, Math.max(0, j)) * source.width + column) * 3 + k];
  };
  const offsets = [-2, -1, 0, 1, 2];
  const weights = offsets.map(o => Math.exp(-(o * o) / 18));
  const total = weights.reduce((sum, w) => sum + w, 0) ** 2;
  let cost = 0;
  const biases = [0, 1, 2].map(k => {
    const pairs = offsets.flatMap((dy, j) =>
      offsets.map((dx, i) => {
        const p = ((u + a * dx + c * dy + 0.5) * source.width) / field.width - 0.5;
        const q = ((v + b * dx + d * dy + 0.5) * source.height) / field.height - 0.5;
        const [left, top] = [Math.floor(p), Math.floor(q)];
        const [fp, fq] = [p - left, q - top];
        const above = (1 - fp) * at(left, top, k) + fp * at(left + 1, top, k);
        const below = (1 - fp) * at(left, top + 1, k) + fp * at(left + 1, top + 1, k);
        const difference = target.data[((y + dy) * target.width + x + dx) * 3 + k] - (1 - fq) * above - fq * below;
        return { difference, weight: (weights[i] * weights[j]) / total };
      }),
    );
    const mean = pairs.reduce((sum, { difference }) => sum + difference, 0) / 25;
    const bias = Math.min(0.25, Math.max(-0.25, mean));
    cost += pairs.reduce((sum, { difference, weight }) => sum + weight * (difference - bias) ** 2, 0);
    return bias;
  });
  return { cost, biases };
}

test.each([
  [23, 17],
  [5, 30],
  [9, 6],
])('costs and biases are those of the transforms, and costs never rise, in %ix%i', async (width, height) => {
  const target = noise(width, height);
  const field = fieldFor(local, width, height);
  const match = { field, target, sources: sourcesFor(target, (w, h, nth) => noise(w, h, nth + 1)) };
  await local.run(START, match, rowsOf(field));
  let before = field.costs.slice();
  for (let iteration = 0; iteration < 4; iteration++) {
    await iterate(match, iteration, () => {
      expect(field.costs.every((cost, i) => cost <= before[i])).toBe(true);
      before = field.costs.slice();
    });
  }
  for (let y = 2; y < height - 2; y++) {
    for (let x = 2; x < width - 2; x++) {
      const at = y * width + x;
      const { cost, biases } = byDefinition(match, x, y);
      expect(field.costs[at]).toBeCloseTo(cost, 5);
      for (let k = 0; k < 3; k++) expect(field.biases[at * 3 + k]).toBeCloseTo(biases[k], 5);
      const [a, b, c, d, u, v] = field.transforms.subarray(at * STRIDE, (at + 1) * STRIDE);
      const scale = Math.sqrt(Math.abs(a * d - b * c));
      expect(scale).toBeGreaterThan(2 ** (1 / 3) - 1e-6);
      expect(scale).toBeLessThan(8 + 1e-6);
      expect(u >= 2 && u <= width - 3 && v >= 2 && v <= height - 3).toBe(true);
    }
  }
});

test('a bias is at most a quarter', async () => {
  const target = layerOf(12, 12, () => 1);
  const field = fieldFor(local, 12, 12);
  await local.run(START, { field, target, sources: sourcesFor(target, (w, h) => layerOf(w, h, () => 0.5)) }, 8);
  expect(field.biases[(5 * 12 + 5) * 3]).toBe(0.25);
  expect(field.costs[5 * 12 + 5]).toBeCloseTo(3 * 0.25 ** 2, 6);
});

test('one patch that has found its copy tells all others', async () => {
  // The picture shows, 3 pixels further right and 2 further down, its own copy of half the size.
  const half = noise(16, 16);
  const target = layerOf(32, 32, (x, y, c) => {
    const [u, v] = [x - 3, y - 2];
    return u >= 0 && u < 16 && v >= 0 && v < 16 ? half.data[(v * 16 + u) * 3 + c] : 0.5;
  });
  // The source of half the size.
  const sources = sourcesFor(target, (w, h, nth) => (nth === 2 ? half : layerOf(w, h, () => 0)));
  const field = fieldFor(local, 32, 32);
  const match = { field, target, sources };
  await local.run(START, match, rowsOf(field));
  // Pixel (11, 10) of the copy is (8, 8) of the half, at 16.5 in pixels of the field.
  const found = 10 * 32 + 11;
  field.transforms.set([2, 0, 0, 2, 16.5, 16.5], found * STRIDE);
  field.costs[found] = 0;
  field.changed[found] = 1;
  for (const step of [1, -1] as const) {
    await local.run(PROPAGATE_ALONG, { ...match, step }, 28);
    await local.run(PROPAGATE_DOWN, { ...match, step }, 28);
  }
  for (let y = 2 + 2; y < 2 + 14; y++) {
    for (let x = 3 + 2; x < 3 + 14; x++) {
      const at = y * 32 + x;
      expect(field.costs[at]).toBeLessThan(1e-12);
      const transform = [2, 0, 0, 2, 2 * (x - 3) + 0.5, 2 * (y - 2) + 0.5];
      expect([...field.transforms.subarray(at * STRIDE, (at + 1) * STRIDE)]).toEqual(transform);
    }
  }
});

test('a finer field starts where the coarser one points', async () => {
  const target = noise(40, 26);
  const coarser = fieldOf(20, 13, (x, y) => [0, 2, -2, 0, 19 - x, 12 - y]);
  const field = fieldFor(local, 40, 26);
  await local.run(START, { field, target, coarser, sources: sourcesFor(target, noise) }, 22);
  for (let y = 6; y < 20; y++) {
    for (let x = 6; x < 34; x++) {
      const [a, b, c, d, u, v] = field.transforms.subarray((y * 40 + x) * STRIDE);
      expect([a, b, c, d]).toEqual([0, 2, -2, 0]);
      // The parent's centre lies half a pixel away in both directions.
      const [dx, dy] = [(x % 2) - 0.5, (y % 2) - 0.5];
      expect(u).toBeCloseTo(2 * (19 - Math.floor(x / 2)) + 0.5 - 2 * dy, 4);
      expect(v).toBeCloseTo(2 * (12 - Math.floor(y / 2)) + 0.5 + 2 * dx, 4);
    }
  }
});

test('sources as large as the target, in place, give the target', async () => {
  const target = noise(11, 9);
  const field = fieldOf(11, 9, (x, y) => [1, 0, 0, 1, x, y]);
  const result = layerFor(local, 11, 9);
  await local.run(VOTE, { field, target: layerOf(11, 9, () => 7), sources: [target], result }, 9);
  for (const [i, value] of target.data.entries()) expect(result.data[i]).toBeCloseTo(value, 6);
  // The biases come on top.
  field.biases.fill(0.125);
  await local.run(VOTE, { field, target, sources: [target], result }, 9);
  for (const [i, value] of target.data.entries()) expect(result.data[i]).toBeCloseTo(value + 0.125, 6);
});

test('patches weigh by their distance from a pixel', async () => {
  // One patch brings 1, the others 0.
  const field = fieldFor(local, 13, 13);
  for (let y = 2; y < 11; y++)
    for (let x = 2; x < 11; x++) field.transforms.set([1, 0, 0, 1, 6, 6], (y * 13 + x) * STRIDE);
  field.biases.fill(1, (6 * 13 + 6) * 3, (6 * 13 + 7) * 3);
  const black = layerOf(13, 13, () => 0);
  const result = layerFor(local, 13, 13);
  await local.run(VOTE, { field, target: black, sources: [black], result }, 13);
  const weight = (dx: number, dy: number) => Math.exp(-(dx * dx + dy * dy) / 18);
  let sum = 0;
  for (let dy = -2; dy <= 2; dy++) for (let dx = -2; dx <= 2; dx++) sum += weight(dx, dy);
  for (let dy = -3; dy <= 3; dy++) {
    for (let dx = -3; dx <= 3; dx++) {
      const wanted = Math.max(Math.abs(dx), Math.abs(dy)) > 2 ? 0 : weight(dx, dy) / sum;
      expect(result.data[((6 + dy) * 13 + 6 + dx) * 3]).toBeCloseTo(wanted, 6);
    }
  }
});

test('the nearest source level of a scale, from the first to the ninth', () => {
  const nearest = (scale: number) => Math.min(9, Math.max(1, Math.round(3 * Math.log2(scale)))) - 1;
  for (let scale = 0.5; scale < 20; scale *= 1.0137) {
    expect(sourceLevel(scale * scale), `${scale}`).toBe(nearest(scale));
    expect(sourceLevel(-scale * scale), `mirrored ${scale}`).toBe(nearest(scale));
  }
});

test('tries halve their range from an eighth of the side until it is at most a pixel', () => {
  expect([1, 4, 5, 8, 9, 256, 257, 512].map(side => triesFor(side, 3))).toEqual([0, 0, 1, 1, 2, 6, 7, 7]);
});

test('random numbers depend on key and place alone, and are uniform', () => {
  const sequence = (random: PlaceRandom, place: number, count: number) => {
    random.moveTo(place);
    return Array.from({ length: count }, () => random.next());
  };
  const random = new PlaceRandom(5);
  const first = sequence(random, 3, 8);
  sequence(random, 9, 5);
  expect(sequence(random, 3, 8)).toEqual(first);
  expect(sequence(new PlaceRandom(6), 3, 8)).not.toEqual(first);

  // 64 bins of all numbers, and of products of neighbours in one sequence and from place to place.
  const all: number[] = [];
  for (let place = 0; place < 4000; place++) all.push(...sequence(random, place, 8));
  expect(all.every(value => value >= -0.5 && value < 0.5)).toBe(true);
  const bins = new Float64Array(64);
  for (const value of all) bins[Math.floor((value + 0.5) * 64)]++;
  const chiSquare = bins.reduce((sum, n) => sum + (n - all.length / 64) ** 2 / (all.length / 64), 0);
  // The mean is 63 and the standard deviation 11.
  expect(Math.abs(chiSquare - 63)).toBeLessThan(45);
  for (const lag of [1, 2, 8, 16]) {
    const products = all.slice(lag).reduce((sum, value, i) => sum + value * all[i], 0);
    // In units of the standard deviation, 1/12 · √n.
    expect(Math.abs((products * 12) / Math.sqrt(all.length))).toBeLessThan(4);
  }
});
