/** The results' file: a run replaces its own section and leaves the others. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { withSection, writeSection } from '../../bench/results.ts';
import { figure, markdownTable, percent } from '../../eval/markdown-table.ts';
import { temporaryFolder } from '../eval/temporary.ts';

const section = (benchmark: string, adapter: string, body: string) => ({ benchmark, adapter, body });

const headings = (document: string) => [...document.matchAll(/^## (.*)$/gm)].map(([, heading]) => heading);

test('a run replaces its own section; those of other benchmarks and adapters stay', () => {
  let document = '';
  for (const part of [
    section('train', 'llvmpipe', 'a'),
    section('kernels', 'NVIDIA -- H100', 'b'),
    section('kernels', 'llvmpipe', 'old\n\n| x |\n| --- |'),
    section('kernels', 'llvmpipe', 'new'),
  ])
    document = withSection(document, part);
  expect(headings(document)).toEqual(['kernels: NVIDIA -- H100', 'kernels: llvmpipe', 'train: llvmpipe']);
  expect(document).toContain('\n\nnew\n');
  expect(document).not.toContain('old');
  expect(document.match(/^# /gm)).toHaveLength(1);
});

test('the same run again changes nothing', () => {
  const once = withSection(withSection('', section('train', 'a', 'x')), section('train', 'b', 'y'));
  expect(withSection(once, section('train', 'a', 'x'))).toBe(once);
});

test('the file is made where there is none', async () => {
  const file = join(temporaryFolder(), 'RESULTS.md');
  await writeSection(file, section('train', 'a', 'x'));
  await writeSection(file, section('train', 'b', 'y'));
  expect(headings(readFileSync(file, 'utf8'))).toEqual(['train: a', 'train: b']);
});

test('a table’s columns are as wide as what stands in them', () => {
  const table = markdownTable([{ head: 'work', align: 'left' }, { head: 'ms' }], [['conv', '1.25'], ['b']]);
  expect(table.split('\n')).toEqual(['| work |   ms |', '| ---- | ---: |', '| conv | 1.25 |', '| b    |      |']);
});

test('figures have three digits', () => {
  expect([0.01234, 0.5, 1.234, 12.34, 123.4, 1234.5, 0, null, undefined].map(figure)).toEqual([
    '0.0123',
    '0.500',
    '1.23',
    '12.3',
    '123',
    '1,235',
    '0',
    '',
    '',
  ]);
  expect([percent(0.474), percent(undefined)]).toEqual(['47 %', '']);
});
