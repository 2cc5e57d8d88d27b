/** What Stryker runs for each mutant: the unit tests that concern the files which it mutates (stryker.config.mjs). */
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: [
      'test/unit/workflows/*.test.ts',
      'test/unit/activities/temporal-failure.test.ts',
      'test/unit/activities/retry-at-server.test.ts',
      'test/unit/workers/{slots*,capacity}.test.ts',
      'test/unit/sector-directory/inspect-phase.test.ts',
    ],
    // The same random events and numbers in each run: whether a mutant is found must not depend on luck.
    env: { SEALFLOW_SEED: '1', SEALFLOW_TEST_SEED: '1', SEALFLOW_STORIES: '50' },
  },
});
