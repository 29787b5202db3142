import { describe, expect, test } from 'vitest';
import { tensor } from '../../engine/tensor.ts';
import { createPicture, type Picture } from '../../image/picture.ts';
import { CROP_WORDS } from '../../train/kernels/crops.ts';
import type { CropOptions } from '../../train/pictures/crop-plan.ts';
import { CropSource, type PicturePair } from '../../train/pictures/crop-source.ts';
import { sharedDevice, take } from '../device.ts';
import { formulaPicture } from '../image/fixtures.ts';

const OPTIONS: CropOptions = { batch: 8, crop: 16, seed: 3, flips: true, rotations: true };
const SIDE = OPTIONS.crop / 4;

/** HR and LR of LR size `width` x `height`, with bytes by formula. */
const pairOf = (width: number, height: number, salt: number): PicturePair => ({
  hr: formulaPicture([4 * width, 4 * height, 3, salt]),
  lr: formulaPicture([width, height, 3, salt + 100]),
});

/** Pictures of different widths, so that a plan's words tell which is which; the first is as small as a crop. */
const PAIRS = [pairOf(4, 4, 1), pairOf(5, 7, 2), pairOf(9, 4, 3), pairOf(13, 11, 4)];

/** What the words of a crop say, in words. */
function read(plan: Uint32Array, crop: number) {
  const [chunk, hrOffset, hrWidth, lrOffset, lrWidth, x, y, orientation] = plan.subarray(
    crop * CROP_WORDS,
    (crop + 1) * CROP_WORDS,
  );
  const picture = PAIRS.findIndex(({ lr }) => lr.width === lrWidth);
  return { chunk, hrOffset, hrWidth, lrOffset, lrWidth, x, y, orientation, picture };
}

/** A square of a picture, mirrored and turned with whole pictures in mind: mirrors first, then the exchange. */
function cutOnCpu({ data, width }: Picture, x: number, y: number, side: number, orientation: number): number[][][] {
  let rows = Array.from({ length: side }, (_, r) =>
    Array.from({ length: side }, (_, c) => [...data.subarray(((y + r) * width + x + c) * 3).subarray(0, 3)]),
  );
  if (orientation & 1) rows = rows.map(row => row.toReversed());
  if (orientation & 2) rows = rows.toReversed();
  return orientation & 4 ? rows[0].map((_, c) => rows.map(row => row[c])) : rows;
}

/** Compares a batch with what the CPU cuts; `scale` and `shift` take bytes to numbers. */
function expectBatch(got: Float32Array, expected: number[][][][], scale: number, shift: number): void {
  let at = 0;
  let worst = 0;
  for (const crop of expected)
    for (let c = 0; c < 3; c++)
      for (const row of crop)
        for (const pixel of row) {
          const value = pixel[c] / scale + shift;
          worst = Math.max(worst, Math.abs(got[at++] - value));
          // The ends of the ranges are exact.
          if (pixel[c] === 0 || pixel[c] === 255) expect(got[at - 1]).toBe(value);
        }
  expect(at).toBe(got.length);
  // A step between two levels is 100 times as much.
  expect(worst).toBeLessThan(3e-5);
}

