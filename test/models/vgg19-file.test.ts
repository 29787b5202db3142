import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readSafetensors, SafetensorsError, type WritableTensor, writeSafetensors } from '../../models/safetensors.ts';
import { loadVgg19 } from '../../models/vgg19.node.ts';
import { vgg19Random } from '../../models/vgg19.ts';
import { VggError } from '../../models/vgg19-error.ts';
import { decodeVgg19 } from '../../models/vgg19-file.ts';
import { VGG_INPUTS } from '../../models/vgg19-input.ts';
import { sharedDevice } from '../device.ts';
import { temporaryFolder } from '../eval/temporary.ts';

sharedDevice();

/** Weights up to conv2_2. */
async function weights(): Promise<Map<string, WritableTensor>> {
  using vgg = vgg19Random({ widths: [2, 3], seed: 1 });
  return new Map(await vgg.stateDict());
}

const zeros = (...shape: number[]): WritableTensor => ({
  shape,
  data: new Float32Array(shape.reduce((a, b) => a * b, 1)),
});

describe('reading', () => {
  test('a file without metadata is torchvision’s; its classifier is ignored', async () => {
    const state = await weights();
    const bytes = writeSafetensors({
      ...Object.fromEntries(state),
      'classifier.0.weight': zeros(4, 4),
      'head.fc.weight': zeros(4, 4),
      'pre_logits.fc1.bias': zeros(4),
    });
    using vgg = decodeVgg19(bytes);
    expect([vgg.input, vgg.paddingMode, vgg.widths]).toEqual([VGG_INPUTS.imagenet, 'zeros', [2, 2, 3, 3]]);
    expect(vgg.layers).toEqual(['conv1_1', 'conv1_2', 'conv2_1', 'conv2_2']);
    expect(new Map(await vgg.stateDict())).toEqual(state);
  });

  test('what metadata state holds, what is asked for holds more', async () => {
    const bytes = writeSafetensors(await weights(), {
      input_max: '255',
      input_mean: '[1, 2, 3]',
      input_std: '[4,5,6]',
      padding_mode: 'reflect',
    });
    using stated = decodeVgg19(bytes);
    expect([stated.input, stated.paddingMode]).toEqual([{ max: 255, mean: [1, 2, 3], std: [4, 5, 6] }, 'reflect']);
    using asked = decodeVgg19(bytes, 'f', { input: 'signed', paddingMode: 'zeros' });
    expect([asked.input, asked.paddingMode]).toEqual([VGG_INPUTS.signed, 'zeros']);
  });

  test('one key of three is enough', async () => {
    using vgg = decodeVgg19(writeSafetensors(await weights(), { input_max: '1' }));
    expect(vgg.input).toEqual(VGG_INPUTS.unit);
  });

  test('float16 is read as the numbers that it holds', async () => {
    const bytes = writeSafetensors(await weights(), {}, { dtype: 'F16' });
    using vgg = decodeVgg19(bytes);
    const { tensors } = readSafetensors(bytes);
    for (const [name, { data }] of await vgg.stateDict()) expect(data, name).toEqual(tensors.get(name)!.data);
  });

  test('any number of layers from the first on, each with its own number of maps', async () => {
    const bytes = writeSafetensors({
      'features.0.weight': zeros(4, 3, 3, 3),
      'features.0.bias': zeros(4),
      'features.2.weight': zeros(7, 4, 3, 3),
      'features.2.bias': zeros(7),
      'features.5.weight': zeros(1, 7, 3, 3),
      'features.5.bias': zeros(1),
    });
    using vgg = decodeVgg19(bytes);
    expect(vgg.widths).toEqual([4, 7, 1]);
    expect([vgg.has(2, 1), vgg.has(2, 2)]).toEqual([true, false]);
  });
});

