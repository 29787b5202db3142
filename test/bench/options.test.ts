/** The options that all benchmarks take. */
import { join } from 'node:path';
import { Command } from 'commander';
import { expect, test, vi } from 'vitest';
import { addBenchOptions, type BenchOptions, isWanted, publish, resultsFile } from '../../bench/options.ts';
import { RESULTS_FILE } from '../../bench/results.ts';
import { temporaryFolder } from '../eval/temporary.ts';

const parse = (...args: string[]): BenchOptions =>
  addBenchOptions(new Command().exitOverride()).parse(args, { from: 'user' }).opts();

test('whole runs are kept in bench/RESULTS.md, parts of one only where a file is named', () => {
  expect(RESULTS_FILE).toMatch(/bench\/RESULTS\.md$/);
  expect([false, true].map(partial => resultsFile(parse(), partial))).toEqual([RESULTS_FILE, undefined]);
  expect([false, true].map(partial => resultsFile(parse('--no-results'), partial))).toEqual([undefined, undefined]);
  expect([false, true].map(partial => resultsFile(parse('--results', 'x.md'), partial))).toEqual(['x.md', 'x.md']);
});

test('five samples unless said otherwise; --only is a regular expression', () => {
  expect(parse()).toEqual({ samples: 5, tuned: true });
  const options = parse('--samples', '9', '--only', '3x3 .*forward');
  expect(options.samples).toBe(9);
  expect(isWanted(options, 'conv 3x3 64>64 forward')).toBe(true);
  expect(isWanted(options, 'conv 9x9 64>3 forward')).toBe(false);
  expect(isWanted(parse(), 'anything')).toBe(true);
});

test('a file that cannot be written does not cost a run its tables', async () => {
  const printed = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  try {
    const rate = { gflops: 1, gflops_cpu: 1 };
    const report = {
      adapter: { vendor: 'v', architecture: 'a', device: 'd', description: 'x', software: true, tuned: false },
      ceiling: { ...rate, gbps: 1, gbps_cpu: 1, unknown_turns: rate },
      rows: [],
    };
    const json = join(temporaryFolder(), 'no such folder', 'rows.json');
    const publication = { benchmark: 'kernels', report, body: 'THE TABLES', partial: true };
    await expect(publish({ samples: 5, json }, publication)).rejects.toThrow('ENOENT');
    expect(printed.mock.calls.flat().join('')).toContain('THE TABLES');
  } finally {
    printed.mockRestore();
  }
});
