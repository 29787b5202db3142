import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LimitError, OutOfMemoryError } from '../../engine/basics/errors.ts';
import { TileError } from '../../eval/errors.ts';
import { interpolation, network } from '../../eval/methods.ts';
import { type Upscaler, upscalePicture } from '../../eval/upscale.ts';
import { toGrey } from '../../image/colour.ts';
import { createPicture, type Picture, type Samples, splitAlpha, toRgb, toSixteenBit } from '../../image/picture.ts';
import { resize } from '../../image/resize.ts';
import { formulaPicture } from '../image/fixtures.ts';
import { FAKE_HALO, fakeUpscaler, repeatingUpscaler } from './fake-upscaler.ts';

const whole = <S extends Samples>(picture: Picture<S>, upscaler: Upscaler = fakeUpscaler()) =>
  upscalePicture(picture, upscaler, { tile: 0 });

test('tiled equals untiled, whatever the sizes of picture and tile', async () => {
  const side = fc.integer({ min: 1, max: 31 });
  const tile = fc.integer({ min: 1, max: 13 });
  await fc.assert(
    fc.asyncProperty(side, side, tile, fc.nat(1000), async (width, height, tile, salt) => {
      const picture = formulaPicture([width, height, 3, salt]);
      const upscaler = fakeUpscaler();
      const tiled = await upscalePicture(picture, upscaler, { tile });
      expect(new Set(upscaler.windows).size).toBe(1);
      expect(tiled).toEqual(await whole(picture));
    }),
    { numRuns: 60, seed: 1 },
  );
});

test('tiles chosen for a memory budget stay within it and change nothing', async () => {
  const picture = formulaPicture([53, 31, 3, 2]);
  const upscaler = fakeUpscaler();
  const bytes: number[] = [];
  const watched: Upscaler = {
    ...upscaler,
    run: async (planes, height, width) => {
      bytes.push(upscaler.bytes(height, width));
      return await upscaler.run(planes, height, width);
    },
  };
  const tiled = await upscalePicture(picture, watched, { memoryBudget: 40_000 });
  expect(bytes.length).toBeGreaterThan(4);
  expect(Math.max(...bytes)).toBeLessThanOrEqual(40_000);
  expect(tiled).toEqual(await whole(picture));
});

test('a halo that is one too small shows: the tests above can fail', async () => {
  const picture = formulaPicture([31, 29, 3, 4]);
  expect(await upscalePicture(picture, fakeUpscaler(FAKE_HALO - 1), { tile: 5 })).not.toEqual(await whole(picture));
});

test('levels are rounded as the reference rounds', async () => {
  // By numpy: float32 ((y + 1) * 0.5), then float64 (floor(… * 255 + 0.5)), clipped. Ties and their neighbours are in.
  const cases: [number, number][] = JSON.parse(readFileSync('test/eval/rounding.json', 'utf8'));
  for (const [y, level] of cases) {
    const { data } = await whole(
      createPicture(1, 1, 3),
      repeatingUpscaler(() => y),
    );
    expect([y, ...data]).toEqual([y, ...new Array(48).fill(level)]);
  }
});

test('samples go in as k / 255 in float32, planar, and come out in place', async () => {
  const seen: Float32Array[] = [];
  const nearest = repeatingUpscaler();
  const watched: Upscaler = {
    ...nearest,
    run: (planes, height, width) => {
      seen.push(planes);
      return nearest.run(planes, height, width);
    },
  };
  const picture = formulaPicture([5, 4, 3, 1]);
  expect(await whole(picture, watched)).toEqual(await interpolation('nearest')(picture));
  const [r, g, b] = [0, 1, 2].map(c => [...picture.data].filter((_, i) => i % 3 === c));
  expect([...seen[0]]).toEqual([...r, ...g, ...b].map(value => Math.fround(value / 255)));
});

test('grey goes in as three equal channels and comes out as rounded grey', async () => {
  const grey = formulaPicture([9, 7, 1, 3]);
  expect(await whole(grey)).toEqual(toGrey(await whole(toRgb(grey))));
});

test('alpha is kept: enlarged by bicubic beside the colour', async () => {
  const clear = formulaPicture([9, 7, 4, 3]);
  for (let i = 3; i < clear.data.length; i += 4) clear.data[i] = Math.max(1, clear.data[i]);
  const { colour, alpha } = splitAlpha(clear);
  const result = splitAlpha(await whole(clear));
  expect(result.colour).toEqual(await whole(colour));
  expect(result.alpha).toEqual(resize(alpha!, 4));
  const greyAndAlpha = await whole(formulaPicture([6, 5, 2, 1]));
  expect(greyAndAlpha).toMatchObject({ width: 24, height: 20, channels: 2 });
});

test('16 bit: samples go in as k / 65535 and come out rounded to as many levels', async () => {
  const picture = toSixteenBit(formulaPicture([5, 4, 3, 1]));
  picture.data.forEach((value, i) => {
    picture.data[i] = Math.min(65535, value + i);
  });
  expect(await whole(picture, repeatingUpscaler())).toEqual(await interpolation('nearest')(picture));
  const levels = async (y: number) =>
    (
      await whole(
        toSixteenBit(createPicture(1, 1, 3)),
        repeatingUpscaler(() => y),
      )
    ).data[0];
  // 32767.5 is rounded up; a step of one level; what lies beyond is clipped.
  expect(await Promise.all([0, -1 + 2 / 65535, 1.5, -3].map(levels))).toEqual([32768, 1, 65535, 0]);
});

