// Mutation testing of what decides: each small change to src/core must make a test fail. `npm run test:mutation`.

// The tests' own TZ does not reach into the worker threads that Stryker makes vitest use.
process.env.TZ = 'Europe/Berlin';

export default {
  mutate: ['src/core/**/*.ts'],
  testRunner: 'vitest',
  vitest: { configFile: 'test/mutation/vitest.config.ts' },
  coverageAnalysis: 'perTest',
  // Stryker would read it with TypeScript's own parser, which TypeScript 7 does not have; there is nothing to rewrite in it.
  tsconfigFile: 'none',
  concurrency: 2,
  // Only what changed is tried again; remove the folder to begin anew.
  incremental: true,
  incrementalFile: '.stryker-tmp/incremental.json',
  tempDirName: '.stryker-tmp',
  reporters: ['clear-text', 'progress-append-only', 'json'],
  jsonReporter: { fileName: '.stryker-tmp/mutation.json' },
  thresholds: { high: 95, low: 90, break: 90 },
};
