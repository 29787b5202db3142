/** `kernels: 'plain'`: every family uses its plain variant, by option or by environment. */
import { afterEach, expect, test } from 'vitest';
import { Device } from '../../engine/device/device.ts';
import { setCurrentDevice } from '../../engine/init.ts';
import { tensor } from '../../engine/tensor.ts';
import { families } from '../../kernels/families.ts';
import { conv2d } from '../../kernels/index.ts';
import { takeOne } from '../device.ts';

const before = process.env.DAYBREAK_KERNELS;
afterEach(() => {
  setCurrentDevice(undefined);
  if (before === undefined) delete process.env.DAYBREAK_KERNELS;
  else process.env.DAYBREAK_KERNELS = before;
});

/** A 3×3 convolution of ones, which fast variants accept. */
async function convolved(device: Device): Promise<Float32Array> {
  setCurrentDevice(device);
  using x = tensor(new Float32Array(2 * 8 * 6 * 6).fill(1), [2, 8, 6, 6]);
  using weight = tensor(new Float32Array(8 * 8 * 9).fill(1), [8, 8, 3, 3]);
  return await takeOne(conv2d(x, weight, undefined, { padding: 1 }));
}

test('all families use the plain variant, and the option overrides the environment', async () => {
  process.env.DAYBREAK_KERNELS = 'plain';
  using plain = await Device.create();
  using fast = await Device.create({ kernels: 'fast' });
  const problem = {
    n: 2,
    c: 8,
    h: 6,
    w: 6,
    k: 8,
    r: 3,
    s: 3,
    stride: [1, 1],
    padding: [1, 1],
    bias: false,
    baked: true,
  };
  const [forward] = families;
  expect(forward.choose(problem, plain.traits).name).toBe('plain');
  expect(forward.choose(problem, fast.traits).name).not.toBe('plain');
  plain.useChoices({ find: () => 'broadcast' });
  expect(forward.choose(problem, plain.traits).name).toBe('plain');
  expect(await convolved(plain)).toEqual(await convolved(fast));
});

test('an unknown value is an error', async () => {
  process.env.DAYBREAK_KERNELS = 'quick';
  await expect(Device.create()).rejects.toThrow('DAYBREAK_KERNELS: expected fast or plain, got "quick".');
});
