/** Files that other programs wrote: prefixes of names, element types, other formats, other networks. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { writePicture } from '../../image/files.node.ts';
import { ForeignFormatError, nearest } from '../../models/foreign-file.ts';
import { decodeModel, encodeModel } from '../../models/model-file.ts';
import { readSafetensors, SafetensorsError, type WritableTensor, writeSafetensors } from '../../models/safetensors.ts';
import { WeightsError } from '../../nn/module.ts';
import { daybreak } from '../cli/daybreak.ts';
import { sharedDevice } from '../device.ts';
import { temporaryFolder } from '../eval/temporary.ts';
import { formulaPicture } from '../image/fixtures.ts';
import { trainedLike } from './trained-like.ts';

sharedDevice();

/** The first bytes of a ZIP archive whose first entry is stored. */
const ZIP = [0x50, 0x4b, 3, 4, 0, 0, 8, 8];

type State = Map<string, WritableTensor>;

const stateOf = async (seed: number): Promise<State> => {
  using net = trainedLike({ channels: 2, blocks: 1, seed });
  return new Map(await net.stateDict());
};
const prefixed = (state: State, prefix: string): [string, WritableTensor][] =>
  [...state].map(([name, tensor]) => [prefix + name, tensor]);

async function decoded(bytes: Uint8Array): Promise<{ state: unknown; notes: string[] }> {
  const notes: string[] = [];
  using net = decodeModel(bytes, 'f', { onNote: note => notes.push(note) });
  return { state: await net.stateDict(), notes };
}

test.for([
  'module.',
  'params.',
  'params_ema.',
  '_orig_mod.',
  'netG.',
  'generator.',
  'module._orig_mod.',
  'generator.module.',
])('%s is taken off every name, with one line', async prefix => {
  const state = await stateOf(4);
  const { state: read, notes } = await decoded(writeSafetensors(new Map(prefixed(state, prefix))));
  expect(read).toEqual(state);
  expect(notes).toEqual([`f: weights are read without the prefix "${prefix}" of their names`]);
});

test('names without prefixes are nothing to speak of', async () => {
  const state = await stateOf(4);
  expect(await decoded(writeSafetensors(state))).toEqual({ state, notes: [] });
});

test('of two groups the averaged weights are used, and of a GAN its generator', async () => {
  const [last, average] = [await stateOf(1), await stateOf(2)];
  const both = new Map([...prefixed(last, 'params.'), ...prefixed(average, 'params_ema.')]);
  const averaged = await decoded(writeSafetensors(both));
  expect(averaged.state).toEqual(average);
  expect(averaged.notes).toEqual([
    `f: weights are read without the prefix "params_ema." of their names, and without ${last.size} other tensors (params.blocks.0.bn1.bias …)`,
  ]);
  const judge: [string, WritableTensor] = ['netD.fc.weight', { shape: [1], data: Float32Array.of(1) }];
  const gan = await decoded(writeSafetensors(new Map([...prefixed(last, 'netG.'), judge])));
  expect(gan.state).toEqual(last);
  expect(gan.notes[0]).toMatch(/"netG\." of their names, and without 1 other tensors \(netD\.fc\.weight\)$/);
});

test('a wrapper’s prefix before some names alone is part of the network', async () => {
  const state = await stateOf(4);
  const stray = new Map([...state, ['module.x', { shape: [1], data: Float32Array.of(1) }] as const]);
  await expect(decoded(writeSafetensors(stray))).rejects.toThrow('f: unexpected weights: module.x.');
});

test('F64 is rounded to float32, and I64 counters are left aside', async () => {
  const state = await stateOf(3);
  const header: Record<string, unknown> = {};
  const parts: Uint8Array[] = [];
  let position = 0;
  const put = (name: string, dtype: string, shape: readonly number[], bytes: Uint8Array) => {
    header[name] = { dtype, shape, data_offsets: [position, position + bytes.length] };
    position += bytes.length;
    parts.push(bytes);
  };
  for (const [name, { shape, data }] of state) {
    // A third of an ulp of float32 more: rounding finds the same number.
    const doubles = Float64Array.from(data, value => value * (1 + 2 ** -26));
    put(`module.${name}`, 'F64', shape, new Uint8Array(doubles.buffer));
  }
  put('module.bn_mid.num_batches_tracked', 'I64', [], new Uint8Array(8));
  const text = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  const bytes = Buffer.concat([length, text, ...parts]);
  expect(readSafetensors(bytes).tensors.get('module.conv_in.weight')?.dtype).toBe('F64');
  expect((await decoded(bytes)).state).toEqual(state);
});

