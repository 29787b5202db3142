/** The folder of golden values: DAYBREAK_GOLDEN, or the project's own copy. And how results are compared with them. */
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { sizeOf } from '../engine/basics/shape.ts';
import { type Tensor, tensor } from '../engine/tensor.ts';
import { readSafetensors, type SafetensorsFile, type StoredTensor } from '../models/safetensors.ts';
import { relativeError } from './relative-error.ts';

const OWN = fileURLToPath(new URL('golden', import.meta.url));

/** Where golden values are looked for. */
export const GOLDEN = process.env.DAYBREAK_GOLDEN ? resolve(process.env.DAYBREAK_GOLDEN) : OWN;

/** Files of golden values; a folder may hold some of them. */
export const GOLDEN_FILES = ['ops.safetensors', 'models.safetensors', 'vgg.safetensors', 'real.safetensors'] as const;

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

export const toTensor = ({ data, shape }: StoredTensor, requiresGrad = false): Tensor =>
  tensor(data, shape, { requiresGrad });

/** ‖a − b‖ / ‖b‖ that whole networks may have, and single gradients of the deep ones. */
export const MODEL = 1e-4;
export const GRADIENT = 1e-3;

export function expectClose(got: Float32Array, golden: StoredTensor, tolerance: number, what: string): void {
  expect(got.length, `elements of ${what}`).toBe(sizeOf(golden.shape));
  expect(relativeError(got, golden.data), what).toBeLessThanOrEqual(tolerance);
}

/** Milliseconds that a driver which computes on busy cores may take to compile a whole network's kernels. */
const PATIENCE = 600_000;

/** Runs `define` on a file, or says in the report why it is skipped. */
export function withGolden(name: (typeof GOLDEN_FILES)[number], define: (file: SafetensorsFile) => void): void {
  const file = openGolden(name);
  describe(name, { timeout: PATIENCE }, () => {
    if (typeof file === 'string') test.skip(`skipped: ${file} ${GOLDEN}`, () => {});
    else define(file);
  });
}

/** Runs `define` with the path of a file of trained weights, or says in the report why it is skipped. */
export function withWeights(name: string, define: (path: string) => void): void {
  const folder = process.env.DAYBREAK_WEIGHTS;
  const path = join(folder ?? '', name);
  if (folder && existsSync(path)) {
    define(path);
    return;
  }
  const where = folder ? `not in DAYBREAK_WEIGHTS=${folder}` : 'looked for in DAYBREAK_WEIGHTS, which is not set';
  test.skip(`skipped: ${name} is ${where}`, () => {});
}
