/** Methods without training as methods for pictures: alpha, depths, sizes and textures. */
import { expect, test } from 'vitest';
import { withoutTraining } from '../../eval/methods.ts';
import { createPicture, hasAlpha, type Picture, type Samples, splitAlpha, toSixteenBit } from '../../image/picture.ts';
import { resize, resizeSamples } from '../../image/resize.ts';
import type { LumaMethod, RgbMethod } from '../../methods/declaration.ts';
import { DECLARED_METHODS } from '../../methods/list.ts';
import { formulaPicture } from '../image/fixtures.ts';

/** Bilinear interpolation with mirrored edges, and the sizes that it was given. */
function bilinear(): LumaMethod & { readonly sizes: string[] } {
  const sizes: string[] = [];
  return {
    reads: 'luma',
    name: 'fake',
    summary: '',
    source: '',
    scale: 4,
    reach: 2,
    passes: [],
    sizes,
    async run(y, { onProgress, signal }) {
      signal?.throwIfAborted();
      sizes.push(`${y.width}x${y.height}`);
      onProgress?.(1, 2);
      return resizeSamples({ ...y, channels: 1 }, 4, { method: 'bilinear' });
    },
  };
}

const method = withoutTraining(bilinear());

test('channels and depth stay; alpha goes its own way', async () => {
  for (const channels of [1, 2, 3, 4] as const) {
    const eight: Picture<Samples> = formulaPicture([7, 5, channels, 3]);
    for (const picture of [eight, toSixteenBit(eight)]) {
      const result = await method(picture);
      expect(result).toMatchObject({ width: 28, height: 20, channels });
      expect(result.data.constructor).toBe(picture.data.constructor);
      if (!hasAlpha(picture)) continue;
      const soft = createPicture<Samples>(7, 5, 1, splitAlpha(picture).alpha!.data);
      expect(splitAlpha(result).alpha).toEqual(resize(soft, 4));
    }
  }
});

test('other sizes are made of its result; no larger ones without it', async () => {
  const picture = formulaPicture([9, 7, 3, 1]);
  const to = { width: 23, height: 18 };
  expect(await method(picture, { to })).toEqual(resize(await method(picture), to));
  const watched = bilinear();
  const small = { width: 9, height: 4 };
  expect(await withoutTraining(watched)(picture, { to: small })).toEqual(resize(picture, small));
  expect(watched.sizes).toEqual([]);
});

test('a wrapped texture is continued by the reach', async () => {
  const watched = bilinear();
  const picture = formulaPicture([6, 5, 1, 2]);
  const result = await withoutTraining(watched)(picture, { wrap: true });
  expect(watched.sizes).toEqual(['10x9']);
  const wrapped = resizeSamples({ ...picture, data: Float64Array.from(picture.data) }, 4, {
    method: 'bilinear',
    boundary: 'wrap',
  });
  expect([...result.data]).toEqual([...wrapped.data].map(value => Math.floor(value + 0.5)));
});

test('progress and aborts reach it', async () => {
  const told: number[][] = [];
  await method(formulaPicture([3, 2, 3, 1]), { onProgress: (done, total) => told.push([done, total]) });
  expect(told).toEqual([[1, 2]]);
  const signal = AbortSignal.abort(new Error('enough'));
  await expect(method(formulaPicture([3, 2, 3, 1]), { signal })).rejects.toThrow('enough');
});

test('names are single words, and no other method or pass has them', () => {
  const names = DECLARED_METHODS.map(({ name }) => name);
  expect(names.every(name => /^[a-z]+$/.test(name))).toBe(true);
  const passes = DECLARED_METHODS.flatMap(one => one.passes.map(({ name }) => name));
  expect(new Set(names).size).toBe(names.length);
  expect(new Set(passes).size).toBe(passes.length);
});

test('a method that reads RGB gets planes from 0 to 1, and its result is rounded and clipped', async () => {
  const seen: number[][] = [];
  const rgb: RgbMethod = {
    ...bilinear(),
    reads: 'rgb',
    async run({ width, height, planes }) {
      seen.push([width, height, Math.max(...planes[2])]);
      const plane = (c: number) =>
        Float32Array.from({ length: 16 * width * height }, (_, at) => {
          const [x, y] = [at % (4 * width), Math.floor(at / (4 * width))];
          return planes[c][Math.floor(y / 4) * width + Math.floor(x / 4)] * 1.002 + 0.001;
        });
      return { width: 4 * width, height: 4 * height, planes: [plane(0), plane(1), plane(2)] };
    },
  };
  const level = (value: number, white: number) =>
    Math.min(white, Math.floor(Math.fround(Math.fround(value / white) * 1.002 + 0.001) * white + 0.5));
  for (const channels of [1, 3] as const) {
    const eight = formulaPicture([3, 2, channels, 4]);
    for (const picture of [eight, toSixteenBit(eight)]) {
      const white = picture === eight ? 255 : 65535;
      const { data, ...result } = await withoutTraining(rgb)<Samples>(picture);
      expect(result).toMatchObject({ width: 12, height: 8, channels });
      for (let at = 0; at < data.length; at++) {
        const [pixel, c] = [Math.floor(at / channels), at % channels];
        const from = Math.floor(pixel / 48) * 3 + Math.floor((pixel % 12) / 4);
        expect(data[at]).toBe(level(picture.data[from * channels + c], white));
      }
    }
  }
  expect(seen).toHaveLength(4);
  expect(seen.every(([width, height, most]) => width === 3 && height === 2 && most <= 1)).toBe(true);
});
