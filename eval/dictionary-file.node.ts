/** Dictionaries of example patches as files: safetensors with `low` [count, 7, 7] and `high` [count, 5, 5] in float16. */

import { readFile } from 'node:fs/promises';
import { reasonOf } from '../files/file-error.ts';
import { writeAtomically } from '../files/write.node.ts';
import { ImageError } from '../image/errors.ts';
import { HIGH, HIGH_SIDE, LOW, LOW_SIDE, type PatchDictionary } from '../methods/patch-dictionary.ts';
import { readSafetensors, type StoredTensor, writeSafetensors } from '../models/safetensors.ts';

/** Marks the files. A change of what the numbers mean gets a new version. */
const KIND = 'daybreak-patch-dictionary-1';

/**
 * Writes a dictionary. The same dictionary and notes give the same bytes.
 * @param notes kept as metadata: where the patches come from.
 * @throws FileError if the file cannot be written.
 */
export async function writeDictionary(
  path: string,
  { count, low, high }: PatchDictionary,
  notes: Readonly<Record<string, string>> = {},
): Promise<void> {
  const tensors = {
    low: { shape: [count, LOW_SIDE, LOW_SIDE], data: low },
    high: { shape: [count, HIGH_SIDE, HIGH_SIDE], data: high },
  };
  await writeAtomically(path, writeSafetensors(tensors, { ...notes, kind: KIND }, { dtype: 'F16', file: path }));
}

/** @throws ImageError if the file cannot be read or is no dictionary; SafetensorsError if it is damaged. */
export async function readDictionary(path: string): Promise<PatchDictionary> {
  const bytes = await readFile(path).catch(cause => {
    throw new ImageError(path, `cannot be read: ${reasonOf(cause)}`, { cause });
  });
  const { tensors, metadata } = readSafetensors(bytes, path);
  const [low, high] = [tensors.get('low'), tensors.get('high')];
  const count = low?.shape[0] ?? 0;
  const fits = (tensor: StoredTensor | undefined, side: number) =>
    JSON.stringify(tensor?.shape) === JSON.stringify([count, side, side]);
  if (!low || !high || metadata.kind !== KIND || !fits(low, LOW_SIDE) || !fits(high, HIGH_SIDE)) {
    throw new ImageError(path, 'is not a dictionary made by daybreak dictionary');
  }
  if (!low.data.every(Number.isFinite) || !high.data.every(Number.isFinite)) {
    throw new ImageError(path, 'holds NaN or infinity');
  }
  return { count, low: low.data.subarray(0, count * LOW), high: high.data.subarray(0, count * HIGH) };
}
