import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readDictionary, writeDictionary } from '../../eval/dictionary-file.node.ts';
import { ImageError } from '../../image/errors.ts';
import { HIGH, LOW, type PatchDictionary } from '../../methods/patch-dictionary.ts';
import { SafetensorsError, writeSafetensors } from '../../models/safetensors.ts';
import { temporaryFolder } from './temporary.ts';

/** Numbers that float16 holds exactly. */
const dictionary: PatchDictionary = {
  count: 3,
  low: Float32Array.from({ length: 3 * LOW }, (_, i) => i / 8 - 5),
  high: Float32Array.from({ length: 3 * HIGH }, (_, i) => 3 - i / 16),
};

test('what is written is read, and the bytes are the same each time', async () => {
  const [one, other] = ['one', 'other'].map(name => join(temporaryFolder(), `${name}.safetensors`));
  await writeDictionary(one, dictionary, { seed: '7' });
  await writeDictionary(other, dictionary, { seed: '7' });
  expect(await readDictionary(one)).toEqual(dictionary);
  expect(readFileSync(one)).toEqual(readFileSync(other));
});

test('missing, foreign and damaged files are refused by name', async () => {
  const file = join(temporaryFolder(), 'a.safetensors');
  await expect(readDictionary(file)).rejects.toThrow(`${file}: cannot be read: no such file`);
  const low = { shape: [1, 7, 7], data: new Float32Array(49) };
  const high = { shape: [1, 5, 5], data: new Float32Array(25) };
  const kind = 'daybreak-patch-dictionary-1';
  const foreign: readonly Uint8Array[] = [
    writeSafetensors({ low, high }),
    writeSafetensors({ low, high }, { kind: 'daybreak-patch-dictionary-2' }),
    writeSafetensors({ low }, { kind }),
    writeSafetensors({ low, high: { shape: [25], data: high.data } }, { kind }),
    writeSafetensors({ low, high: { shape: [2, 5, 5], data: new Float32Array(50) } }, { kind }),
  ];
  for (const bytes of foreign) {
    writeFileSync(file, bytes);
    await expect(readDictionary(file)).rejects.toThrow(ImageError);
    await expect(readDictionary(file)).rejects.toThrow(`${file}: is not a dictionary made by daybreak dictionary`);
  }
  high.data[3] = Number.NaN;
  writeFileSync(file, writeSafetensors({ low, high }, { kind }));
  await expect(readDictionary(file)).rejects.toThrow(`${file}: holds NaN or infinity`);
  writeFileSync(file, 'short');
  await expect(readDictionary(file)).rejects.toThrow(SafetensorsError);
});