test('16 bit: grey stays grey, alpha is kept, and hidden colours make no fringe', async () => {
  const size = 8;
  const picture = toSixteenBit(createPicture(size, size, 2));
  for (let y = 2; y < 6; y++) for (let x = 2; x < 6; x++) picture.data.set([60001, 65535], (y * size + x) * 2);
  const { data, channels } = await whole(picture, repeatingUpscaler());
  expect([channels, data instanceof Uint16Array]).toEqual([2, true]);
  expect([...data].filter((_, i) => i % 2 === 0).every(grey => grey === 60001)).toBe(true);
  expect([data[1], data[(16 * 32 + 16) * 2 + 1]]).toEqual([0, 65535]);
});

/** A network on a GPU that cannot take windows of more than `most` pixels. */
function cramped(most: number, error: Error = new OutOfMemoryError({ requested: 9, live: 1, peak: 1, budget: 9 })) {
  const upscaler = fakeUpscaler();
  const run: Upscaler['run'] = (planes, height, width) => {
    if (height * width > most) throw error;
    return upscaler.run(planes, height, width);
  };
  return { ...upscaler, run };
}

test('where memory runs out, tiles are halved until they fit, stay so, and change nothing', async () => {
  const picture = formulaPicture([53, 31, 3, 2]);
  const upscaler = cramped(400);
  const method = network(upscaler);
  const notes: string[] = [];
  const onNote = (note: string) => notes.push(note);
  expect(await method(picture, { onNote })).toEqual(await whole(picture));
  expect(notes).toEqual([
    'out of GPU memory with tiles of 53x31: using tiles of 24x31 from now on',
    'out of GPU memory with tiles of 24x31: using tiles of 16x16 from now on',
  ]);
  let [tiles, window] = [0, ''];
  const next = await method(formulaPicture([40, 40, 3, 3]), {
    onNote,
    onTiling: cut => {
      tiles = cut.count;
      window = `${cut.window.width}x${cut.window.height}`;
    },
  });
  expect(next).toEqual(await whole(formulaPicture([40, 40, 3, 3])));
  expect([tiles, window, notes.length]).toEqual([16, '16x16', 2]);
  // Tiles of a stated size, and what the adapter refuses to run at all.
  const asked = { ...cramped(400, new LimitError('conv2d', 'a limit', 2, 1)), bytes: () => Number.POSITIVE_INFINITY };
  const bytes = (height: number, width: number) => (height * width > 400 ? Number.POSITIVE_INFINITY : 1);
  expect(await upscalePicture(picture, { ...asked, bytes }, { tile: 30 })).toEqual(await whole(picture));
});

test('where no tile fits that picture fails, and the next is tried with all there is', async () => {
  const method = network(cramped(100));
  const failed = method(formulaPicture([53, 31, 3, 2]));
  await expect(failed).rejects.toThrow(TileError);
  await expect(failed).rejects.toThrow(
    /^Cannot upscale: a tile of 16x16 pixels needs too much GPU memory, and no smaller tile is possible\. Out of GPU memory/,
  );
  const small = formulaPicture([10, 10, 3, 1]);
  expect(await method(small)).toEqual(await whole(small));
});

test('a result of one colour is an error where the picture has many, and none where it has not', async () => {
  const black = repeatingUpscaler(() => -1);
  const flat = createPicture(4, 3, 3, new Uint8Array(36).fill(7));
  flat.data[5] = 10;
  expect((await whole(flat, black)).data.every(value => value === 0)).toBe(true);
  flat.data[5] = 40;
  await expect(whole(flat, black)).rejects.toThrow(
    'repeating: the result has only one colour, but the picture does not',
  );
});

test('progress counts tiles, from none to all', async () => {
  const calls: [number, number][] = [];
  await upscalePicture(formulaPicture([30, 12, 3, 0]), fakeUpscaler(), {
    tile: 8,
    onTile: (done, total) => calls.push([done, total]),
  });
  expect(calls).toEqual([0, 1, 2, 3].map(done => [done, 3]));
});

test('an abort stops before the next tile with its reason', async () => {
  const controller = new AbortController();
  const upscaler = fakeUpscaler();
  const stopped = network(upscaler, { tile: 4 })(formulaPicture([30, 12, 3, 0]), {
    signal: controller.signal,
    onTile: done => done === 2 && controller.abort(new Error('enough')),
  });
  await expect(stopped).rejects.toThrow('enough');
  expect(upscaler.windows).toHaveLength(3);
});

test('what cannot be right is refused', async () => {
  const picture = createPicture(2, 2, 3);
  const broken = (run: Upscaler['run']): Upscaler => ({ ...fakeUpscaler(), run });
  await expect(
    whole(
      picture,
      broken(async () => new Float32Array(192).fill(Number.NaN)),
    ),
  ).rejects.toThrow('fake: the result contains NaN or infinity');
  await expect(
    whole(
      picture,
      broken(async () => new Float32Array(5)),
    ),
  ).rejects.toThrow('fake: 5 numbers for a tile');
  await expect(upscalePicture(picture, fakeUpscaler(), { tile: -1 })).rejects.toThrow('got -1');
});
