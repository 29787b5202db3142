import { describe, expect, test } from 'vitest';
import { ShapeError } from '../../engine/basics/errors.ts';
import { tensor } from '../../engine/tensor.ts';
import { Discriminator, discriminator, discriminatorConfig } from '../../models/discriminator.ts';
import { decodeDiscriminator, decodeModel, encodeModel } from '../../models/model-file.ts';
import { readSafetensors, type WritableTensor, writeSafetensors } from '../../models/safetensors.ts';
import { type HostTensor, WeightsError } from '../../nn/module.ts';
import { sharedDevice } from '../device.ts';

const device = sharedDevice();

const SMALL = { channels: 2, size: 32, hidden: 5 };
const small = (seed = 0) => discriminator({ ...SMALL, seed });

describe('size', () => {
  test('the paper’s has 23,563,649 parameters', () => {
    using net = new Discriminator({ channels: 64, size: 96, hidden: 1024 });
    expect(net.parameterCount).toBe(23_563_649);
  });

  // Biases of the first convolution and the dense layers, scale and shift of the other seven convolutions.
  test.each([
    { channels: 1, size: 16, hidden: 1 },
    { channels: 3, size: 48, hidden: 7 },
  ])('%o follows the formula', ({ channels: n, size, hidden }) => {
    using net = discriminator({ channels: n, size, hidden });
    const convolutions = 27 * n + n + 9 * n ** 2 * (1 + 2 + 4 + 8 + 16 + 32 + 64) + 2 * n * (1 + 2 + 2 + 4 + 4 + 8 + 8);
    const features = 8 * n * (size / 16) ** 2;
    expect(net.parameterCount).toBe(convolutions + (features + 1) * hidden + hidden + 1);
    expect(net.config).toEqual({ channels: n, size, hidden });
  });

  test.each([{ channels: 0 }, { channels: 1.5 }, { hidden: 0 }])('%o is refused', options => {
    expect(() => discriminator(options)).toThrow(WeightsError);
    expect(() => discriminator(options)).toThrow(/channels and hidden units of at least 1/);
  });

  test.each([0, 8, 90, 100.5])('images of %d pixels are refused', size => {
    expect(() => discriminator({ ...SMALL, size })).toThrow(WeightsError);
    expect(() => discriminator({ ...SMALL, size })).toThrow(
      `multiple of 16 pixels (its strides halve it four times), got ${size}.`,
    );
  });
});

test.each([[[1, 3, 16, 16]], [[1, 3, 32, 48]], [[1, 1, 32, 32]], [[3, 32, 32]]])('an input of %j is refused', shape => {
  using net = small();
  using x = tensor(new Float32Array(shape.reduce((a, b) => a * b)), shape);
  expect(() => net.forward(x)).toThrow(ShapeError);
  expect(() => net.forward(x)).toThrow(`discriminator: expected images of [N, 3, 32, 32], got [${shape.join(', ')}].`);
});

describe('first weights', () => {
  test('follow from the seed', async () => {
    using a = small(3);
    using b = small(3);
    using c = small(4);
    const [first, again, other] = [await a.stateDict(), await b.stateDict(), await c.stateDict()];
    expect(again).toEqual(first);
    for (const name of ['conv_in.weight', 'blocks.6.conv.weight', 'fc1.weight', 'fc2.bias'])
      expect(other.get(name), name).not.toEqual(first.get(name));
  });

  test('are uniform in ±1/√fan-in, batch norm’s 1, 0, 0, 1', async () => {
    using net = discriminator({ ...SMALL, channels: 4, hidden: 16 });
    const state = await net.stateDict();
    const fanIn = (name: string) =>
      state
        .get(name)!
        .shape.slice(1)
        .reduce((a, b) => a * b);
    for (const [name, { data }] of state) {
      if (/bn.*(weight|var)/.test(name)) expect(new Set(data), name).toEqual(new Set([1]));
      else if (/bn/.test(name)) expect(new Set(data), name).toEqual(new Set([0]));
      else {
        const bound = Math.fround(1 / Math.sqrt(fanIn(name.replace('bias', 'weight'))));
        const largest = Math.max(...data.map(Math.abs));
        expect(largest, name).toBeLessThanOrEqual(bound);
        if (data.length > 100) expect(largest, name).toBeGreaterThan(0.9 * bound);
      }
    }
  });
});

