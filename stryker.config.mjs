/**
 * Mutation testing of what needs no GPU: `npm run mutate`, or of single files `npm run mutate -- --mutate image/metrics.ts`.
 * Every mutant changes one expression; a test should fail. Scores: docs/architecture.md.
 * @type {import('@stryker-mutator/api/core').PartialStrykerOptions}
 */
export default {
  testRunner: 'vitest',
  plugins: ['@stryker-mutator/vitest-runner'],
  vitest: { configFile: 'vitest.mutate.config.ts' },
  mutate: [
    'image/{colour,daala,filter,losses,metrics,orientation,picture,plane,png-header,png-rows,resize,resize-taps,surround}.ts',
    'image/{colours,metadata}/*.ts',
    'eval/{alpha,comparison-region,layout,plan-batch.node,protocols,result-name,result-size,texture,tiles,windows}.ts',
    'common/{median,text}.ts',
    'train/{schedule,skip,variants}.ts',
    'train/run/next-stop.ts',
    'train/config/*.ts',
    '!image/**/*.node.ts',
  ],
  // Messages are for the tests of the commands; a changed word in one is no fault of a computation.
  mutator: { excludedMutations: ['StringLiteral'] },
  coverageAnalysis: 'perTest',
  // Mutants that run when a module is loaded would take all tests each.
  ignoreStatic: true,
  concurrency: 2,
  timeoutMS: 5_000,
  tempDirName: '.cache/stryker',
  ignorePatterns: ['bench/results', 'shared', '.cache'],
  reporters: ['clear-text', 'json'],
  jsonReporter: { fileName: '.cache/mutation.json' },
  clearTextReporter: { allowColor: false, logTests: false, reportTests: false },
};
