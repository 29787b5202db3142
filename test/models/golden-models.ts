/** Golden values of whole models, where they are found. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readSafetensors, type SafetensorsFile } from '../../models/safetensors.ts';

const GOLDEN = process.env.DAYBREAK_GOLDEN ?? 'test/golden';

/** A file of the golden folder, or a sentence saying why it cannot be read. */
export function goldenFile(name: string): SafetensorsFile | string {
  const path = join(GOLDEN, name);
  if (!existsSync(path)) return `no ${path}: set DAYBREAK_GOLDEN to the folder that holds it`;
  return readSafetensors(readFileSync(path), path);
}

/** The tensors whose names begin with `prefix`, without it. */
export function tensorsUnder({ tensors }: SafetensorsFile, prefix: string) {
  return new Map(
    [...tensors].flatMap(([name, tensor]) =>
      name.startsWith(prefix) ? [[name.slice(prefix.length), tensor] as const] : [],
    ),
  );
}
