import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { interpolation, network } from '../../eval/methods.ts';
import { type Upscaler, upscalePicture } from '../../eval/upscale.ts';
import { toGrey } from '../../image/colour.ts';
import { createPicture, type Picture, splitAlpha, toRgb } from '../../image/picture.ts';
import { resize } from '../../image/resize.ts';
import { formulaPicture } from '../image/fixtures.ts';
import { FAKE_HALO, fakeUpscaler, repeatingUpscaler } from './fake-upscaler.ts';

const whole = (picture: Picture, upscaler: Upscaler = fakeUpscaler()) => upscalePicture(picture, upscaler, { tile: 0 });

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
  ).rejects.toThrow('fake: the result is not finite');
  await expect(
    whole(
      picture,
      broken(async () => new Float32Array(5)),
    ),
  ).rejects.toThrow('fake: 5 numbers for a tile');
  await expect(upscalePicture(picture, fakeUpscaler(), { tile: -1 })).rejects.toThrow('A tile of -1 pixels');
});
