import { defineConfig } from 'vitest/config';

/**
 * Tests that need no GPU and leave nothing in their process. They share a process and its modules: starting one for each
 * file would take longer than most of them. A file that changes its process (mocks, its folder) is not for this list.
 */
export const PURE = [
  'test/image/**/*.test.ts',
  'test/eval/!(batch|upscale|vgg-distance)?(.long).test.ts',
  'test/cli/{open-method,progress}.test.ts',
  'test/common/{median,text}.test.ts',
  'test/docs/{commands,links,operations}.test.ts',
  'test/engine/{device-losses,lavapipe,lru-cache,philox,plan,shape}.test.ts',
  'test/mos/{analysis,app,statistics,study,votes,wilcoxon}.test.ts',
  'test/models/{interpolate,safetensors}.test.ts',
  'test/train/{config,config-paths,development,event-file,initial-weights,metrics-log}.test.ts',
  'test/train/{next-stop,pictures,report-curves,report-header,report,schedule,skip,variants}.test.ts',
];

// `vitest run` is the quick half of the tests; `--mode long` runs all, with more and larger random problems
// (DAYBREAK_LONG) and what takes minutes (*.long.test.ts).
export default defineConfig(({ mode }) => {
  const long = mode === 'long';
  const patience = long ? 1_800_000 : 120_000;
  const exclude = ['**/node_modules/**', ...(long ? [] : ['test/**/*.long.test.ts'])];
  // Lavapipe takes most of the tests' time for compiling kernels, each of which runs a few times on little data. It
  // compiles faster for 8 lanes than for 16, by texts that differ in that number alone, and faster without LLVM's
  // optimizations. Tests that care ask for the machine's own (`widest`, `optimized` in test/device.ts), `--mode long` does
  // everywhere.
  const driver = { LP_NATIVE_VECTOR_WIDTH: '256', GALLIVM_PERF: 'nopt' };
  return {
    test: {
      // No test depends on what has been tuned on the machine.
      env: { DAYBREAK_TUNED: '', ...(long ? { DAYBREAK_LONG: '1' } : driver) },
      // Processes, so that a crash in a driver is one file's failure, and no more than two at once: each holds a device
      // with memory of its own, and the software driver uses every core for one of them already.
      pool: 'forks',
      maxWorkers: 2,
      testTimeout: patience,
      hookTimeout: patience,
      projects: [
        { extends: true, test: { name: 'pure', include: PURE, exclude, isolate: false } },
        { extends: true, test: { name: 'gpu', include: ['test/**/*.test.ts'], exclude: [...exclude, ...PURE] } },
      ],
    },
  };
});
