/** Methods without training as methods for pictures: alpha, depths, sizes and textures. */
import { expect, test } from 'vitest';
import { withoutTraining } from '../../eval/methods.ts';
import { createPicture, hasAlpha, type Picture, type Samples, splitAlpha, toSixteenBit } from '../../image/picture.ts';
import { resize, resizeSamples } from '../../image/resize.ts';
import { LUMA_METHODS } from '../../methods/list.ts';
import type { LumaMethod } from '../../methods/luma-method.ts';
import { formulaPicture } from '../image/fixtures.ts';

/** Bilinear interpolation with mirrored edges, and the sizes that it was given. */
function bilinear(): LumaMethod & { readonly sizes: string[] } {
  const sizes: string[] = [];
  return {
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
  const names = LUMA_METHODS.map(({ name }) => name);
  expect(names.every(name => /^[a-z]+$/.test(name))).toBe(true);
  const passes = LUMA_METHODS.flatMap(one => one.passes.map(({ name }) => name));
  expect(new Set(names).size).toBe(names.length);
  expect(new Set(passes).size).toBe(passes.length);
});
