import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { operationsDocument } from '../../scripts/operations-table.ts';
import { specified } from '../kernels/specified.ts';

const written = readFileSync(new URL('../../docs/operations.md', import.meta.url), 'utf8');

test('docs/operations.md is up to date', () => {
  expect(written, 'run: npm run docs').toBe(operationsDocument());
});

test('every operation has its row', () => {
  const rows = [...written.matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name);
  expect(rows.sort()).toEqual(specified.map(({ name }) => name).sort());
});
