import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { UPSCALERS } from '../../models/networks.ts';
import { networksDocument } from '../../scripts/networks-table.ts';
import { parseConfig } from '../../train/config/config.ts';

test('docs/networks.md is up to date', () => {
  const written = readFileSync(new URL('../../docs/networks.md', import.meta.url), 'utf8');
  expect(written, 'run: npm run docs').toBe(networksDocument());
});

test('every recipe is a valid configuration, and has the options it names', () => {
  for (const { name, recipe } of UPSCALERS)
    expect(parseConfig({ model: name, data: 'synthetic', out: 'run' })).toMatchObject(recipe.options);
});