describe.each([
  ['this adapter', {}],
  ['adapters with one lane an element', { software: false, subgroupSize: 0 }],
])('the gather kernel for %s', (_, traits) => {
  const device = sharedDevice({ traits });

  test.each([
    ['one buffer', undefined, 1],
    ['several buffers', 2700, 3],
    ['a buffer a picture, larger than the limit', 10, 4],
  ])('%s: every orientation and the corners, as on the CPU', async (_, chunkBytes, chunks) => {
    using source = new CropSource(device(), PAIRS, { ...OPTIONS, ...(chunkBytes && { chunkBytes }) });
    const known = new Map<number, ReturnType<typeof read>>();
    for (let step = 0; step < 4; step++) {
      const plan = source.plan(step);
      for (let i = 0; i < OPTIONS.batch; i++) known.set(read(plan, i).picture, read(plan, i));
    }
    expect(new Set([...known.values()].map(({ chunk }) => chunk)).size).toBe(chunks);
    for (const [picture, { hrOffset, hrWidth, lrOffset, lrWidth, chunk }] of known) {
      const { hr, lr } = PAIRS[picture];
      // Orientations 0 to 7, at the four corners in turn.
      const words = new Uint32Array(OPTIONS.batch * CROP_WORDS);
      const places = Array.from({ length: OPTIONS.batch }, (_, i) => ({
        x: i % 2 ? lr.width - SIDE : 0,
        y: i % 4 > 1 ? lr.height - SIDE : 0,
        orientation: i,
      }));
      places.forEach(({ x, y, orientation }, i) => {
        words.set([chunk, hrOffset, hrWidth, lrOffset, lrWidth, x, y, orientation], i * CROP_WORDS);
      });
      using plan = tensor(words, [OPTIONS.batch, CROP_WORDS]);
      const batch = source.gather(plan);
      expect([batch.lr.shape, batch.hr.shape]).toEqual([
        [8, 3, 4, 4],
        [8, 3, 16, 16],
      ]);
      const [low, high] = await take([batch.lr, batch.hr]);
      const cut = (of: Picture, scale: number) =>
        places.map(({ x, y, orientation }) => cutOnCpu(of, x * scale, y * scale, SIDE * scale, orientation));
      expectBatch(low, cut(lr, 1), 255, 0);
      expectBatch(high, cut(hr, 4), 127.5, -1);
    }
  });

  test('batches from several buffers are the same as from one', async () => {
    using one = new CropSource(device(), PAIRS, OPTIONS);
    using many = new CropSource(device(), PAIRS, { ...OPTIONS, chunkBytes: 10 });
    for (const step of [0, 1, 1000]) {
      const batches: Float32Array[][] = [];
      for (const source of [one, many]) {
        using plan = tensor(source.plan(step), [OPTIONS.batch, CROP_WORDS]);
        const { lr, hr } = source.gather(plan);
        batches.push(await take([lr, hr]));
      }
      expect(batches[1]).toEqual(batches[0]);
      const plan = one.plan(step);
      const crops = Array.from({ length: OPTIONS.batch }, (_, i) => read(plan, i));
      expectBatch(
        batches[0][1],
        crops.map(({ picture, x, y, orientation }) => cutOnCpu(PAIRS[picture].hr, 4 * x, 4 * y, 16, orientation)),
        127.5,
        -1,
      );
    }
  });

  test('HR and LR match: each LR pixel has its sixteen HR pixels in every orientation', async () => {
    // Every LR pixel is named by its column, row and picture, and so are the sixteen of HR that it came from.
    const named = (width: number, height: number, picture: number, scale: number) => {
      const data = Array.from({ length: width * height * scale ** 2 }, (_, i) => [
        Math.floor((i % (width * scale)) / scale),
        Math.floor(i / (width * scale) / scale),
        picture,
      ]);
      return createPicture(width * scale, height * scale, 3, Uint8Array.from(data.flat()));
    };
    const pairs = [
      [11, 6],
      [5, 13],
      [8, 8],
    ].map(([width, height], i) => ({ lr: named(width, height, i, 1), hr: named(width, height, i, 4) }));
    using source = new CropSource(device(), pairs, { ...OPTIONS, chunkBytes: 10 });
    for (let step = 0; step < 12; step++) {
      using plan = tensor(source.plan(step), [OPTIONS.batch, CROP_WORDS]);
      const batch = source.gather(plan);
      const [low, high] = await take([batch.lr, batch.hr]);
      const lr = low.map(x => Math.round(255 * x));
      const hr = high.map(x => Math.round(127.5 * (x + 1)));
      const shrunk = hr.filter((_, i) => i % 4 === step % 4 && Math.floor(i / 16) % 4 === Math.floor(step / 4) % 4);
      expect(shrunk).toEqual(lr);
    }
  });
});

