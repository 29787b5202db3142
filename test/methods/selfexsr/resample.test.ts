import fc from 'fast-check';
import { expect, test } from 'vitest';
import { resizeSamples } from '../../../image/resize.ts';
import { backProject, blurred, ROUNDS } from '../../../methods/selfexsr/back-projection.ts';
import { CORRECT, type Layer, layerFor, RESAMPLE, resizing } from '../../../methods/selfexsr/resample.ts';
import { Steps } from '../../../methods/selfexsr/steps.ts';
import { layerOf, local, noise } from './scenes.ts';

const steps = new Steps({ runner: local }, 1);
const side = fc.integer({ min: 1, max: 20 });

function byImresize({ width, height, data }: Layer, to: { width: number; height: number }) {
  return resizeSamples({ width, height, channels: 3, data }, to, { boundary: 'clamp' }).data;
}

function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expect(a.length).toBe(b.length);
  return Array.from(a).reduce((most, value, i) => Math.max(most, Math.abs(value - b[i])), 0);
}

test('resampling is imresize', async () => {
  await fc.assert(
    fc.asyncProperty(side, side, side, side, async (width, height, outWidth, outHeight) => {
      const from = noise(width, height);
      const to = layerFor(local, outWidth, outHeight);
      await local.run(RESAMPLE, { from, to, ...resizing(from, to) }, outHeight);
      expect(largestDifference(to.data, byImresize(from, to))).toBeLessThan(1e-6);
    }),
    { numRuns: 40 },
  );
});

test('a correction is what is missing, enlarged, then blurred by the squared Gaussian', async () => {
  await fc.assert(
    fc.asyncProperty(side, side, async (width, height) => {
      const lack = layerOf(width, height, (x, y, c) => noise(width, height).data[(y * width + x) * 3 + c] - 0.5);
      const to = { width: width * 3 + 1, height: height * 2 };
      const large = byImresize(lack, to);
      const result = layerOf(to.width, to.height, () => 0.5);
      const { down, across } = resizing(lack, result);
      const filter = { down: blurred(down, to.height), across: blurred(across, to.width) };
      await local.run(CORRECT, { from: lack, to: result, ...filter }, to.height);

      const gaussian = [-2, -1, 0, 1, 2].flatMap(v => [-2, -1, 0, 1, 2].map(u => Math.exp(-(u * u + v * v) / 2) ** 2));
      const sum = gaussian.reduce((total, one) => total + one, 0);
      const clamp = (i: number, length: number) => Math.min(length - 1, Math.max(0, i));
      const wanted = Array.from(result.data, (_, i) => {
        const [c, x, y] = [i % 3, Math.floor(i / 3) % to.width, Math.floor(i / 3 / to.width)];
        let value = 0;
        for (const [k, weight] of gaussian.entries()) {
          const row = clamp(y + Math.floor(k / 5) - 2, to.height);
          value += (weight / sum) * large[(row * to.width + clamp(x + (k % 5) - 2, to.width)) * 3 + c];
        }
        return Math.min(1, Math.max(0, 0.5 + value));
      });
      expect(largestDifference(result.data, wanted)).toBeLessThan(1e-6);
    }),
    { numRuns: 10 },
  );
});

test('after back-projection the shrunk image is the given one, within 0.01', async () => {
  const truth = layerOf(48, 40, (x, y, c) => 0.5 + 0.3 * Math.sin(x / (4 + c)) * Math.cos(y / 5));
  const given = { ...layerFor(local, 12, 10), data: Float32Array.from(byImresize(truth, { width: 12, height: 10 })) };
  const image = layerOf(48, 40, () => 0.2);
  expect(ROUNDS).toBe(20);
  await backProject(image, given, steps);
  expect(largestDifference(byImresize(image, given), given.data)).toBeLessThan(0.01);
  expect(image.data.every(value => value >= 0 && value <= 1)).toBe(true);
});
