/** Whatever was being done when a device is lost: the error is DeviceLostError. */
import { expect, test } from 'vitest';
import { DeviceLostError } from '../../engine/basics/errors.ts';
import { compile } from '../../engine/compile.ts';
import { Device } from '../../engine/device/device.ts';
import { type Tensor, tensor } from '../../engine/tensor.ts';
import { variable } from '../../engine/variable.ts';
import { add } from '../../kernels/index.ts';

const destroy = (device: Device) => device.gpu.destroy();
/** Until the loss has been reported. */
const reported = () => new Promise(resolve => setTimeout(resolve, 20));

const WAYS: Readonly<Record<string, (device: Device, x: Tensor) => Promise<unknown>>> = {
  'a read afterwards': async (device, x) => {
    destroy(device);
    return await x.data();
  },
  'a read once the loss was reported': async (device, x) => {
    destroy(device);
    await reported();
    return await x.data();
  },
  'a read in progress': async (device, x) => {
    const reading = x.data();
    destroy(device);
    return await reading;
  },
  'an operation and a read': async (device, x) => {
    destroy(device);
    return await add(x, 1).data();
  },
  'an operation once the loss was reported': async (device, x) => {
    destroy(device);
    await reported();
    return add(x, 1);
  },
  'a compiled function that has run': async (device, x) => {
    const step = compile((x: Tensor) => add(x, 2));
    step(x).dispose();
    destroy(device);
    return await step(x).data();
  },
  'a compiled function that has not run': async (device, x) => {
    const step = compile((x: Tensor) => add(x, 3));
    destroy(device);
    return await step(x).data();
  },
  'waiting for work': async (device, x) => {
    add(x, 1);
    destroy(device);
    await device.finished();
  },
  'a variable written and read': async device => {
    destroy(device);
    await reported();
    const state = variable([1], [1], { device });
    state.write(Float32Array.of(2));
    return await state.data();
  },
};

test.each(Object.keys(WAYS))('%s', async name => {
  const device = await Device.create();
  const x = tensor([1, 2], [2], { device });
  await x.data();
  await expect(WAYS[name](device, x)).rejects.toThrow(DeviceLostError);
});
