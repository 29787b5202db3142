import { defineConfig } from 'vitest/config';
import { ALIAS, PURE } from './vitest.config.ts';

/** What takes long for what it tells of a mutant: memory, threads, whole formats. */
const SLOW = [
  'test/docs/**',
  'test/image/{codec-formats,encode-aside,files,format-kinds,hostile-pictures,png-kinds,resize-strips,synthetic}*.test.ts',
  'test/train/pictures.test.ts',
];

/**
 * The tests that judge mutants (`stryker.config.mjs`): those that need no GPU and no process of their own, or those that
 * the variable MUTATE_TESTS names, separated by commas: the ones nearest to the mutated files answer in seconds.
 */
export default defineConfig({
  test: {
    alias: ALIAS,
    include: process.env.MUTATE_TESTS?.split(',') ?? PURE,
    exclude: ['**/node_modules/**', '**/*.long.test.ts', ...SLOW],
    env: { DAYBREAK_TUNED: '' },
    testTimeout: 60_000,
  },
});
