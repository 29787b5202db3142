/** Layer, group and instance norm and their layers, against PyTorch. */
import { expect, test } from 'vitest';
import { ArgumentError, ShapeError } from '../../engine/basics/errors.ts';
import { type Tensor, tensor, tidy } from '../../engine/tensor.ts';
import { grad, groupNorm, instanceNorm, layerNorm, mul, sum } from '../../kernels/index.ts';
import { GroupNorm, InstanceNorm2d, LayerNorm } from '../../nn/index.ts';
import { sharedDevice, take } from '../device.ts';
import { relativeError } from '../relative-error.ts';
import { GOLDEN, input, numbers } from './golden.ts';

sharedDevice();

const CASES = {
  layerNorm: { shape: [3, 5, 4], parameters: [5, 4], mean: 10, layer: () => new LayerNorm([5, 4]) },
  groupNorm: { shape: [2, 6, 3, 2], parameters: [6], mean: 0, layer: () => new GroupNorm(3, 6) },
  instanceNorm: { shape: [2, 3, 4, 2], parameters: [3], mean: 0, layer: () => new InstanceNorm2d(3, { affine: true }) },
} as const;

test.each(Object.entries(CASES))('%s and its gradients', async (name, { shape, parameters, mean, layer }) => {
  using net = layer();
  const size = net.weight!.size;
  net.weight!.write(numbers(size, 2));
  net.bias!.write(numbers(size, 3));
  expect(net.namedParameters().map(([key, { shape: own }]) => [key, own])).toEqual([
    ['weight', parameters],
    ['bias', parameters],
  ]);
  const [y, ...gradients] = await take(
    tidy(() => {
      const x = input(shape, 1, 1, mean);
      const y = net.forward(x);
      return [y, ...grad(sum(mul(y, input(shape, 4))), [x, net.weight!, net.bias!])];
    }),
  );
  const golden = GOLDEN.norms[name as keyof typeof CASES];
  expect(relativeError(y, golden.y)).toBeLessThan(1e-5);
  ['x', 'weight', 'bias'].forEach((key, i) => {
    expect(relativeError(gradients[i], golden[key]), key).toBeLessThan(1e-5);
  });
});

test.each([
  ['layerNorm', (x: Tensor) => layerNorm(x, [3, 4]), 2],
  ['groupNorm', (x: Tensor) => groupNorm(x, 1), 2],
  ['instanceNorm', (x: Tensor) => instanceNorm(x), 6],
] as const)(
  '%s without weight and bias gives rows with mean 0 and variance 1, whatever the mean',
  async (_, norm, rows) => {
    using x = tensor(numbers(24, 1, 1, 1000), [2, 3, 4]);
    const [y] = await take([norm(x)]);
    const size = y.length / rows;
    for (let row = 0; row < rows; row++) {
      const values = y.subarray(row * size, (row + 1) * size);
      expect(values.reduce((sum, value) => sum + value, 0) / size).toBeCloseTo(0, 3);
      expect(values.reduce((sum, value) => sum + value * value, 0) / size).toBeCloseTo(1, 3);
    }
  },
);

test('layers without weight and bias have no state', () => {
  using bare = new LayerNorm(4, { affine: false });
  using instances = new InstanceNorm2d(3);
  expect([bare.namedVariables(), instances.namedVariables()]).toEqual([[], []]);
});

test('sizes that do not fit are named', () => {
  using x = tensor(numbers(24, 1), [2, 3, 4]);
  using weight = tensor([1, 2, 3]);
  expect(() => layerNorm(x, [3])).toThrow(ShapeError);
  expect(() => layerNorm(x, [3])).toThrow('layerNorm: expected x to end in [3], got [2, 3, 4].');
  expect(() => layerNorm(x, [])).toThrow(ShapeError);
  expect(() => layerNorm(x, [4], { weight })).toThrow('layerNorm: for x [2, 3, 4]: expected a weight of [4], got [3].');
  expect(() => groupNorm(x, 2)).toThrow(ArgumentError);
  expect(() => groupNorm(x, 2)).toThrow('groupNorm: expected groups to divide 3 channels, got 2.');
  expect(() => groupNorm(weight, 1)).toThrow('groupNorm: expected [N, C, …], got [3].');
  expect(() => layerNorm(x, [4], { epsilon: 1 } as never)).toThrow(/unknown option "epsilon"/);
});
