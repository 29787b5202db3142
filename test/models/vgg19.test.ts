import { describe, expect, test } from 'vitest';
import { ShapeError } from '../../engine/basics/errors.ts';
import { compile } from '../../engine/compile.ts';
import { type Tensor, tensor, tidy } from '../../engine/tensor.ts';
import { grad, mean, mseLoss, square } from '../../kernels/index.ts';
import { VGG19, VGG19_LAYERS, vgg19Random, vgg19Widths } from '../../models/vgg19.ts';
import { VggError } from '../../models/vgg19-error.ts';
import { vgg19FromTensors } from '../../models/vgg19-file.ts';
import type { VggInput } from '../../models/vgg19-input.ts';
import { sharedDevice, take, takeOne } from '../device.ts';
import { relativeError } from '../relative-error.ts';
import { randomPlanes } from './trained-like.ts';

sharedDevice();

const WIDTHS = [2, 3, 4, 5, 6];
/** An image of random numbers in [-1, 1], [1, 3, side, side]. */
const image = (side: number) =>
  tensor(
    randomPlanes(side, side).map(x => 2 * x - 1),
    [1, 3, side, side],
  );

describe('the column', () => {
  test('is that of torchvision’s features: 16 convolutions, five max pools between', () => {
    expect(VGG19_LAYERS.map(({ index }) => index)).toEqual([
      0, 2, 5, 7, 10, 12, 14, 16, 19, 21, 23, 25, 28, 30, 32, 34,
    ]);
    expect(VGG19_LAYERS.map(({ i, j }) => `${i}${j}`).join(' ')).toBe(
      '11 12 21 22 31 32 33 34 41 42 43 44 51 52 53 54',
    );
  });

  test('has 20,024,384 numbers at the paper’s widths, none of them trained', () => {
    using vgg = new VGG19(vgg19Widths());
    expect(vgg.namedVariables().reduce((sum, [, { size }]) => sum + size, 0)).toBe(20_024_384);
    expect(vgg.parameters()).toEqual([]);
    expect(vgg.layers).toHaveLength(16);
  });

  test('names its weights as torchvision does', () => {
    using vgg = vgg19Random({ widths: [2, 3] });
    expect(vgg.namedVariables().map(([name, { shape }]) => [name, shape])).toEqual([
      ['features.0.weight', [2, 3, 3, 3]],
      ['features.0.bias', [2]],
      ['features.2.weight', [2, 2, 3, 3]],
      ['features.2.bias', [2]],
      ['features.5.weight', [3, 2, 3, 3]],
      ['features.5.bias', [3]],
      ['features.7.weight', [3, 3, 3, 3]],
      ['features.7.bias', [3]],
    ]);
  });
});

describe('what is run', () => {
  const convolutions = (body: (vgg: VGG19, x: Tensor) => Tensor[]): string[] => {
    using vgg = vgg19Random({ widths: WIDTHS });
    using x = image(32);
    using program = compile((x: Tensor) => body(vgg, x));
    return program.plan([x]).lowered.calls.map(({ operation }) => operation);
  };
  const count = (calls: readonly string[], name: string) => calls.filter(call => call.startsWith(name)).length;

  test.each([
    [1, 1, 1, 0],
    [2, 2, 4, 1],
    [3, 4, 8, 2],
    [5, 4, 16, 4],
  ])('for φ%i%i: %i convolutions, %i max pools', (i, j, convs, pools) => {
    const calls = convolutions((vgg, x) => [vgg.phi(x, i, j)]);
    expect([count(calls, 'conv2d'), count(calls, 'maxPool2d')]).toEqual([convs, pools]);
    // The mapping of the image, then nothing but those: activations are part of the convolutions.
    expect(calls).toHaveLength(1 + convs + pools);
  });

  test('for several features: one pass to the deepest', () => {
    const calls = convolutions((vgg, x) =>
      vgg.phis(x, [
        [2, 2],
        [1, 2],
        [3, 1],
      ]),
    );
    expect([count(calls, 'conv2d'), count(calls, 'maxPool2d')]).toEqual([5, 2]);
    expect(convolutions((vgg, x) => [...vgg.phis(x, []), x])).toEqual([]);
  });

  test('backwards: no gradient of a weight, and of each layer nothing but its activation is kept', () => {
    using vgg = vgg19Random({ widths: WIDTHS });
    using x = image(32);
    using step = compile((x: Tensor, target: Tensor) => {
      const loss = mseLoss(vgg.phi(x, 5, 4), target);
      return [loss, ...grad(loss, [x])];
    });
    using target = tensor(new Float32Array(6 * 4), [1, 6, 2, 2]);
    const { lowered, figures } = step.plan([x, target]);
    const names = lowered.calls.map(({ operation }) => operation);
    expect(count(names, 'conv2dInputGradient')).toBe(16);
    expect(names.filter(name => name.includes('WeightGradient'))).toEqual([]);
    const activations = VGG19_LAYERS.reduce((sum, { i }) => sum + WIDTHS[i - 1] * (32 / 2 ** (i - 1)) ** 2 * 4, 0);
    // Small buffers are rounded up to the planner's alignment.
    expect(figures.keptBytes).toBeLessThan(activations + 16 * 256 + 1024);
  });
});