describe('files', () => {
  test('say what they are and give every bit back', async () => {
    using net = small(5);
    const state = await net.stateDict();
    const bytes = await encodeModel(net, { metadata: { step: '7' } });
    const { metadata } = readSafetensors(bytes);
    expect(metadata).toEqual({ format: 'pt', arch: 'discriminator', config: JSON.stringify(SMALL), step: '7' });
    using read = decodeDiscriminator(bytes);
    expect(read.config).toEqual(SMALL);
    expect([...(await read.stateDict())]).toEqual([...state]);
    expect(await encodeModel(read, { metadata: { step: '7' } })).toEqual(bytes);
  });

  test('in float16 have half the size', async () => {
    using net = small(5);
    const bytes = await encodeModel(net, { dtype: 'F16' });
    expect(bytes.length).toBeLessThan(0.6 * (await encodeModel(net)).length);
    using read = decodeDiscriminator(bytes);
    expect(await encodeModel(read, { dtype: 'F16' })).toEqual(bytes);
  });

  test('are no generators', async () => {
    using net = small();
    const bytes = await encodeModel(net);
    expect(() => decodeModel(bytes, 'd.bin')).toThrow(
      'd.bin: not SRResNet weights: conv_in.weight is [2, 3, 3, 3], expected [channels, 3, 9, 9]. Its metadata says it is "discriminator".',
    );
  });

  const zeros = (...shape: number[]): WritableTensor => ({
    shape,
    data: new Float32Array(shape.reduce((a, b) => a * b, 1)),
  });

  test.each<[string, WritableTensor | undefined, string]>([
    ['conv_in.weight', undefined, 'conv_in.weight is missing, expected [channels, 3, 3, 3].'],
    ['conv_in.weight', zeros(2, 3, 9, 9), 'conv_in.weight is [2, 3, 9, 9], expected [channels, 3, 3, 3].'],
    ['conv_in.weight', zeros(0, 3, 3, 3), 'conv_in.weight is [0, 3, 3, 3], expected [channels, 3, 3, 3].'],
    ['blocks.6.conv.weight', zeros(8, 8, 3, 3), 'blocks.6.conv.weight is [8, 8, 3, 3], expected [16, 16, 3, 3].'],
    ['fc1.weight', zeros(5, 65), 'fc1.weight is [5, 65], expected [hidden, 16 · (size / 16)²].'],
    ['fc1.weight', undefined, 'fc1.weight is missing, expected [hidden, 16 · (size / 16)²].'],
    ['fc2.weight', undefined, 'missing weights: fc2.weight.'],
    ['blocks.3.bn.bias', zeros(3), 'blocks.3.bn.bias: expected shape [8], got [3].'],
  ])('with another %s (%#) are refused, and leave no memory behind', async (name, instead, message) => {
    using net = small();
    const state = new Map<string, HostTensor>(await net.stateDict());
    if (instead) state.set(name, instead);
    else state.delete(name);
    const { live } = device().memory.figures();
    expect(() => decodeDiscriminator(writeSafetensors(state), 'd.bin')).toThrow(WeightsError);
    expect(() => decodeDiscriminator(writeSafetensors(state), 'd.bin')).toThrow(message);
    expect(device().memory.figures().live).toBe(live);
  });

  test('tell the sizes by their tensors', async () => {
    using net = discriminator({ channels: 3, size: 64, hidden: 2 });
    expect(discriminatorConfig(await net.stateDict())).toEqual({ channels: 3, size: 64, hidden: 2 });
  });
});
