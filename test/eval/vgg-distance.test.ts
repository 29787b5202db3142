import { describe, expect, test } from 'vitest';
import { tensor, tidy } from '../../engine/tensor.ts';
import { vggDistance } from '../../eval/vgg-distance.ts';
import { createPicture, type Picture, toRgb } from '../../image/picture.ts';
import { type VGG19, vgg19Random } from '../../models/vgg19.ts';
import { VggError } from '../../models/vgg19-error.ts';
import { sharedDevice } from '../device.ts';
import { formulaPicture } from '../image/fixtures.ts';

const device = sharedDevice();

/** Features of a picture, read back. */
async function featuresOf(vgg: VGG19, { width, height, data }: Picture): Promise<Float32Array> {
  const planes = [0, 1, 2].flatMap(c => Array.from({ length: width * height }, (_, i) => data[3 * i + c] / 127.5 - 1));
  using image = tensor(planes, [1, 3, height, width]);
  using features = tidy(() => vgg.phi(image, 2, 2));
  return await features.data();
}

describe('vggDistance', () => {
  test('is the squared difference of features over their mean square', async () => {
    using vgg = vgg19Random({ widths: [4, 6], seed: 1 });
    const [a, b] = [formulaPicture([24, 20, 3, 1]), formulaPicture([24, 20, 3, 2])];
    const [ours, theirs] = [await featuresOf(vgg, a), await featuresOf(vgg, b)];
    const sumOf = (values: Float32Array, f: (value: number, i: number) => number) =>
      values.reduce((sum, value, i) => sum + f(value, i), 0);
    const expected = sumOf(ours, (v, i) => (v - theirs[i]) ** 2) / sumOf(theirs, v => v * v);
    const { live } = device().memory.figures();
    const distance = vggDistance(vgg, 2, 2);
    expect(await distance(a, b)).toBeCloseTo(expected, 5);
    expect(await distance(a, a)).toBe(0);
    expect(device().memory.figures().live).toBe(live);
  });

  test('takes pictures of many sizes, and grey ones', async () => {
    using vgg = vgg19Random({ widths: [4], seed: 1 });
    const distance = vggDistance(vgg, 1, 2);
    for (const [width, height] of [
      [24, 20],
      [33, 19],
    ]) {
      const grey = formulaPicture([width, height, 1, 2]);
      expect(await distance(toRgb(grey), grey)).toBe(0);
      const other = await distance(createPicture(width, height, 1), grey);
      expect(other).toBeGreaterThan(0.1);
      expect(await distance(createPicture(width, height, 3), toRgb(grey))).toBe(other);
    }
  });

  test('refuses a layer that the weights lack before it sees a picture', () => {
    using vgg = vgg19Random({ widths: [4] });
    expect(() => vggDistance(vgg, 5, 4)).toThrow(VggError);
  });
});
