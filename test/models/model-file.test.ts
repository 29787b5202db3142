import { describe, expect, test } from 'vitest';
import { toFloat16 } from '../../models/half-floats.ts';
import { decodeModel, encodeModel } from '../../models/model-file.ts';
import { readSafetensors, SafetensorsError, type WritableTensor, writeSafetensors } from '../../models/safetensors.ts';
import { srresnet } from '../../models/srresnet.ts';
import { type HostTensor, WeightsError } from '../../nn/module.ts';
import { sharedDevice } from '../device.ts';

sharedDevice();

const small = (seed = 0) => srresnet({ channels: 8, blocks: 1, seed });

/** The small network's weights, and its file. */
async function model(options: Parameters<typeof encodeModel>[1] = {}) {
  using net = small(11);
  return { state: await net.stateDict(), bytes: await encodeModel(net, options) };
}

/** What a file holds, read as https://github.com/huggingface/safetensors#format says and by none of our code. */
function independently(file: Uint8Array) {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const length = Number(view.getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(file.subarray(8, 8 + length)));
  const { __metadata__: metadata, ...entries } = header as Record<
    string,
    { dtype: string; shape: number[]; data_offsets: [number, number] }
  > & { __metadata__: Record<string, string> };
  const tensors = Object.entries(entries).map(([name, { dtype, shape, data_offsets: offsets }]) => {
    const [begin, end] = offsets.map(offset => 8 + length + offset);
    return { name, dtype, shape, begin, end };
  });
  return { view, start: 8 + length, metadata, tensors };
}

describe('the file', () => {
  test('is what the format’s own page says: float32, OIHW, PyTorch’s names, without holes', async () => {
    const { state, bytes } = await model({ metadata: { step: '12' } });
    const { view, start, metadata, tensors } = independently(bytes);
    expect(metadata).toEqual({
      format: 'pt',
      arch: 'srresnet',
      config: '{"channels":8,"blocks":1}',
      scale: '4',
      step: '12',
    });
    expect(tensors.map(({ name }) => name).sort()).toEqual([...state.keys()].sort());
    // Rust's reader refuses holes, overlaps and a header that does not begin with '{'.
    let position = start;
    for (const { name, dtype, shape, begin, end } of tensors.sort((a, b) => a.begin - b.begin)) {
      const { data, shape: expected } = state.get(name)!;
      expect([name, dtype, shape, begin, end]).toEqual([name, 'F32', expected, position, position + 4 * data.length]);
      const read = Float32Array.from(data, (_, i) => view.getFloat32(begin + 4 * i, true));
      expect(read, name).toEqual(data);
      position = end;
    }
    expect(position).toBe(bytes.length);
    expect([bytes[8], start % 8]).toEqual(['{'.charCodeAt(0), 0]);
  });

  test('has the same bytes for the same weights; its own metadata win', async () => {
    const { bytes } = await model({ metadata: { arch: 'liar', note: 'x' } });
    expect(bytes).toEqual((await model({ metadata: { note: 'x' } })).bytes);
  });

  test('in float16 has half the size and the nearest halves', async () => {
    const { state, bytes } = await model({ dtype: 'F16' });
    const { view, tensors } = independently(bytes);
    for (const { name, dtype, begin, end } of tensors) {
      const { data } = state.get(name)!;
      expect([name, dtype, end - begin]).toEqual([name, 'F16', 2 * data.length]);
      const halves = Array.from(data, (_, i) => view.getUint16(begin + 2 * i, true));
      expect(halves, name).toEqual(Array.from(data, toFloat16));
    }
  });
});