test.for([
  ['net.pth', ZIP, 'a PyTorch file', 'torch.load("net.pth"'],
  ['runs/last.ckpt', ZIP, 'a PyTorch file', '"runs/last.safetensors"'],
  ['old.pt', [0x80, 2, 0x8a, 0x0a, 0x6c, 0xfc], 'a PyTorch file', 'torch.load("old.pt"'],
  ['net.safetensors', ZIP, 'a PyTorch file', 'torch.load("net.safetensors"'],
  ['a "b".onnx', [8, 8], 'an ONNX model', 'onnx.load("a \\"b\\".onnx")'],
] as const)('%s: how to convert it', ([file, magic, format, python]) => {
  const bytes = Uint8Array.from([...magic, ...new Uint8Array(40)]);
  const attempt = () => decodeModel(bytes, file);
  expect(attempt).toThrow(ForeignFormatError);
  expect(attempt).toThrow(SafetensorsError);
  try {
    attempt();
  } catch (error) {
    const lines = (error as Error).message.split('\n');
    expect(lines[0]).toBe(`${file}: is ${format}, not safetensors; this Python converts it:`);
    expect(lines).toHaveLength(4);
    expect(lines.slice(1).join('\n')).toContain(python);
  }
});

test('a safetensors file may have any name', async () => {
  using net = trainedLike({ channels: 2, blocks: 0 });
  const bytes = await encodeModel(net);
  using read = decodeModel(bytes, 'net.pth');
  expect(read.config).toEqual(net.config);
});

test('what a file has instead is said, the nearest first', async () => {
  const state = await stateOf(4);
  const weight = state.get('conv_in.weight')!;
  state.delete('conv_in.weight');
  state.set('head.0.weight', weight);
  expect(() => decodeModel(writeSafetensors(state), 'f')).toThrow(
    /^f: not SRResNet weights: conv_in\.weight is missing, expected \[channels, 3, 9, 9\]\. The file has head\.0\.weight \[2, 3, 9, 9\], [^\n]+ and \d+ more\.$/,
  );
  const other = await stateOf(4);
  const mean = other.get('bn_mid.running_mean')!;
  other.delete('bn_mid.running_mean');
  other.set('bn_mid.moving_mean', mean);
  const attempt = () => decodeModel(writeSafetensors(other), 'f');
  expect(attempt).toThrow(WeightsError);
  expect(attempt).toThrow('f: missing weights: bn_mid.running_mean. The file has bn_mid.moving_mean [2].');
  expect(() => decodeModel(writeSafetensors({}), 'f')).toThrow('The file has no tensors of floats.');
});

test('near are equal shapes and similar names', () => {
  const of = (...shapes: [string, number[]][]) =>
    new Map(shapes.map(([name, shape]) => [name, { shape, data: new Float32Array() }]));
  const tensors = of(
    ['zzz', [4]],
    ['conv.bias', [4]],
    ['convolution.weight', [4, 3, 3, 3]],
    ['body.weight', [4, 4, 3, 3]],
  );
  expect(nearest(tensors, 'conv.weight', ['n', 3, 3, 3], 2)).toBe(
    'convolution.weight [4, 3, 3, 3], body.weight [4, 4, 3, 3] and 2 more',
  );
  expect(nearest(of(['a', []]), 'conv.weight', [1])).toBe('a []');
});

test('the command line says both: a note for prefixes, and the whole program that converts', async () => {
  const folder = temporaryFolder();
  await writePicture(join(folder, 'in.png'), formulaPicture([5, 4, 3, 1]));
  writeFileSync(join(folder, 'net.safetensors'), writeSafetensors(new Map(prefixed(await stateOf(4), 'module.'))));
  const wrapped = await daybreak(['upscale', 'in.png', '-o', 'a.png', '--model', 'net.safetensors'], folder);
  expect(wrapped.code).toBe(0);
  expect(wrapped.stderr).toContain(
    'note: net.safetensors: weights are read without the prefix "module." of their names\n',
  );
  writeFileSync(join(folder, 'net.pth'), Uint8Array.from([...ZIP, ...new Uint8Array(40)]));
  const torch = await daybreak(['upscale', 'in.png', '-o', 'b.png', '--model', 'net.pth'], folder);
  expect(torch.code).toBe(1);
  expect(torch.stderr).toMatch(
    /error: net\.pth: is a PyTorch file.+:\nimport torch.+\nstate = .+\nsafe\.save_file\(.+\)\n$/,
  );
});
