import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ImageError } from '../../image/errors.ts';
import { enlargeLuma } from '../../image/luma.ts';
import { createPicture, type Picture, peak, type Samples, toRgb, toSixteenBit } from '../../image/picture.ts';
import type { Plane } from '../../image/plane.ts';
import { type Boundary, resizeSamples } from '../../image/resize.ts';
import { anyPicture, formulaPicture } from './fixtures.ts';

/** A method that does to luma what the wrapper does to chroma. */
const bicubic = async (y: Plane): Promise<Plane> => resizeSamples({ ...y, channels: 1 }, 4, { method: 'bicubic' });

/** All samples within rounding of the picture resized without rounding, clipped once. */
function expectResized(result: Picture<Samples>, picture: Picture<Samples>, boundary: Boundary): void {
  const exact = resizeSamples({ ...picture, data: Float64Array.from(picture.data) }, 4, { boundary }).data;
  expect(result).toMatchObject({ width: 4 * picture.width, height: 4 * picture.height, channels: picture.channels });
  const white = peak(picture);
  expect(peak(result)).toBe(white);
  const off = result.data.findIndex((value, i) => {
    return !(Math.abs(value - Math.min(white, Math.max(0, exact[i]))) < 0.5 + 1e-6);
  });
  expect(off).toBe(-1);
}

test('with bicubic for luma, the whole is bicubic without rounding between the passes', async () => {
  await fc.assert(
    fc.asyncProperty(anyPicture(7, [1, 3]), async picture => {
      expectResized(await enlargeLuma(picture, 4, bicubic), picture, 'symmetric');
      const deep = toSixteenBit(picture);
      expectResized(await enlargeLuma(deep, 4, bicubic), deep, 'symmetric');
    }),
    { numRuns: 25 },
  );
});

test('levels are 0…255 in both depths: grey as it is, luma of colours in 16…235', async () => {
  const range = async (picture: Picture<Samples>) => {
    let range: readonly number[] = [];
    await enlargeLuma(picture, 4, async y => {
      range = [Math.min(...y.data), Math.max(...y.data)];
      return await bicubic(y);
    });
    return range.map(level => Number(level.toFixed(9)));
  };
  const grey = createPicture(2, 1, 1, Uint8Array.of(0, 255));
  expect(await range(grey)).toEqual([0, 255]);
  expect(await range(toSixteenBit(grey))).toEqual([0, 255]);
  expect(await range(toRgb(grey))).toEqual([16, 235]);
  expect(await range(toSixteenBit(toRgb(grey)))).toEqual([16, 235]);
});

test('a grey picture becomes the method’s result, rounded half up and clipped', async () => {
  const levels = [-3, 0.49, 0.5, 254.5, 300, 100];
  const method = async () => ({ width: 3, height: 2, data: Float64Array.from(levels) });
  const one = createPicture(3, 2, 1);
  expect([...(await enlargeLuma(one, 1, method)).data]).toEqual([0, 0, 1, 255, 255, 100]);
  const deep = await enlargeLuma(toSixteenBit(one), 1, method);
  expect([...deep.data]).toEqual([0, 126, 129, 65407, 65535, 25700]);
});

test('chroma continues as the boundary says', async () => {
  const picture = formulaPicture([6, 5, 3, 4]);
  const wrapping = async (y: Plane) => resizeSamples({ ...y, channels: 1 }, 4, { boundary: 'wrap' });
  expectResized(await enlargeLuma(picture, 4, wrapping, { boundary: 'wrap' }), picture, 'wrap');
});

test('alpha and results of another size are refused; an abort is heard', async () => {
  const method = async (y: Plane) => y;
  await expect(enlargeLuma(createPicture(3, 2, 4), 4, bicubic)).rejects.toThrow('expected 1 or 3 channels, got 4');
  const running = enlargeLuma(createPicture(3, 2, 3), 4, method);
  await expect(running).rejects.toThrow(ImageError);
  await expect(running).rejects.toThrow('luma: expected 12x8, got 3x2');
  const signal = AbortSignal.abort(new Error('enough'));
  await expect(enlargeLuma(createPicture(3, 2, 3), 4, bicubic, { signal })).rejects.toThrow('enough');
});