describe('refused, naming the file and leaving no memory behind', () => {
  const changed = async (
    change: (state: Map<string, WritableTensor>) => unknown,
    metadata: Record<string, string> = {},
  ) => {
    const state = await weights();
    change(state);
    return writeSafetensors(state, metadata);
  };
  const stated = (metadata: Record<string, string>) => () => changed(() => {}, metadata);
  const refused: [string, () => Promise<Uint8Array>, string][] = [
    [
      'no convolution at all',
      async () => writeSafetensors({ 'conv_in.weight': zeros(2, 3, 3, 3) }),
      'not VGG19 weights: features.0.weight is missing. Use torchvision’s',
    ],
    [
      'a hole',
      () => changed(state => [state.delete('features.2.weight'), state.delete('features.2.bias')]),
      'not VGG19 weights: features.5.bias does not belong to its first 1 convolutions',
    ],
    [
      'another column',
      () => changed(state => state.set('features.3.weight', zeros(4))),
      'not VGG19 weights: features.3.weight does not belong to its first 4 convolutions',
    ],
    [
      'a missing bias',
      () => changed(state => state.delete('features.5.bias')),
      'not VGG19 weights: missing weights: features.5.bias.',
    ],
    [
      'channels that do not fit',
      () => changed(state => state.set('features.5.weight', zeros(3, 4, 3, 3))),
      'not VGG19 weights: features.5.weight is [3, 4, 3, 3], expected [maps, 2, 3, 3].',
    ],
    [
      'an input of one channel',
      () => changed(state => state.set('features.0.weight', zeros(2, 1, 3, 3))),
      'not VGG19 weights: features.0.weight is [2, 1, 3, 3], expected [maps, 3, 3, 3].',
    ],
    [
      'a mean that is none',
      stated({ input_mean: '[1,2]' }),
      'metadata "input_mean": expected a list of three numbers (RGB), got [1,2].',
    ],
    ['a range that is none', stated({ input_max: '0' }), 'metadata "input_max": expected a number above 0, got 0.'],
    [
      'a deviation of 0',
      stated({ input_std: '[1,0,1]' }),
      'metadata "input_std": expected numbers above 0, got [1,0,1].',
    ],
    ['damaged metadata', stated({ input_std: '[1' }), 'metadata "input_std" is not JSON: [1.'],
    [
      'unknown padding',
      stated({ padding_mode: 'circular' }),
      'metadata "padding_mode": expected zeros or reflect, got "circular".',
    ],
  ];
  test.each(refused)('%s', async (_, make, message) => {
    const bytes = await make();
    expect(() => decodeVgg19(bytes, 'vgg.bin')).toThrow(VggError);
    expect(() => decodeVgg19(bytes, 'vgg.bin')).toThrow(`vgg.bin: ${message}`);
    expect(() => decodeVgg19(bytes, 'vgg.bin')).toThrow(/^[^\n]*$/);
  });

  test('a file that is no safetensors', () => {
    expect(() => decodeVgg19(new Uint8Array(3), 'vgg.bin')).toThrow(SafetensorsError);
  });
});

describe('from a disk', () => {
  test('a file is read', async () => {
    const path = join(temporaryFolder(), 'vgg.safetensors');
    writeFileSync(path, writeSafetensors(await weights()));
    using vgg = await loadVgg19(path, { input: 'unit' });
    expect([vgg.widths, vgg.featureScale]).toEqual([[2, 2, 3, 3], 0.5]);
  });

  test('a file that is missing, or none given: where one is from and how to pass it', async () => {
    const path = join(temporaryFolder(), 'nothing.safetensors');
    await expect(loadVgg19(path)).rejects.toThrow(VggError);
    await expect(loadVgg19(path)).rejects.toThrow(
      `${path}: cannot be read: no such file or folder (ENOENT). Use torchvision’s`,
    );
    await expect(loadVgg19(undefined)).rejects.toThrow(VggError);
    await expect(loadVgg19(undefined)).rejects.toThrow(/timm\/vgg19\.tv_in1k.*--vgg FILE\.$/);
  });
});
