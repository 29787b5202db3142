/** Gradients of gradients, where the operations on the way have them. */
import { describe, expect, test } from 'vitest';
import { type Tensor, tensor, tidy } from '../../engine/tensor.ts';
import {
  abs,
  batchNormTraining,
  conv2d,
  exp,
  grad,
  matmul,
  mean,
  mul,
  prelu,
  reshape,
  sigmoid,
  square,
  sum,
  tanh,
} from '../../kernels/index.ts';
import { sharedDevice, take, takeOne } from '../device.ts';

sharedDevice();

const input = (...values: number[]): Tensor => tensor(values, [values.length], { requiresGrad: true });

describe('second derivatives', () => {
  /** f″ at x. */
  const second = async (f: (x: Tensor) => Tensor, at: number): Promise<number> => {
    const [value] = await take(
      tidy(() => {
        const x = input(at);
        const [first] = grad(f(x), [x], { createGraph: true });
        return grad(first, [x]);
      }),
    );
    return value[0];
  };

  test.each([
    ['x³', (x: Tensor) => mul(x, square(x)), (x: number) => 6 * x],
    ['eˣ', exp, Math.exp],
    ['tanh', tanh, (x: number) => -2 * Math.tanh(x) * (1 - Math.tanh(x) ** 2)],
    [
      'sigmoid',
      sigmoid,
      (x: number) => {
        const s = 1 / (1 + Math.exp(-x));
        return s * (1 - s) * (1 - 2 * s);
      },
    ],
    ['|x| · x', (x: Tensor) => mul(abs(x), x), (x: number) => 2 * Math.sign(x)],
  ] as const)('%s', async (_, f, expected) => {
    for (const at of [-0.75, 0.5]) expect(await second(f, at)).toBeCloseTo(expected(at), 5);
  });

  test('of a small network: Hessian times vector against differences of the gradient', async () => {
    const numbers = (count: number, phase: number) =>
      Array.from({ length: count }, (_, i) => Math.sin(1.7 * i + phase));
    const loss = (x: Tensor, weight: Tensor) => {
      const y = conv2d(reshape(x, [1, 2, 3, 3]), weight, undefined, { padding: 1 });
      const z = prelu(batchNormTraining(y, tensor([1, 2, 0.5]), tensor([0, 1, -1])).output, tensor([0.25]));
      return mean(square(matmul(reshape(z, [3, 9]), tensor(numbers(18, 3), [9, 2]))));
    };
    const kernel = numbers(54, 1);
    const direction = numbers(54, 2);
    const gradientAt = (step: number) =>
      takeOne(
        tidy(() => {
          const weight = tensor(
            kernel.map((value, i) => value + step * direction[i]),
            [3, 2, 3, 3],
            { requiresGrad: true },
          );
          return grad(loss(tensor(numbers(18, 0)), weight), [weight])[0];
        }),
      );
    const product = await takeOne(
      tidy(() => {
        const weight = tensor(kernel, [3, 2, 3, 3], { requiresGrad: true });
        const [first] = grad(loss(tensor(numbers(18, 0)), weight), [weight], { createGraph: true });
        return grad(sum(mul(first, tensor(direction, [3, 2, 3, 3]))), [weight])[0];
      }),
    );
    const step = 1e-3;
    const [above, below] = [await gradientAt(step), await gradientAt(-step)];
    const scale = Math.hypot(...product);
    expect(scale).toBeGreaterThan(1e-3);
    const error = Math.hypot(...product.map((value, i) => value - (above[i] - below[i]) / (2 * step)));
    expect(error / scale).toBeLessThan(2e-3);
  });
});
