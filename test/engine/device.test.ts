/** Devices: the caller's own, lost ones, errors that WebGPU reports late; and buffers of the caller's. */
import { afterEach, describe, expect, test } from 'vitest';
import { apply } from '../../engine/apply.ts';
import {
  AdapterNotFoundError,
  DeviceLostError,
  OutOfMemoryError,
  ShapeError,
  ValidationError,
} from '../../engine/basics/errors.ts';
import { compile } from '../../engine/compile.ts';
import { Device } from '../../engine/device/device.ts';
import { chosenName, parseChoice } from '../../engine/device/gpu.node.ts';
import type { Operation } from '../../engine/graph/operation.ts';
import { currentDevice, init, setCurrentDevice } from '../../engine/init.ts';
import { tensor, tidy, wrap } from '../../engine/tensor.ts';
import { input, output } from '../../engine/text/kernel.ts';
import { variable } from '../../engine/variable.ts';
import { add, mul, neg, reshape, sum } from '../../kernels/index.ts';
import { sharedDevice, takeOne } from '../device.ts';

const device = sharedDevice();

describe('the default device', () => {
  afterEach(() => setCurrentDevice(device()));

  test('is the one that init() made last, and there is none before', async () => {
    expect(currentDevice()).toBe(device());
    setCurrentDevice(undefined);
    expect(() => tensor([1])).toThrow(/await init\(\)/);
    using made = await init();
    expect(currentDevice()).toBe(made);
    using x = tensor([1]);
    expect(x.device).toBe(made);
  });

  test('others are named', async () => {
    using other = await Device.create();
    using x = tensor([1, 2], [2], { device: other });
    using v = variable([1, 2], [2], { device: other });
    using y = add(x, v);
    expect([y.device, currentDevice()]).toEqual([other, device()]);
    expect([...(await y.data())]).toEqual([2, 4]);
  });
});

describe('an adapter', () => {
  test('that is not there is an AdapterNotFoundError, which says which there are', async () => {
    const search = Device.create({ adapter: 'a driver that nobody has' });
    await expect(search).rejects.toThrow(AdapterNotFoundError);
    await expect(search).rejects.toThrow(/a driver that nobody has/);
  });

  test('is chosen by part of its name, and by number among those that fit', async () => {
    expect(parseChoice('NVIDIA')).toEqual({ name: 'NVIDIA', index: 0 });
    expect(parseChoice('NVIDIA:2')).toEqual({ name: 'NVIDIA', index: 2 });
    expect(parseChoice(':1')).toEqual({ name: '', index: 1 });
    const names = ['Intel Iris', 'NVIDIA RTX 3070', 'NVIDIA RTX 4090', 'NVIDIA RTX 4090', 'llvmpipe'];
    const chosen = (wanted: string) => chosenName(names, parseChoice(wanted));
    expect([chosen('nvidia'), chosen('nvidia:1'), chosen(':4'), chosen('nvidia:3'), chosen('amd')]).toEqual([
      'NVIDIA RTX 3070',
      'NVIDIA RTX 4090',
      'llvmpipe',
      undefined,
      undefined,
    ]);
    // Two of one name: Dawn only knows the first.
    expect(() => chosen('4090:1')).toThrow(AdapterNotFoundError);
    const [name] = device().description.device.toUpperCase().split(/[-_ ]/);
    using first = await Device.create({ adapter: `${name}:0` });
    expect(first.description).toEqual(device().description);
    await expect(Device.create({ adapter: `${name}:7` })).rejects.toThrow(
      /^Fewer than 8 WebGPU adapters with .*\. Available: /,
    );
  });

  test('is described, and asked for all that it has', () => {
    const { description, traits, gpu } = device();
    expect(description.vendor + description.description).not.toBe('');
    expect(traits.maxWorkgroupInvocations).toBe(gpu.limits.maxComputeInvocationsPerWorkgroup);
    expect(traits.maxBindingBytes).toBeGreaterThanOrEqual(2 ** 27);
    expect(traits.subgroupSize > 0).toBe(gpu.features.has('subgroups') && traits.subgroupSize > 0);
  });
});