describe('the image’s range', () => {
  const inputs: [VggInput, number, (x: number, channel: number) => number][] = [
    ['caffe', 127.5, (x, c) => 127.5 * (x + 1) - [123.68, 116.779, 103.939][c]],
    [
      'imagenet',
      (0.5 / 0.229 + 0.5 / 0.224 + 0.5 / 0.225) / 3,
      (x, c) => ((x + 1) / 2 - [0.485, 0.456, 0.406][c]) / [0.229, 0.224, 0.225][c],
    ],
    ['unit', 0.5, x => (x + 1) / 2],
    ['signed', 1, x => x],
  ];
  test.each(inputs)('%s: half of it is %d, and the padding is zeros of the mapped image', async (input, half, map) => {
    using vgg = vgg19Random({ widths: WIDTHS, seed: 1, input });
    using direct = vgg19FromTensors(await vgg.stateDict(), { input: 'signed' });
    expect(vgg.featureScale).toBeCloseTo(half, 10);
    using x = image(16);
    const values = await x.data();
    using mapped = tensor(
      values.map((value, at) => map(value, Math.floor(at / 256))),
      [1, 3, 16, 16],
    );
    const [got, gradient] = await take(
      tidy(() => {
        using input = tensor(values, [1, 3, 16, 16], { requiresGrad: true });
        const features = vgg.phi(input, 2, 1);
        return [features, ...grad(mean(square(features)), [input])];
      }),
    );
    expect(relativeError(got, await takeOne(tidy(() => direct.phi(mapped, 2, 1))))).toBeLessThan(1e-5);
    expect(gradient.some(value => value !== 0)).toBe(true);
  });

  test('in numbers', () => {
    using vgg = vgg19Random({ widths: [1], input: { max: 10, mean: [1, 2, 3], std: [1, 2, 4] } });
    expect(vgg.featureScale).toBeCloseTo((5 + 2.5 + 1.25) / 3, 10);
    expect(vgg.input.mean).toEqual([1, 2, 3]);
  });
});

test('features are after the activation, at half the size after each max pool', async () => {
  using vgg = vgg19Random({ widths: WIDTHS, seed: 2 });
  using x = image(20);
  const shapes: (readonly number[])[] = [];
  const all = tidy(() => {
    const features = vgg.phis(x, [
      [1, 2],
      [5, 4],
      [2, 2],
      [3, 4],
    ]);
    shapes.push(...features.map(({ shape }) => shape));
    return features;
  });
  expect(shapes).toEqual([
    [1, 2, 20, 20],
    [1, 6, 1, 1],
    [1, 3, 10, 10],
    [1, 4, 5, 5],
  ]);
  for (const features of await take(all)) expect(Math.min(...features)).toBeGreaterThanOrEqual(0);
});

test('mirrored padding changes the edges alone', async () => {
  using zeros = vgg19Random({ widths: [2], seed: 3 });
  using mirrored = vgg19FromTensors(await zeros.stateDict(), { paddingMode: 'reflect' });
  using x = image(6);
  const [a, b] = await take(tidy(() => [zeros.phi(x, 1, 1), mirrored.phi(x, 1, 1)]));
  a.forEach((value, at) => {
    const [row, column] = [Math.floor(at / 6) % 6, at % 6];
    if (row > 0 && row < 5 && column > 0 && column < 5) expect(b[at]).toBeCloseTo(value, 5);
  });
  expect(b).not.toEqual(a);
});

describe('refused', () => {
  const message = (body: (vgg: VGG19) => unknown, widths = [1, 1]): string => {
    using vgg = vgg19Random({ widths });
    try {
      body(vgg);
    } catch (error) {
      if (error instanceof VggError) return error.message;
      throw error;
    }
    return 'nothing was thrown';
  };

  test('a layer that the weights lack: which there are, where a whole file is from, how to pass it', () => {
    const text = message(vgg => vgg.require(5, 4));
    expect(text).toMatch(/^φ54 needs conv5_4, but these VGG19 weights only have conv1_1 to conv2_2\. [^\n]+$/);
    expect(text).toMatch(/torchvision.*timm\/vgg19\.tv_in1k.*--vgg FILE\.$/);
    expect(message(vgg => vgg.require(2, 2))).toBe('nothing was thrown');
  });

  test.each([
    [2, 3],
    [6, 1],
    [0, 1],
    [1, 0],
    [1.5, 1],
  ])('φ%d,%d, which there is not', (i, j) => {
    expect(message(vgg => vgg.has(i, j))).toBe(
      `VGG19 has no conv${i}_${j}: its layers are conv1_1…2, conv2_1…2, conv3_1…4, conv4_1…4, conv5_1…4.`,
    );
  });

  test.each([[[3, 8, 8]], [[1, 1, 8, 8]]])('images of %j', shape => {
    using vgg = vgg19Random({ widths: [1] });
    using x = tensor(new Float32Array(shape.reduce((a, b) => a * b)), shape);
    expect(() => vgg.phi(x, 1, 1)).toThrow(ShapeError);
    expect(() => vgg.phi(x, 1, 1)).toThrow(`VGG19: expected images of [N, 3, H, W], got [${shape.join(', ')}].`);
  });

  test.each([[[]], [[1, 2, 3, 4, 5, 6]], [[0]], [[1.5]]])('widths of %j', widths => {
    expect(() => vgg19Random({ widths })).toThrow(VggError);
  });
});

test('random weights have He’s variance, no biases, and follow from the seed', async () => {
  using vgg = vgg19Random({ widths: [16, 24], seed: 4 });
  using again = vgg19Random({ widths: [16, 24], seed: 4 });
  const state = await vgg.stateDict();
  expect(await again.stateDict()).toEqual(state);
  for (const [name, { shape, data }] of state) {
    if (name.endsWith('bias')) expect(new Set(data), name).toEqual(new Set([0]));
    else {
      const variance = data.reduce((sum, x) => sum + x * x, 0) / data.length;
      expect(variance * 9 * shape[1], name).toBeGreaterThan(1.7);
      expect(variance * 9 * shape[1], name).toBeLessThan(2.3);
    }
  }
});