describe('reading', () => {
  test('float32 gives every bit back', async () => {
    const { state, bytes } = await model();
    using net = decodeModel(bytes);
    expect(net.config).toMatchObject({ channels: 8, blocks: 1, edges: 'mirror' });
    expect([...(await net.stateDict())]).toEqual([...state]);
    expect(await encodeModel(net)).toEqual(bytes);
  });

  test('float16 gives the rounded numbers, and writing them again changes nothing', async () => {
    const { state, bytes } = await model({ dtype: 'F16' });
    using net = decodeModel(bytes);
    for (const [name, { data }] of await net.stateDict())
      for (const [i, x] of data.entries()) {
        const exact = state.get(name)!.data[i];
        // Half a unit in the last of 11 bits, or of the smallest subnormals.
        expect(Math.abs(x - exact)).toBeLessThanOrEqual(Math.max(2 ** -11 * Math.abs(exact), 2 ** -25));
      }
    expect(await encodeModel(net, { dtype: 'F16' })).toEqual(bytes);
  });

  test('a foreign file without metadata, with PyTorch’s counters and any size, says enough by its tensors', async () => {
    using net = srresnet({ channels: 5, blocks: 3, seed: 1 });
    const state = await net.stateDict();
    const foreign = withCounters(writeSafetensors(state));
    expect(readSafetensors(foreign).raw.size).toBe(1);
    using read = decodeModel(foreign);
    expect(read.config).toMatchObject({ channels: 5, blocks: 3, slopes: 'channel', output: 'linear', edges: 'zero' });
    expect([...(await read.stateDict())]).toEqual([...state]);
  });

  test('bfloat16 is read', async () => {
    const { state } = await model();
    using net = decodeModel(asBfloat16(state));
    for (const [name, { data }] of await net.stateDict())
      for (const [i, x] of data.entries()) expect(x).toBe(truncated(state.get(name)!.data[i]));
  });

  test.each([false, true])('a Buffer’s memory is not shared (a part of a larger one: %s)', async part => {
    const { state, bytes } = await model();
    const whole = Buffer.alloc(bytes.length + 3, 0xff);
    whole.set(bytes, 3);
    const buffer = part ? whole.subarray(3) : Buffer.from(bytes);
    const { tensors } = readSafetensors(buffer);
    using net = decodeModel(buffer);
    buffer.fill(0);
    expect([...(await net.stateDict())]).toEqual([...state]);
    for (const [name, { data }] of tensors) expect(data, name).toEqual(state.get(name)!.data);
  });
});

