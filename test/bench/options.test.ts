/** The options that all benchmarks take. */
import { Command } from 'commander';
import { expect, test } from 'vitest';
import { addBenchOptions, type BenchOptions, isWanted, resultsFile } from '../../bench/options.ts';
import { RESULTS_FILE } from '../../bench/results.ts';

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
