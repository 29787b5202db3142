/** `npm run bench -- train` as its users run it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runTypeScript } from '../docs/run.ts';
import { temporaryFolder } from '../eval/temporary.ts';
import { reportSchema } from './report-schema.ts';

test('a step’s row and tables; nothing is allocated after the first', async () => {
  const folder = temporaryFolder();
  const [json, results] = [join(folder, 'rows.json'), join(folder, 'RESULTS.md')];
  const printed = await runTypeScript('bench/main.ts', [
    'train',
    '--samples',
    '1',
    '--json',
    json,
    '--results',
    results,
  ]);
  const report = JSON.parse(readFileSync(json, 'utf8'));
  const [row, ...more] = reportSchema.parse(report).rows;
  expect(more).toEqual([]);
  expect(row).toMatchObject({ pass: 'step', impl: 'daybreak', buffers: 0 });
  expect(row.dispatches).toBe(report.rows[0].profile.dispatches);
  expect(row.gflops! * row.ms).toBeCloseTo(1000 * report.rows[0].profile.convolutionGflop, -1);
  expect(printed).toContain('| step ');
  expect(readFileSync(results, 'utf8')).toContain('## train: ');
});