describe('refused, naming the file and leaving no memory behind', () => {
  const rewrite = async (
    change: (state: Map<string, WritableTensor>) => unknown,
    metadata: Record<string, string> = {},
  ) => {
    const state = new Map<string, WritableTensor>((await model()).state);
    change(state);
    return writeSafetensors(state, metadata);
  };
  const ours = (config: string) => ({ arch: 'srresnet', config });
  const refused: [string, () => Promise<Uint8Array>, typeof WeightsError | typeof SafetensorsError, string][] = [
    ['an empty file', async () => new Uint8Array(0), SafetensorsError, 'net.bin: is 0 bytes long'],
    [
      'a file that was cut off',
      async () => (await model()).bytes.subarray(0, -1),
      SafetensorsError,
      'net.bin: is truncated',
    ],
    [
      'a damaged header',
      async () => (await model()).bytes.fill(0x2d, 20, 24),
      SafetensorsError,
      'net.bin: is not a safetensors file',
    ],
    [
      'a missing tensor',
      () => rewrite(state => state.delete('bn_mid.bias')),
      WeightsError,
      'net.bin: missing weights: bn_mid.bias.',
    ],
    [
      'one bias where all are without',
      () => rewrite(state => state.set('blocks.0.conv1.bias', tensorOf(8))),
      WeightsError,
      'net.bin: missing weights: blocks.0.conv2.bias, conv_mid.bias.',
    ],
    [
      'a tensor of no SRResNet',
      () => rewrite(state => state.set('blocks.0.bn3.bias', tensorOf(8))),
      WeightsError,
      'net.bin: unexpected weights: blocks.0.bn3.bias.',
    ],
    [
      'another network',
      () => rewrite(state => state.set('prelu_in.weight', tensorOf(1)), { arch: 'srgan generator' }),
      WeightsError,
      'net.bin: blocks.0.prelu.weight: expected shape [1], got [8]. Its metadata says it is "srgan generator".',
    ],
    [
      'quite another network',
      async () => writeSafetensors({ 'features.0.weight': tensorOf(64, 3, 3, 3) }, { arch: 'VGG19' }),
      WeightsError,
      'net.bin: not SRResNet weights: conv_in.weight is missing, expected [channels, 3, 9, 9]. Its metadata says it is "VGG19".',
    ],
    [
      'a first convolution of another kind',
      () => rewrite(state => state.set('conv_in.weight', tensorOf(8, 1, 9, 9))),
      WeightsError,
      'conv_in.weight is [8, 1, 9, 9], expected [channels, 3, 9, 9].',
    ],
    [
      'metadata that say another size',
      () => rewrite(() => {}, ours('{"channels":8,"blocks":2}')),
      WeightsError,
      'net.bin: metadata "config" is {"channels":8,"blocks":2}, but the tensors are those of {"channels": 8, "blocks": 1}.',
    ],
    [
      'metadata that are damaged',
      () => rewrite(() => {}, ours('{')),
      WeightsError,
      'net.bin: metadata "config" is not JSON.',
    ],
    ['metadata that are null', () => rewrite(() => {}, ours('null')), WeightsError, '"config" is null'],
    // Files that would have a network built that no memory holds, or that takes minutes to fill with first weights.
    [
      'metadata that ask for a giant',
      () => rewrite(() => {}, ours('{"channels":1000000,"blocks":1000000}')),
      WeightsError,
      'but the tensors are those of {"channels": 8, "blocks": 1}',
    ],
    [
      'an empty tensor that asks for a giant',
      () => rewrite(state => state.set('conv_in.weight', tensorOf(1_000_000_000, 0))),
      WeightsError,
      'conv_in.weight is [1000000000, 0], expected [channels, 3, 9, 9].',
    ],
    [
      'thousands of empty blocks',
      () =>
        rewrite(state => {
          for (let i = 1; i < 5000; i++) state.set(`blocks.${i}.conv1.weight`, tensorOf(0));
        }),
      WeightsError,
      'blocks.1.conv1.weight is [0], expected [8, 8, 3, 3].',
    ],
  ];
  test.each(refused)('%s', async (_, make, type, message) => {
    const bytes = await make();
    const began = performance.now();
    expect(() => decodeModel(bytes, 'net.bin')).toThrow(type);
    expect(() => decodeModel(bytes, 'net.bin')).toThrow(message);
    expect(() => decodeModel(bytes, 'net.bin')).toThrow(/^net\.bin: [^\n]*$/);
    expect(performance.now() - began).toBeLessThan(5000);
  });
});

function tensorOf(...shape: number[]): WritableTensor {
  return { shape, data: new Float32Array(shape.reduce((product, size) => product * size, 1)) };
}

/** The file with an I64 `num_batches_tracked` after its tensors, as PyTorch's batch norm has one, and no metadata. */
function withCounters(bytes: Uint8Array): Uint8Array {
  const { start, tensors } = independently(bytes);
  const data = bytes.length - start;
  const entries = tensors.map(({ name, dtype, shape, begin, end }) => [
    name,
    { dtype, shape, data_offsets: [begin - start, end - start] },
  ]);
  entries.push(['bn_mid.num_batches_tracked', { dtype: 'I64', shape: [], data_offsets: [data, data + 8] }]);
  return assemble(Object.fromEntries(entries), bytes.subarray(start), new Uint8Array(8));
}

const truncated = (x: number) => new Float32Array(Uint32Array.of(bitsOf(x) & 0xffff0000).buffer)[0];
const bitsOf = (x: number) => new Uint32Array(Float32Array.of(x).buffer)[0];

function asBfloat16(state: ReadonlyMap<string, HostTensor>): Uint8Array {
  let position = 0;
  const entries: Record<string, unknown> = {};
  const parts: Uint8Array[] = [];
  for (const [name, { shape, data }] of state) {
    entries[name] = { dtype: 'BF16', shape, data_offsets: [position, position + 2 * data.length] };
    position += 2 * data.length;
    parts.push(new Uint8Array(Uint16Array.from(data, x => bitsOf(x) >>> 16).buffer));
  }
  return assemble(entries, ...parts);
}

function assemble(header: Record<string, unknown>, ...parts: Uint8Array[]): Uint8Array {
  const text = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([length, text, ...parts]);
}