describe('a device of the caller', () => {
  test('is used as it is and not destroyed', async () => {
    using owner = await Device.create();
    let lost = false;
    void owner.gpu.lost.then(() => {
      lost = true;
    });
    const guest = await Device.create({ device: owner.gpu });
    expect(guest.gpu).toBe(owner.gpu);
    expect(guest.traits.software).toBe(owner.traits.software);
    const x = tensor([1, 2, 3], [3], { device: guest });
    const y = mul(x, 2);
    expect([...(await y.data())]).toEqual([2, 4, 6]);
    for (const t of [x, y]) t.dispose();
    guest.dispose();
    await new Promise(resolve => setTimeout(resolve, 20));
    expect(lost).toBe(false);
    // The owner's own work goes on.
    using z = tensor([5], [1], { device: owner });
    using negative = neg(z);
    expect(await negative.item()).toBe(-5);
  });
});

test('memory that the driver refuses is an OutOfMemoryError, not an invalid command', async () => {
  using device = await Device.create();
  const before = tensor(new Float32Array(1000), undefined, { device });
  const refused = Object.assign(new Event('uncapturederror'), { error: new GPUOutOfMemoryError('no more') });
  device.gpu.dispatchEvent(refused);
  const reading = before.data();
  await expect(reading).rejects.toThrow(OutOfMemoryError);
  await expect(reading).rejects.toThrow('asked for 0.0 MiB with 0.0 MiB live');
  expect(await before.data()).toHaveLength(1000);
});

describe('a lost device', () => {
  test('is a DeviceLostError for all that comes after', async () => {
    const doomed = await Device.create();
    const x = tensor([1, 2], [2], { device: doomed });
    expect(doomed.lost).toBe(false);
    doomed.gpu.destroy();
    await doomed.gpu.lost;
    expect(doomed.lost).toBe(true);
    expect(() => neg(x)).toThrow(DeviceLostError);
    await expect(x.data()).rejects.toThrow(DeviceLostError);
    // Not only once.
    await expect(doomed.finished()).rejects.toThrow(DeviceLostError);
    await expect(doomed.finished()).rejects.toThrow(expect.objectContaining({ reason: 'destroyed' }));
    using f = compile((y: typeof x) => neg(y));
    expect(() => f(x)).toThrow(DeviceLostError);
  });

  test('while content is on its way', async () => {
    const doomed = await Device.create();
    const x = tensor(new Float32Array(2 ** 20), undefined, { device: doomed });
    const reading = neg(x).data();
    doomed.gpu.destroy();
    await expect(reading).rejects.toThrow(DeviceLostError);
  });

  test('is what ends a wait that WebGPU aborts before it tells of the loss', async () => {
    const doomed = await Device.create();
    const { queue } = doomed.gpu;
    Object.defineProperty(doomed.gpu, 'queue', { value: queue });
    const abort = () => Promise.reject(new DOMException('the device is gone', 'AbortError'));
    Object.defineProperty(queue, 'onSubmittedWorkDone', { value: abort });
    const waiting = expect(doomed.finished()).rejects.toThrow(DeviceLostError);
    setTimeout(() => doomed.gpu.destroy(), 50);
    await waiting;
  });

  test('in the middle of a warm-up, of an upload, of a disposal: an error or nothing, never a hang', async () => {
    const doomed = await Device.create();
    const x = tensor([1, 2], [2], { device: doomed });
    const f = compile((y: typeof x) => neg(neg(y)));
    const warmed = f.warmUp([x], () => doomed.gpu.destroy());
    await expect(warmed.then(y => y.data())).rejects.toThrow(DeviceLostError);
    expect(() => f(x)).toThrow(DeviceLostError);
    const late = tensor(new Float32Array(1000), undefined, { device: doomed });
    await expect(late.data()).rejects.toThrow(DeviceLostError);
    for (const one of [f, late, x, doomed, doomed]) one.dispose();
    // Another one works.
    using next = await Device.create();
    using y = tensor([3], [1], { device: next });
    using z = neg(y);
    expect(await z.item()).toBe(-3);
  });
});

