import { defineConfig } from 'vitest/config';

// `vitest run` is the quick half of the tests; `--mode long` runs all, with more and larger random problems
// (DAYBREAK_LONG) and what takes minutes (*.long.test.ts).
export default defineConfig(({ mode }) => {
  const long = mode === 'long';
  const patience = long ? 1_800_000 : 120_000;
  return {
    test: {
      include: ['test/**/*.test.ts'],
      exclude: ['**/node_modules/**', ...(long ? [] : ['test/**/*.long.test.ts'])],
      // No test depends on what has been tuned on the machine. Kernels for 16 lanes take lavapipe twice as long to compile
      // as those for 8, and are the same text but for that number: tests that care ask for what the machine has
      // (`widest` in test/device.ts), `--mode long` does everywhere.
      env: { DAYBREAK_TUNED: '', ...(long ? { DAYBREAK_LONG: '1' } : { LP_NATIVE_VECTOR_WIDTH: '256' }) },
      // A process for each file, so that a crash in a driver is one file's failure, and no more than two at once: each
      // holds a device with memory of its own, and the software driver uses every core for one of them already.
      pool: 'forks',
      maxWorkers: 2,
      testTimeout: patience,
      hookTimeout: patience,
    },
  };
});
