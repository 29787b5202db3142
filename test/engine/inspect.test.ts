/** Looking into a function: what it shows, in which order, and that it changes nothing. */
import { describe, expect, test } from 'vitest';
import { inspect } from '../../engine/inspect.ts';
import { type Tensor, tensor, tidy } from '../../engine/tensor.ts';
import { variable } from '../../engine/variable.ts';
import { add, exp, grad, log, mul, reshape, square, sum } from '../../kernels/index.ts';
import { adam } from '../../nn/optim/adam-update.ts';
import { sharedDevice } from '../device.ts';

sharedDevice();

const contents = async (args: readonly [Tensor, ...Tensor[]], body: (...args: Tensor[]) => Tensor | Tensor[]) => {
  const seen: [string, number[]][] = [];
  await inspect(args, body, async ({ node, content }) => {
    seen.push([node?.operation.name ?? 'given', [...(await content.data())]]);
    return undefined;
  });
  return seen;
};

test('shows every value once, what is given before what is made of it', async () => {
  using x = tensor([1, 2]);
  using y = tensor([3, 5]);
  using v = variable([10], [1]);
  const seen = await contents([x, y], (x, y) => {
    log(y); // Nothing depends on it: it is left out.
    const z = mul(x, y);
    return add(reshape(z, [2, 1]), v);
  });
  expect(seen).toEqual([
    ['given', [1, 2]],
    ['given', [3, 5]],
    ['mul', [3, 10]],
    ['reshape', [3, 10]],
    ['given', [10]],
    ['add', [13, 20]],
  ]);
});

test('shows gradients, and constants of outside', async () => {
  using x = tensor([3], [1]);
  using weight = variable([2], [1]);
  using scale = tensor([4], [1]);
  const seen = await contents([x], x => grad(sum(square(mul(mul(weight, x), scale))), [weight]));
  expect(seen).toContainEqual(['given', [4]]);
  // d/dw (w·3·4)² = 2·144·w
  expect(seen.at(-1)![1]).toEqual([576]);
});

describe('changes nothing', () => {
  test('where variables are assigned and used again', async () => {
    using x = tensor([1]);
    using v = variable([5], [1]);
    const seen = await contents([x], x => {
      v.assign(add(v, x));
      return mul(v, 2);
    });
    expect(seen.at(-1)).toEqual(['mul', [12]]);
    expect(await v.item()).toBe(5);
  });

  test('where an operation updates memory in place', async () => {
    using gradient = tensor([1, -1]);
    using rate = tensor([0.5]);
    const state = [1, 2].map(value => variable([value, value], [2], { trainable: false }));
    using weights = variable([7, 7], [2]);
    using steps = variable([3], [1]);
    const run = () =>
      contents([gradient, rate], (gradient, rate) => {
        const flag = mul(rate, 0);
        const options = { beta1: 0.9, beta2: 0.999, eps: 1e-8 };
        const { parameters } = adam([weights, state[0], state[1], gradient, steps, rate, flag], options);
        weights.assign(parameters);
        return mul(parameters, 1);
      });
    const first = await run();
    expect(first.at(-1)![1]).not.toEqual([7, 7]);
    expect([...(await weights.data())]).toEqual([7, 7]);
    expect(await run()).toEqual(first);
    for (const one of state) one.dispose();
  });
});

test('ends with what is found, and gives all memory back; also where looking fails', async () => {
  using x = tensor([1000]);
  let looked = 0;
  const found = await inspect(
    [x],
    x => square(exp(mul(x, 3))),
    async ({ node, content, inputs }) => {
      looked++;
      if (Number.isFinite(await content.item())) return undefined;
      return [node!.operation.name, await inputs[0].item()];
    },
  );
  expect(found).toEqual(['exp', 3000]);
  expect(looked).toBe(3);
  const failing = inspect(
    [x],
    x => square(x),
    () => Promise.reject(new Error('no eyes')),
  );
  await expect(failing).rejects.toThrow('no eyes');
});

test('agrees with an uncompiled call', async () => {
  using x = tensor([0.25, -3, 7]);
  const body = (x: Tensor) => sum(exp(mul(square(x), 0.01)));
  const seen = await contents([x], body);
  using called = tidy(() => body(x));
  expect(seen.at(-1)![1]).toEqual([await called.item()]);
});
