/** What networks learn from crops: luma and bicubic on the GPU are those of the CPU. */
import { expect, test } from 'vitest';
import { type Tensor, tensor, tidy } from '../../engine/tensor.ts';
import { toYcbcr } from '../../image/colour.ts';
import { resizeSamples } from '../../image/resize.ts';
import { drcnNetwork } from '../../models/drcn.ts';
import { espcnNetwork } from '../../models/espcn.ts';
import { STUDIO_RANGE } from '../../models/network.ts';
import { cutTo, exampleOf } from '../../train/examples.ts';
import { sharedDevice, take } from '../device.ts';
import { formulaPicture } from '../image/fixtures.ts';

sharedDevice();

const [WIDTH, HEIGHT] = [9, 7];

/** Planar [3, h, w] of a picture, through `of`. */
const planar = (data: Uint8Array, of: (level: number) => number) =>
  Float32Array.from(data, (_, i) => of(data[(i % (data.length / 3)) * 3 + Math.floor(i / (data.length / 3))]));

/** LR and HR crops of pictures, which need not be of the same scene. */
function crops() {
  const [lr, hr] = [formulaPicture([WIDTH, HEIGHT, 3, 1]), formulaPicture([4 * WIDTH, 4 * HEIGHT, 3, 2])];
  // Black and white, so that bicubic overshoots.
  for (let i = 0; i < lr.data.length; i++) lr.data[i] = lr.data[i - (i % 3)] < 128 ? 0 : 255;
  return {
    lr: tensor(
      planar(lr.data, level => level / 255),
      [1, 3, HEIGHT, WIDTH],
    ),
    hr: tensor(
      planar(hr.data, level => level / 127.5 - 1),
      [1, 3, 4 * HEIGHT, 4 * WIDTH],
    ),
    lumaLr: Float64Array.from({ length: WIDTH * HEIGHT }, (_, i) => toYcbcr(lr).data[3 * i]),
    lumaHr: Float64Array.from({ length: 16 * WIDTH * HEIGHT }, (_, i) => toYcbcr(hr).data[3 * i]),
  };
}

test('luma is that of rgb2ycbcr / 255; a network on LR gets it as it is', async () => {
  const { lr, hr, lumaLr, lumaHr } = crops();
  const images = espcnNetwork.images({
    channels: 1,
    hidden: 1,
    activation: 'tanh',
    output: 'linear',
    edges: 'mirror',
    range: 'studio',
  });
  const { input, target } = tidy(() => exampleOf(images, { lr, hr }));
  const [x, y] = await take([input, target]);
  for (const [i, value] of x.entries()) expect(value).toBeCloseTo(lumaLr[i] / 255, 6);
  for (const [i, value] of y.entries()) expect(value).toBeCloseTo(lumaHr[i] / 255, 6);
  lr.dispose();
  hr.dispose();
});

test('an enlarged input is imresize’s inside the crop, and clamped', async () => {
  const { lr, hr, lumaLr } = crops();
  const images = drcnNetwork.images({ channels: 1, recursions: 1 });
  const { input, target } = tidy(() => exampleOf(images, { lr, hr }));
  const [x] = await take([input]);
  target.dispose();
  lr.dispose();
  hr.dispose();
  const { data } = resizeSamples({ width: WIDTH, height: HEIGHT, channels: 1, data: lumaLr }, 4);
  const [least, most] = STUDIO_RANGE;
  let clamped = 0;
  for (let row = 6; row < 4 * HEIGHT - 6; row++)
    for (let column = 6; column < 4 * WIDTH - 6; column++) {
      const exact = data[row * 4 * WIDTH + column] / 255;
      if (exact < least || exact > most) clamped++;
      expect(x[row * 4 * WIDTH + column]).toBeCloseTo(Math.min(most, Math.max(least, exact)), 5);
    }
  expect(clamped).toBeGreaterThan(0);
});

test('the target is cut to its middle', async () => {
  using target = tensor(
    Float32Array.from({ length: 25 }, (_, i) => i),
    [1, 1, 5, 5],
  );
  const of = (side: number): Tensor => tensor(new Float32Array(side ** 2), [1, 1, side, side]);
  using output = of(3);
  const [middle] = await take([cutTo(target, output)]);
  expect([...middle]).toEqual([6, 7, 8, 11, 12, 13, 16, 17, 18]);
  using same = of(5);
  expect(cutTo(target, same)).toBe(target);
});
