/** Declarations and specifications: each has the other, and no two are of one name. */
import { expect, test } from 'vitest';
import { type Declaration, declarations } from '../../engine/define.ts';
import { specified, specifiedBy } from './specified.ts';

test('every operation that is declared is specified, once, and every specified one is declared', () => {
  const operations = specified.flatMap(({ operation }) => (operation ? [operation] : []));
  const names = (some: readonly Declaration[]) => some.map(({ name }) => name);
  expect(names(declarations().filter(operation => !operations.includes(operation)))).toEqual([]);
  expect(names(operations.filter(operation => !declarations().includes(operation)))).toEqual([]);
  expect(operations).toHaveLength(declarations().length);
});

test('no two are of one name', () => {
  const names = specified.map(({ name }) => name);
  expect(names).toEqual([...new Set(names)].sort());
});

test('those of the kernels and of the trainer are among them', () => {
  for (const name of ['add', 'conv2d', 'batchNorm', 'normalizeByBatch', 'adam', 'replaceUnless', 'crops'])
    expect(specifiedBy(name).samples).not.toHaveLength(0);
});
