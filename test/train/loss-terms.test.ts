/** Each term of the losses by its definition in float64. */
import { expect, test } from 'vitest';
import { type Tensor, tensor, tidy } from '../../engine/tensor.ts';
import { conv2d } from '../../kernels/index.ts';
import {
  adversarialLoss,
  type ContentTerm,
  contentL1,
  contentMse,
  discriminatorLoss,
  type FeatureNetwork,
  type VggTermOptions,
  variationTerm,
  vggTerm,
} from '../../train/loss-terms.ts';
import { sharedDevice, takeOne } from '../device.ts';
import { noise } from '../kernels/problems.ts';

sharedDevice();

const SHAPE = [2, 3, 4, 5];
const SIZE = 120;
const [SR, HR] = [noise(SIZE, 31), noise(SIZE, 32)];

/** The value of a loss of tensors with this content. */
async function lossOf(loss: (...given: Tensor[]) => Tensor, ...given: [Float32Array, number[]][]): Promise<number> {
  const [value] = await takeOne(tidy(() => loss(...given.map(([data, shape]) => tensor(data, shape)))));
  return value;
}

const termOf = ({ loss }: ContentTerm, shape = SHAPE) => lossOf(loss, [SR, shape], [HR, shape]);
const meanOver = (values: Float32Array, f: (value: number, i: number) => number) =>
  values.reduce((sum, value, i) => sum + f(value, i), 0) / values.length;

test('pixel losses are means over all pixels and channels', async () => {
  expect(await termOf(contentMse())).toBeCloseTo(
    meanOver(SR, (x, i) => (x - HR[i]) ** 2),
    6,
  );
  expect(await termOf(contentL1())).toBeCloseTo(
    meanOver(SR, (x, i) => Math.abs(x - HR[i])),
    6,
  );
});

test('total variation is a sum over each image, and its mean over the batch', async () => {
  let total = 0;
  for (let i = 0; i < SIZE; i++) {
    const [x, y] = [i % 5, Math.floor(i / 5) % 4];
    if (x < 4) total += Math.abs(SR[i + 1] - SR[i]);
    if (y < 3) total += Math.abs(SR[i + 5] - SR[i]);
  }
  expect(await termOf(variationTerm())).toBeCloseTo(total / 2, 4);
});

test.each<[string, VggTermOptions, number]>([
  ['by the paper, rescaled by 1/12.75', { i: 2, j: 2 }, (1 / 12.75 / 0.5) ** 2],
  ['by another scale and factor', { i: 5, j: 4, scale: 2, rescale: 3 }, 1.5 ** 2],
  ['by W·H alone, channels added up', { i: 2, j: 2, divisor: 'area' }, 3 * (1 / 12.75 / 0.5) ** 2],
])('the distance of features %s', async (_, options, factor) => {
  const asked: number[][] = [];
  const vgg: FeatureNetwork = {
    featureScale: 0.5,
    phi: (image, i, j) => {
      asked.push([i, j]);
      // Features that are not their image: each channel is another one doubled.
      const swap = tensor([0, 2, 0, 0, 0, 2, 2, 0, 0], [3, 3, 1, 1]);
      return conv2d(image, swap);
    },
  };
  const expected = factor * meanOver(SR, (x, i) => (2 * (x - HR[i])) ** 2);
  expect((await termOf(vggTerm(vgg, options))) / expected).toBeCloseTo(1, 5);
  const { i, j } = options;
  expect(asked).toEqual([
    [i, j],
    [i, j],
  ]);
});

test("names and weights are the metrics' and the paper's", () => {
  const vgg: FeatureNetwork = { featureScale: 1, phi: image => image };
  const terms = [contentMse(), contentL1(0.5), variationTerm(), vggTerm(vgg, { i: 5, j: 4, weight: 2e-6 })];
  expect(terms.map(({ name, weight }) => [name, weight])).toEqual([
    ['mse', 1],
    ['l1', 0.5],
    ['tv', 2e-8],
    ['vgg54', 2e-6],
  ]);
  expect(vggTerm(vgg, { i: 2, j: 2 }).weight).toBe(1);
});

test('adversarial losses are means of −log of probabilities, without smoothing', async () => {
  const [real, fake] = [Float32Array.of(0.5, -1, 3), Float32Array.of(-2, 0.25, 1)];
  const D = (logit: number) => 1 / (1 + Math.exp(-logit));
  expect(await lossOf(adversarialLoss, [fake, [3, 1]])).toBeCloseTo(
    meanOver(fake, x => -Math.log(D(x))),
    6,
  );
  const expected = meanOver(real, x => -Math.log(D(x))) + meanOver(fake, x => -Math.log(1 - D(x)));
  expect(await lossOf(discriminatorLoss, [real, [3, 1]], [fake, [3, 1]])).toBeCloseTo(expected, 6);
});
