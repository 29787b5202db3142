/** Which tensor was the first to become NaN or infinite. */
import { expect, test } from 'vitest';
import { type Tensor, tensor } from '../../engine/tensor.ts';
import { variable } from '../../engine/variable.ts';
import { add, div, exp, grad, log, mul, sqrt, sub, sum } from '../../kernels/index.ts';
import { findNonFinite } from '../../nn/find-non-finite.ts';
import { Linear } from '../../nn/layers/linear.ts';
import { sharedDevice } from '../device.ts';

sharedDevice();

test('names the operation, its counts and its largest input', async () => {
  using x = tensor([1, 0, -1]);
  const found = await findNonFinite([x], x => add(mul(log(x), 2), 1));
  expect(found).toEqual({
    operation: 'log',
    shape: [3],
    nan: 1,
    infinite: 1,
    largestInput: 1,
    description: 'log [3], 1 NaN and 1 infinite of 3 elements; largest input 1',
  });
});

test('nothing where all is finite', async () => {
  using x = tensor([1, 2]);
  expect(await findNonFinite([x], x => exp(x))).toBeUndefined();
});

test('arguments, variables and constants', async () => {
  using x = tensor([1, Number.NaN]);
  using one = tensor([1, 1]);
  using state = variable([Number.POSITIVE_INFINITY, 0], [2], { name: 'state' });
  const described = async (body: (x: Tensor) => Tensor, arg: Tensor = one, argumentNames?: string[]) =>
    (await findNonFinite([arg], body, argumentNames ? { argumentNames } : {}))!.description;
  expect(await described(x => exp(x), x)).toBe('argument 0 itself, 1 NaN of 2 elements');
  expect(await described(x => exp(x), x, ['the batch'])).toBe('the batch itself, 1 NaN of 2 elements');
  expect(await described(one => mul(one, state))).toBe('state itself, 1 infinite of 2 elements');
  expect(await described(one => mul(one, x))).toBe('a constant itself, 1 NaN of 2 elements');
});

test('in a gradient whose value is finite', async () => {
  using x = tensor([0, 4]);
  const found = await findNonFinite([x], x => grad(sum(sqrt(x)), [x]));
  expect(found).toMatchObject({ operation: 'div', infinite: 1, nan: 0 });
});

test('the layers nearby', async () => {
  using x = tensor([1, 2], [1, 2]);
  using first = new Linear(2, 2);
  using second = new Linear(2, 2);
  first.weight.write(Float32Array.of(3e38, 3e38, 1, 1));
  const options = { modules: { first, second } };
  const found = await findNonFinite([x], x => second.forward(first.forward(x)), options);
  expect(found!.description).toMatch(/^matmul\w* \[1, 2\] with first, 1 infinite of 2 elements; largest input 3e38$/);
  const later = await findNonFinite([x], x => div(sub(second.forward(x), second.forward(x)), 0), options);
  expect(later!.description).toMatch(/^div \[1, 2\] after second, 2 NaN of 2 elements; largest input 0$/);
});

test('can be stopped, and says how far it is', async () => {
  using x = tensor([1]);
  const told: [number, number][] = [];
  const reason = new Error('enough');
  await findNonFinite([x], x => exp(exp(x)), { onProgress: (...progress) => told.push(progress) });
  expect(told.at(-1)).toEqual([1, 2]);
  await expect(findNonFinite([x], x => exp(x), { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  await expect(findNonFinite([x], x => exp(x), { modlues: {} } as object)).rejects.toThrow('modlues');
});
