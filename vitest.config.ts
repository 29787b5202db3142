import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/** The package's own names mean the sources here, as `paths` says in tsconfig.json. */
export const ALIAS = [
  ['#gpu', 'engine/device/gpu.node.ts'],
  ['#codec', 'image/codec.node.ts'],
  ['daybreak', 'index.ts'],
  ['daybreak/train', 'train/index.node.ts'],
  ...['bench', 'eval', 'extend', 'image', 'models', 'nn'].map(room => [`daybreak/${room}`, `${room}/index.ts`]),
].map(([name, file]) => ({
  find: new RegExp(`^${name}$`),
  replacement: fileURLToPath(new URL(file, import.meta.url)),
}));

/**
 * Golden values of large networks at small sizes: the fast kernels' long texts take much longer to compile than the plain
 * ones' take to run. `--mode long` runs them with the fast ones; test/golden.test.ts always does.
 */
export const PLAIN = ['test/golden-{discriminator,srgan,vgg19}.test.ts'];

/**
 * Tests that need no GPU and leave nothing in their process. They share a process and its modules: starting one for each
 * file would take longer than most of them. A file that changes its process (mocks, its folder) is not for this list.
 */
export const PURE = [
  'test/image/**/*.test.ts',
  'test/eval/!(batch|upscale|vgg-distance)?(.long).test.ts',
  'test/cli/{open-method,progress}.test.ts',
  'test/common/{median,text}.test.ts',
  'test/docs/{api,commands,errors,links,networks,operations}.test.ts',
  'test/engine/{device-losses,lavapipe,lru-cache,philox,plan,shape}.test.ts',
  'test/mos/{analysis,app,statistics,study,votes,wilcoxon}.test.ts',
  'test/models/{interpolate,safetensors}.test.ts',
  'test/methods/**/!(*.long).test.ts',
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
  // Every project has all of it: with `extends` the file would be read again for each, without the mode.
  const common = {
    alias: ALIAS,
    // Processes, so that a crash in a driver is one file's failure.
    pool: 'forks' as const,
    testTimeout: patience,
    hookTimeout: patience,
  };
  // No test depends on what has been tuned on the machine.
  const env = { DAYBREAK_TUNED: '', ...(long ? { DAYBREAK_LONG: '1' } : driver) };
  return {
    test: {
      // No more than two processes at once: each holds a device with memory of its own, and the software driver uses every
      // core for one of them already.
      maxWorkers: 2,
      projects: [
        { test: { ...common, env, name: 'pure', include: PURE, exclude, isolate: false } },
        {
          test: {
            ...common,
            env: long ? env : { ...env, DAYBREAK_KERNELS: 'plain' },
            name: 'plain',
            include: PLAIN,
            exclude: [...exclude, ...PURE],
          },
        },
        {
          test: {
            ...common,
            env,
            name: 'gpu',
            include: ['test/**/*.test.ts'],
            exclude: [...exclude, ...PURE, ...PLAIN],
          },
        },
      ],
    },
  };
});
