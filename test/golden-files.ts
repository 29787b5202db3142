/** The folder of golden values: DAYBREAK_GOLDEN, or the project's own copy. */
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readSafetensors, type SafetensorsFile, type StoredTensor } from '../models/safetensors.ts';

const OWN = fileURLToPath(new URL('golden', import.meta.url));

/** Where golden values are looked for. */
export const GOLDEN = process.env.DAYBREAK_GOLDEN ? resolve(process.env.DAYBREAK_GOLDEN) : OWN;

/** Files of golden values; a folder may hold some of them. */
export const GOLDEN_FILES = ['ops.safetensors', 'models.safetensors', 'real.safetensors'] as const;

/** A file of golden values, or why there is none. */
export function openGolden(name: (typeof GOLDEN_FILES)[number]): SafetensorsFile | string {
  const path = join(GOLDEN, name);
  if (!existsSync(path)) return `${name} is not in the folder of golden values`;
  return readSafetensors(readFileSync(path), path);
}

/** The tensors of a file whose names begin with `prefix`, under the rest of their names. */
export function tensorsUnder(file: SafetensorsFile, prefix: string): Map<string, StoredTensor> {
  return new Map(
    [...file.tensors].flatMap(([name, tensor]) =>
      name.startsWith(prefix) ? [[name.slice(prefix.length), tensor]] : [],
    ),
  );
}

/** A tensor that a file must have. */
export function tensorNamed(file: SafetensorsFile, name: string): StoredTensor {
  const tensor = file.tensors.get(name);
  if (!tensor) throw new Error(`The golden values lack the tensor ${name}.`);
  return tensor;
}
