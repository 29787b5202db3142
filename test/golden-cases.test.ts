/** Single operations and their gradients against PyTorch (golden/operations.py), edge inputs among them. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { readSafetensors } from '../models/safetensors.ts';
import { sharedDevice } from './device.ts';
import { type Comparison, checkCase } from './golden-case.ts';
import { expectClose } from './golden-files.ts';
import { callGolden, type GoldenCase } from './golden-operations.ts';
import { worstElementError } from './relative-error.ts';

sharedDevice();

const file = readSafetensors(readFileSync(fileURLToPath(new URL('golden/operations.safetensors', import.meta.url))));
const cases = JSON.parse(file.metadata.cases ?? '[]') as readonly GoldenCase[];

const NEAR = 1e-5;

/** All elements are near, the small ones too: numbers below 1e-6, which PyTorch's formulas cancel to, up to 1e-11. */
const elementwise: Comparison = (got, golden, tolerance, what) => {
  expectClose(got, golden, tolerance, what);
  expect(worstElementError(got, golden.data, 1e-6), what).toBeLessThanOrEqual(tolerance);
};

test('there are cases', () => {
  expect(cases.length).toBeGreaterThan(100);
});

test.each(cases.map(one => [one.name, one] as const))('%s', (_, one) => {
  const call: Parameters<typeof checkCase>[3] = inputs =>
    callGolden(one, Object.fromEntries(one.inputs.map((name, i) => [name, inputs[i]])));
  return checkCase(file, one, NEAR, call, undefined, /edges|ties/.test(one.name) ? elementwise : expectClose);
});