describe('the plan', () => {
  const device = sharedDevice();
  const sourceOf = (options: Partial<CropOptions> = {}, pairs = PAIRS) =>
    new CropSource(device(), pairs, { ...OPTIONS, ...options });
  const cropsOf = (source: CropSource, steps: number) =>
    Array.from({ length: steps }, (_, step) => source.plan(step)).flatMap(plan =>
      Array.from({ length: plan.length / CROP_WORDS }, (_, i) => read(plan, i)),
    );

  test('depends only on seed and step', () => {
    using source = sourceOf();
    using again = sourceOf();
    using other = sourceOf({ seed: 4 });
    const forward = Array.from({ length: 20 }, (_, step) => source.plan(step));
    const backward = Array.from({ length: 20 }, (_, i) => again.plan(19 - i)).reverse();
    expect(backward).toEqual(forward);
    expect(new Set(forward.map(plan => plan.join())).size).toBe(20);
    expect(other.plan(0)).not.toEqual(forward[0]);
    expect(source.plan(10 ** 6 - 1)).toEqual(again.plan(10 ** 6 - 1));
  });

  test('is always the first one with overfitBatch', () => {
    using source = sourceOf({ overfitBatch: true });
    using plain = sourceOf();
    for (const step of [0, 1, 7]) expect(source.plan(step)).toEqual(plain.plan(0));
    expect(plain.plan(1)).not.toEqual(plain.plan(0));
  });

  test('reaches every position in a picture, including corners, and none outside', () => {
    using source = sourceOf();
    const crops = cropsOf(source, 300);
    for (const [picture, { lr }] of PAIRS.entries()) {
      const places = crops.filter(crop => crop.picture === picture).map(({ x, y }) => `${x},${y}`);
      const expected: string[] = [];
      for (let y = 0; y <= lr.height - SIDE; y++) for (let x = 0; x <= lr.width - SIDE; x++) expected.push(`${x},${y}`);
      expect([...new Set(places)].sort()).toEqual(expected.sort());
    }
  });

  test.each([
    [false, false, [0]],
    [true, false, [0, 1, 2, 3]],
    // Turns alone keep left and right: none, a quarter, a half, three quarters.
    [false, true, [0, 3, 5, 6]],
    [true, true, [0, 1, 2, 3, 4, 5, 6, 7]],
  ])('flips %s, rotations %s: orientations %o, equally often, at the same positions', (flips, rotations, expected) => {
    using source = sourceOf({ flips, rotations });
    using plain = sourceOf({ flips: false, rotations: false });
    const crops = cropsOf(source, 400);
    expect([...new Set(crops.map(({ orientation }) => orientation))].sort()).toEqual(expected);
    for (const one of expected) {
      const count = crops.filter(({ orientation }) => orientation === one).length;
      const mean = crops.length / expected.length;
      expect(Math.abs(count - mean)).toBeLessThan(5 * Math.sqrt(mean) + (expected.length > 1 ? 0 : 1));
    }
    const places = (all: typeof crops) => all.map(crop => ({ ...crop, orientation: 0 }));
    expect(places(crops)).toEqual(cropsOf(plain, 400));
  });

  test('uses every picture once per epoch, in a new order each time', () => {
    using source = sourceOf({ batch: 2 });
    const pictures = cropsOf(source, 40).map(({ picture }) => picture);
    const rounds = Array.from({ length: 20 }, (_, i) => pictures.slice(4 * i, 4 * i + 4));
    for (const round of rounds) expect(round.toSorted()).toEqual([0, 1, 2, 3]);
    expect(new Set(rounds.map(round => round.join())).size).toBeGreaterThan(5);
    // Batches that divide a round are of distinct pictures.
    for (let i = 0; i < pictures.length; i += 2) expect(pictures[i]).not.toBe(pictures[i + 1]);
  });

  test('fills batches that are larger than the set', () => {
    using source = sourceOf({ batch: 9 }, PAIRS.slice(1, 3));
    const pictures = cropsOf(source, 2).map(({ picture }) => picture);
    expect(pictures.filter(picture => picture === 1)).toHaveLength(9);
    expect(pictures.filter(picture => picture === 2)).toHaveLength(9);
  });
});

describe('a source', () => {
  const device = sharedDevice();

  test('frees its memory', () => {
    const { live } = device().memory.figures();
    const source = new CropSource(device(), PAIRS, { ...OPTIONS, chunkBytes: 2000 });
    expect(device().memory.figures().live).toBeGreaterThan(live);
    source.dispose();
    expect(device().memory.figures().live).toBe(live);
  });

  test('rejects an empty list and pictures smaller than a crop, before it allocates memory', () => {
    expect(() => new CropSource(device(), [], OPTIONS)).toThrow('CropSource: expected at least one picture, got none.');
    expect(() => new CropSource(device(), [PAIRS[3], pairOf(4, 3, 1)], OPTIONS)).toThrow(
      'CropSource: a picture of 16x12 is smaller than crops of 16.',
    );
  });
});

describe('a source on an adapter that binds little', () => {
  const device = sharedDevice({ traits: { maxBindingBytes: 1000 } });

  test('rejects a picture larger than a binding, with its size and advice', () => {
    using _ = new CropSource(device(), [pairOf(4, 4, 1)], OPTIONS);
    expect(() => new CropSource(device(), PAIRS, OPTIONS)).toThrow(
      'CropSource: a picture of 20x28 with its LR takes 1785 bytes, but the adapter binds at most 1000; split it into several files.',
    );
  });
});
