/** Gradients that stop, and gradients of one's own. */
import { expect, test } from 'vitest';
import { GradientError } from '../../engine/basics/errors.ts';
import { compile } from '../../engine/compile.ts';
import { type Tensor, tensor, tidy } from '../../engine/tensor.ts';
import { variable } from '../../engine/variable.ts';
import { add, customGradient, detach, grad, mul, reshape, round, square, sum } from '../../kernels/index.ts';
import { sharedDevice, take } from '../device.ts';

sharedDevice();

/** Results of a function of x, eagerly and compiled; they must be equal. */
async function both(body: (x: Tensor) => readonly Tensor[]): Promise<number[][]> {
  using x = tensor([1.25, -0.5, 3], [3], { requiresGrad: true });
  using compiled = compile(body);
  const eager = await take(tidy(() => body(x)));
  const replayed = await take(compiled(x));
  expect(replayed).toEqual(eager);
  return eager.map(data => [...data]);
}

test('no gradient flows through what is detached', async () => {
  const [value, gradient] = await both(x => {
    const y = sum(mul(x, detach(x)));
    return [y, ...grad(y, [x])];
  });
  expect(value).toEqual([1.5625 + 0.25 + 9]);
  expect(gradient).toEqual([1.25, -0.5, 3]);
  using x = tensor([1], [1], { requiresGrad: true });
  expect(() => tidy(() => grad(sum(detach(x)), [x]))).toThrow(GradientError);
});

test('a variable that is detached keeps its value when it is assigned later', async () => {
  using v = variable([1, 2]);
  const before = detach(v);
  v.write(Float32Array.of(5, 6));
  expect([...(await take([before]))[0]]).toEqual([1, 2]);
});

test('a straight-through estimator', async () => {
  const [value, gradient] = await both(x => {
    const y = customGradient([x], { forward: round, backward: given => [given] });
    return [y, ...grad(sum(square(y)), [x])];
  });
  expect(value).toEqual([1, -0, 3]);
  expect(gradient).toEqual([2, -0, 6]);
});

test('several inputs, the output, null, and second gradients', async () => {
  const [first, second] = await both(x => {
    // Claims that d(x · w)/dx is x · output.
    const w = reshape(tensor([2, 3, 4]), [3]);
    const y = customGradient([x, w], {
      forward: (x, w) => mul(x, w),
      backward: (given, output, x) => [mul(mul(given, x), output), null],
    });
    const [gradient] = grad(sum(y), [x], { createGraph: true });
    return [gradient, ...grad(sum(gradient), [x])];
  });
  expect(first).toEqual([1.25 * 2.5, 0.75, 36]);
  // d(x · output)/dx is output + x · (x · output) by the same rule.
  expect(second).toEqual([2.5 + 1.25 * 1.25 * 2.5, -1.5 + 0.25 * -1.5, 12 + 9 * 12]);
});

test('an input given back as it is has the gradient of one’s own too', async () => {
  const [gradient] = await both(x => {
    const y = customGradient([x], { forward: x => x, backward: given => [mul(given, -1)] });
    return grad(sum(add(y, x)), [x]);
  });
  expect(gradient).toEqual([0, 0, 0]);
});

test('what does not fit is named', () => {
  using x = tensor([1, 2], [2], { requiresGrad: true });
  const run = (rule: Parameters<typeof customGradient>[1]) => () =>
    tidy(() => grad(sum(customGradient([x], rule)), [x]));
  expect(run({ forward: () => 1 as never, backward: () => [] })).toThrow(
    'customGradient: expected forward to return a tensor, got 1.',
  );
  expect(run({ forward: x => square(x), backward: () => [] })).toThrow(
    'customGradient: expected backward to return 1 gradients, one per input, got 0.',
  );
  expect(run({ forward: x => square(x), backward: given => [sum(given)] })).toThrow(
    'customGradient: expected a gradient of shape [2] for input 0, got [].',
  );
  expect(() => customGradient([], { forward: () => x, backward: () => [] })).toThrow(/at least one tensor/);
});