describe('errors that WebGPU reports late', () => {
  /** An operation whose kernel is `body`. */
  const broken = (name: string, body: string): Operation => ({
    name,
    infer: ([x]) => [x],
    lower: () => ({
      steps: [
        {
          kernel: { name: `${name}.kernel`, wgsl: body, bindings: ['read', 'write'], workgroups: [1, 1, 1] },
          operands: [input(0), output(0)],
        },
      ],
      scratch: [],
    }),
  });

  test('a text that does not compile: ValidationError with the kernel and its text', async () => {
    using own = await Device.create({ debug: true });
    using x = tensor([1], [1], { device: own });
    const text = '@compute @workgroup_size(1) fn main() { this is no WGSL }';
    using _ = apply(broken('nonsense', text), [x], {})[0];
    const failure = own.finished();
    await expect(failure).rejects.toThrow(ValidationError);
    await expect(failure).rejects.toThrow(/nonsense\.kernel/);
    await expect(failure).rejects.toThrow(/this is no WGSL/);
  });

  test('a command that is refused: ValidationError at the next look, once', async () => {
    using own = await Device.create();
    using x = tensor([1], [1], { device: own });
    const encoder = own.gpu.createCommandEncoder();
    encoder.copyBufferToBuffer(x.storage.buffer, 0, x.storage.buffer, 2, 3);
    own.gpu.queue.submit([encoder.finish()]);
    await expect(own.finished()).rejects.toThrow(ValidationError);
    await own.finished();
    using y = neg(x);
    expect(await y.item()).toBe(-1);
  });
});

describe('a buffer of the caller', () => {
  const STORAGE = 0x80 | 0x08 | 0x04;
  const bufferOf = (...values: number[]) => {
    const buffer = device().gpu.createBuffer({ size: values.length * 4, usage: STORAGE });
    device().gpu.queue.writeBuffer(buffer, 0, Float32Array.from(values));
    return buffer;
  };

  test('is read where it lies, sees later writes, and counts as nobody’s memory', async () => {
    const before = device().memory.figures();
    const buffer = bufferOf(1, 2, 3, 4);
    const x = wrap(device(), buffer, [2, 2]);
    expect(device().memory.figures()).toEqual(before);
    expect(x.storage.buffer).toBe(buffer);
    expect([...(await takeOne(mul(x, 10)))]).toEqual([10, 20, 30, 40]);
    device().gpu.queue.writeBuffer(buffer, 4, Float32Array.of(7));
    expect([...(await x.data())]).toEqual([1, 7, 3, 4]);
    expect([...(await takeOne(sum(reshape(x, [4]))))]).toEqual([15]);
    x.dispose();
    buffer.destroy();
  });

  test('is never destroyed, pooled or written', async () => {
    const buffer = bufferOf(1, 2);
    tidy(() => add(wrap(device(), buffer, [2]), 1)).dispose();
    wrap(device(), buffer, [2]).dispose();
    for (let i = 0; i < 20; i++) {
      using other = tensor([9, 9]);
      expect(other.storage.buffer).not.toBe(buffer);
    }
    using again = wrap(device(), buffer, [2]);
    expect([...(await again.data())]).toEqual([1, 2]);
    buffer.destroy();
  });

  test('works in compiled functions, as argument and captured', async () => {
    const [first, second] = [bufferOf(1, 2), bufferOf(10, 20)];
    using captured = wrap(device(), second, [2]);
    using f = compile((x: typeof captured) => add(x, captured));
    using x = wrap(device(), first, [2]);
    expect([...(await takeOne(f(x)))]).toEqual([11, 22]);
    f.dispose();
    first.destroy();
    second.destroy();
  });

  test('says when it is no longer used: after views, gradients and captures', async () => {
    const buffer = bufferOf(1, 2);
    let calls = 0;
    const x = wrap(device(), buffer, [2], { onDispose: () => calls++ });
    const view = reshape(x, [1, 2]);
    const f = compile((y: typeof x) => add(y, x));
    tidy(() => f(tensor([1, 1]))).dispose();
    x.dispose();
    expect(calls).toBe(0);
    view.dispose();
    expect(calls).toBe(0);
    f.dispose();
    expect(calls).toBe(1);
    x.dispose();
    expect(calls).toBe(1);
    buffer.destroy();
  });

  test('may hold whole numbers', async () => {
    const buffer = device().gpu.createBuffer({ size: 8, usage: STORAGE });
    device().gpu.queue.writeBuffer(buffer, 0, Int32Array.of(-1, 2));
    using x = wrap(device(), buffer, [2], { dtype: 'i32' });
    expect([...(await x.integers())]).toEqual([-1, 2]);
    buffer.destroy();
  });

  test('must be large enough', () => {
    const buffer = bufferOf(1, 2);
    expect(() => wrap(device(), buffer, [3])).toThrow(ShapeError);
    expect(() => wrap(device(), buffer, [3])).toThrow(/expected a buffer of at least 12 bytes for \[3\], got 8/);
    buffer.destroy();
  });
});
