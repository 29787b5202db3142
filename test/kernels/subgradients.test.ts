/** At kinks and ties, gradients are PyTorch's; what is not a number stays visible. */
import { describe, expect, test } from 'vitest';
import { type Tensor, tensor, tidy } from '../../engine/tensor.ts';
import * as ops from '../../kernels/index.ts';
import { sharedDevice, takeOne } from '../device.ts';
import { slope } from './slope.ts';

sharedDevice();

const numbers = (values: Float32Array): number[] => [...values].map(value => value + 0);

/** torch 2: `x.requires_grad_(); f(x).sum().backward(); x.grad`. */
const kinks: readonly (readonly [name: string, f: (x: Tensor) => Tensor, x: number[], gradient: number[]])[] = [
  ['relu', ops.relu, [-1, -0, 0, 1], [0, 0, 0, 1]],
  ['leakyRelu', x => ops.leakyRelu(x, 0.25), [-1, -0, 0, 1], [0.25, 0.25, 0.25, 1]],
  ['abs', ops.abs, [-2, -0, 0, 2], [-1, 0, 0, 1]],
  ['sign', ops.sign, [-2, 0, 2], [0, 0, 0]],
  ['clamp', x => ops.clamp(x, -0.5, 0.5), [-0.75, -0.5, 0, 0.5, 0.75], [0, 1, 1, 1, 0]],
  ['sqrt', ops.sqrt, [0, 4], [Number.POSITIVE_INFINITY, 0.25]],
  ['log', ops.log, [0, 4], [Number.POSITIVE_INFINITY, 0.25]],
  ['pow 0', x => ops.pow(x, 0), [0, -2, 3], [0, 0, 0]],
  ['pow 1', x => ops.pow(x, 1), [0, -2, 3], [1, 1, 1]],
  ['pow 2', x => ops.pow(x, 2), [0, -2, 3], [0, -4, 6]],
  ['pow 3', x => ops.pow(x, 3), [0, -2, 1], [0, 12, 3]],
  ['l1Loss', x => ops.l1Loss(x, tensor([1, 1])), [1, 3], [0, 0.5]],
  ['totalVariation', x => ops.totalVariation(ops.reshape(x, [1, 1, 2, 2])), [1, 1, 1, 3], [0, -1, -1, 2]],
  ['maxPool2d of equals', x => ops.maxPool2d(ops.reshape(x, [1, 1, 2, 2]), 2), [5, 5, 5, 5], [1, 0, 0, 0]],
  ['maxPool2d, first of two', x => ops.maxPool2d(ops.reshape(x, [1, 1, 2, 2]), 2), [1, 7, 7, 2], [0, 1, 0, 0]],
  [
    'bceWithLogits at ±100',
    x => ops.bceWithLogits(x, tensor([1, 1, 0, 0])),
    [100, -100, 100, -100],
    [0, -0.25, 0.25, 0],
  ],
];

test.each(kinks)('%s', async (_, f, x, gradient) => {
  const got = numbers(await slope(f, x));
  got.forEach((value, i) => {
    expect(value).toBeCloseTo(gradient[i], 6);
  });
});

test('prelu at 0 takes the side of the weight, and gives it nothing', async () => {
  const [gx, gw] = tidy(() => {
    const x = tensor([-2, 0, 3, 0], [1, 2, 2, 1], { requiresGrad: true });
    const weight = tensor([0.25, 0.5], [2], { requiresGrad: true });
    return ops.grad(ops.sum(ops.prelu(x, weight)), [x, weight]);
  });
  expect([...(await takeOne(gx))]).toEqual([0.25, 0.25, 1, 0.5]);
  expect([...(await takeOne(gw))]).toEqual([-2, 0]);
});

describe('NaN goes through', () => {
  const through: readonly (readonly [string, (x: Tensor) => Tensor])[] = [
    ['relu', ops.relu],
    ['leakyRelu', x => ops.leakyRelu(x, 0.2)],
    ['prelu', x => ops.prelu(ops.reshape(x, [1, 1, 3, 1]), tensor([0.2], [1]))],
    ['tanh', ops.tanh],
    ['sigmoid', ops.sigmoid],
    ['softplus', ops.softplus],
    ['abs', ops.abs],
    ['square', ops.square],
    ['exp', ops.exp],
    ['log', ops.log],
    ['log1p', ops.log1p],
    ['sqrt', ops.sqrt],
    ['clamp', x => ops.clamp(x, -1, 1)],
    ['pow 2.5', x => ops.pow(x, 2.5)],
    ['bceWithLogits', x => ops.bceWithLogits(x, tensor([0, 1, 0]))],
    ['mseLoss', x => ops.mseLoss(x, tensor([0, 1, 0]))],
    ['l1Loss', x => ops.l1Loss(x, tensor([0, 1, 0]))],
    ['sum', x => ops.sum(x)],
    ['matmul', x => ops.matmul(ops.reshape(x, [1, 3]), tensor([1, 1, 1], [3, 1]))],
    ['maxPool2d', x => ops.maxPool2d(ops.reshape(x, [1, 1, 1, 3]), 1)],
    [
      'conv2d',
      x => ops.conv2d(ops.reshape(x, [1, 1, 3, 1]), tensor(Array(9).fill(1), [1, 1, 3, 3]), undefined, { padding: 1 }),
    ],
  ];

  test.each(through)('%s', async (_, f) => {
    const result = await takeOne(tidy(() => f(tensor([0.5, Number.NaN, 0.25]))));
    expect([...result].some(Number.isNaN)).toBe(true);
  });

  test('a gradient that is NaN stays NaN behind relu', async () => {
    const gradient = await slope(x => ops.relu(ops.mul(x, tensor([1, Number.NaN, 1]))), [1, 1, -1]);
    expect(gradient[0]).toBe(1);
    expect(gradient[1]).toBeNaN();
  });
});

test('pow of negative numbers', async () => {
  const power = (exponent: number) => takeOne(tidy(() => ops.pow(tensor([-2, -0.5, 3]), exponent)));
  expect([...(await power(3))]).toEqual([-8, -0.125, 27]);
  expect([...(await power(-1))].map(value => Math.fround(value))).toEqual([-0.5, -2, Math.fround(1 / 3)]);
  const ninth = await power(9);
  expect(ninth[0] / -512).toBeCloseTo(1, 5);
  const tenth = await power(10);
  expect(tenth[0] / 1024).toBeCloseTo(1, 5);
  const half = await power(2.5);
  expect(half[0]).toBeNaN();
});
