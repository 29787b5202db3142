/** What stands around a picture, alpha beside it, and results of any size, by networks and interpolations. */
import { describe, expect, test } from 'vitest';
import { INTERPOLATIONS, interpolation, type Method, network } from '../../eval/methods.ts';
import { upscalePicture } from '../../eval/upscale.ts';
import { createPicture, crop, hasAlpha, joinAlpha, type Picture, splitAlpha, transpose } from '../../image/picture.ts';
import { resize } from '../../image/resize.ts';
import { surround } from '../../image/surround.ts';
import type { NetworkImages } from '../../models/network.ts';
import { formulaPicture } from '../image/fixtures.ts';
import { FAKE_HALO, fakeUpscaler, repeatingUpscaler } from './fake-upscaler.ts';

const MIRRORED: NetworkImages = { colour: 'rgb', enlarged: false, output: [-1, 1], edges: 'mirror' };

/** The middle of a picture that is laid many times across and down, enlarged four times. */
async function middle(picture: Picture, method: Method): Promise<Picture> {
  const { width, height } = picture;
  const tiled = surround(picture, 9, 'wrap');
  return crop(await method(tiled), 4 * 9, 4 * 9, 4 * width, 4 * height);
}

describe('edges', () => {
  test('a network whose edges mirror sees the picture mirrored, as far as it looks', async () => {
    const picture = formulaPicture([9, 7, 3, 1]);
    const framed = await upscalePicture(surround(picture, FAKE_HALO, 'symmetric'), fakeUpscaler());
    const expected = crop(framed, 4 * FAKE_HALO, 4 * FAKE_HALO, 36, 28);
    for (const tile of [undefined, 1, 3, 8]) {
      expect(await upscalePicture(picture, { ...fakeUpscaler(), images: MIRRORED }, { tile })).toEqual(expected);
    }
    expect(await upscalePicture(picture, fakeUpscaler())).not.toEqual(expected);
  });

  test('flat white has no frame', async () => {
    const white = createPicture(12, 10, 3, new Uint8Array(360).fill(255));
    const { data } = await upscalePicture(white, { ...fakeUpscaler(), images: MIRRORED });
    for (let c = 0; c < 3; c++) {
      const values = new Set(data.filter((_, i) => i % 3 === c));
      // 4x4 pixels come of one: beyond them nothing changes.
      expect(values.size).toBeLessThanOrEqual(16);
    }
  });

  test.each<readonly [string, Method]>([
    ['a network', network(fakeUpscaler())],
    ...INTERPOLATIONS.map(name => [name, interpolation(name)] as const),
  ])('%s: a wrapped texture is the middle of many', async (_, method) => {
    for (const size of [
      [13, 11, 3, 1],
      [2, 3, 3, 2],
      [11, 13, 4, 3],
    ] as const) {
      const picture = formulaPicture([...size]);
      // Hidden colours are spread within a picture: none here.
      if (hasAlpha(picture)) for (let i = 3; i < picture.data.length; i += 4) picture.data[i] |= 1;
      expect(await method(picture, { wrap: true })).toEqual(await middle(picture, method));
    }
  });
});

/** Alpha of a picture of one colour. */
const masked = (alpha: Picture): Picture =>
  joinAlpha(createPicture(alpha.width, alpha.height, 3, new Uint8Array(alpha.data.length * 3).fill(99)), alpha);
const alphaOf = (picture: Picture): Picture => splitAlpha(picture).alpha!;

describe('alpha', () => {
  const hard = createPicture(
    8,
    8,
    1,
    Uint8Array.from({ length: 64 }, (_, i) => (((i % 8) - 3.5) ** 2 + ((i >> 3) - 3.5) ** 2 < 9 ? 255 : 0)).map(Number),
  );
  test.each(INTERPOLATIONS)('follows %s', async name => {
    for (const to of [undefined, { width: 20, height: 27 }]) {
      const enlarged = await interpolation(name)(masked(hard), { to });
      expect(alphaOf(enlarged)).toEqual(resize(hard, to ?? 4, { method: name }));
    }
  });

  test('stays hard beside a network where it was, and soft where it was', async () => {
    const method = network(repeatingUpscaler());
    for (const to of [undefined, { width: 20, height: 27 }, { width: 8, height: 8 }]) {
      const result = alphaOf(await method(masked(hard), { to }));
      expect(new Set(result.data)).toEqual(new Set([0, 255]));
      // As many pixels are opaque as the mask's share says.
      const share = (mask: Picture) => mask.data.filter(value => value > 0).length / mask.data.length;
      expect(Math.abs(share(result) - share(hard))).toBeLessThan(0.06);
    }
    const soft = createPicture(16, 16, 1, new Uint8Array(256));
    for (let y = 0; y < 16; y++)
      for (let x = 0; x < 16; x++) soft.data[y * 16 + x] = x < 8 ? (y < 5 ? 255 : 0) : 17 * y;
    const result = alphaOf(await method(masked(soft)));
    const smooth = resize(soft, 4, { method: 'bicubic' });
    // The right half is soft, and so is what lies within two pixels of it.
    for (let y = 0; y < 64; y++)
      for (let x = 0; x < 64; x++) {
        const [value, bicubic] = [result.data[y * 64 + x], smooth.data[y * 64 + x]];
        const isHard = x < 4 * 6;
        expect(value, `${x}, ${y}`).toBe(isHard ? (bicubic * 2 > 255 ? 255 : 0) : bicubic);
      }
  });

  test('a shrunk mask is antialiased', async () => {
    const result = await network(repeatingUpscaler())(masked(hard), { to: { width: 5, height: 5 } });
    expect(alphaOf(result)).toEqual(resize(hard, { width: 5, height: 5 }));
  });
});

describe('other sizes', () => {
  test('are made of the network’s result by bicubic', async () => {
    const picture = formulaPicture([9, 7, 3, 1]);
    const whole = await network(fakeUpscaler())(picture);
    const to = { width: 23, height: 18 };
    expect(await network(fakeUpscaler())(picture, { to })).toEqual(resize(whole, to));
    const wrapped = await network(fakeUpscaler())(picture, { wrap: true });
    expect(await network(fakeUpscaler())(picture, { to, wrap: true })).toEqual(
      resize(wrapped, to, { boundary: 'wrap' }),
    );
  });

  test('no larger than the picture: no network', async () => {
    const upscaler = fakeUpscaler();
    const picture = formulaPicture([9, 7, 3, 1]);
    const to = { width: 9, height: 4 };
    expect(await network(upscaler)(picture, { to })).toEqual(resize(picture, to));
    expect(upscaler.windows).toEqual([]);
  });

  test.each(INTERPOLATIONS)('%s is done at once', async name => {
    const picture = formulaPicture([9, 7, 3, 1]);
    const to = { width: 20, height: 20 };
    expect(await interpolation(name)(picture, { to })).toEqual(resize(picture, to, { method: name }));
    const turned = await interpolation(name)(transpose(picture), { to });
    expect([turned.width, turned.height]).toEqual([20, 20]);
  });
});
