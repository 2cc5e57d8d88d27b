/**
 * `npm run mutants`: changes the code where decisions are made, in one place at a time; a test must notice each change. Strings are
 * changed too, as states and answers are strings. The rows of `failures.ts` are not (Stryker leaves `as const` alone).
 */
export default {
  mutate: [
    'src/workflows/core/*.ts',
    'src/failures.ts',
    'src/workers/slots.ts',
    'src/sector-directory/inspect-phase.ts',
  ],
  testRunner: 'vitest',
  vitest: { configFile: 'test/mutants/vitest.config.ts', related: false },
  ignorePatterns: ['dist', 'engine', 'docker', 'docs', 'coverage'],
  reporters: ['clear-text', 'progress'],
  clearTextReporter: { logTests: false, reportTests: false },
  // Only mutants that never end run into it, not those of a busy machine.
  timeoutMS: 60_000,
  cleanTempDir: 'always',
  // What survives is named in CONTRIBUTING.md.
  thresholds: { high: 100, low: 99, break: 99 },
};
