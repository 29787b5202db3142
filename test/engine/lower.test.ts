/** Equal operations on equal problems are lowered once, as long as the adapter's choices stay. */
import { expect, test } from 'vitest';
import { apply } from '../../engine/apply.ts';
import { compile } from '../../engine/compile.ts';
import { type Tensor, tensor, tidy } from '../../engine/tensor.ts';
import { conv2dOp } from '../../kernels/products/conv2d/index.ts';
import { sharedDevice, take } from '../device.ts';
import { noise } from '../kernels/problems.ts';

const device = sharedDevice({ kernels: 'plain' });

test('layers of one shape share a lowering, in one program and in the next; other shapes, sizes and choices do not', async () => {
  let lowered = 0;
  const convolution: typeof conv2dOp = {
    ...conv2dOp,
    lower(problem, traits) {
      lowered++;
      return conv2dOp.lower(problem, traits);
    },
  };
  const layer = (x: Tensor, weight: Tensor) => apply(convolution, [x, weight], { stride: [1, 1], padding: [1, 1] })[0];
  const run = async (side: number, { layers = 3, baked = true } = {}) => {
    using compiled = compile(
      (x: Tensor, weight: Tensor) => Array.from({ length: layers }).reduce((y: Tensor) => layer(y, weight), x),
      { baked },
    );
    const inputs = () =>
      [tensor(noise(2 * side ** 2, 1), [1, 2, side, side]), tensor(noise(36, 2), [2, 2, 3, 3])] as const;
    const [result] = await take(tidy(() => [compiled(...inputs())]));
    const [eager] = await take(
      tidy(() => {
        const [x, weight] = inputs();
        return [
          Array.from({ length: layers }).reduce(
            (y: Tensor) => apply(conv2dOp, [y, weight], { stride: [1, 1], padding: [1, 1] })[0],
            x,
          ),
        ];
      }),
    );
    result.forEach((value, i) => {
      expect(value).toBeCloseTo(eager[i], 5);
    });
    return lowered;
  };
  expect(await run(5)).toBe(1);
  expect(await run(5, { layers: 2 })).toBe(1);
  expect(await run(6)).toBe(2);
  expect(await run(6, { baked: false })).toBe(3);
  device().useChoices({ find: () => undefined });
  expect(await run(5)).toBe(4);
  device().useChoices(undefined);
});
