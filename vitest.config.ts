import { defineConfig } from 'vitest/config';

/** Seconds for one test of a project, its hooks included. */
const PROJECTS = { unit: 10, workflow: 60, e2e: 120, engine: 600 };
/** Each test of these starts programs that want all cores. */
const ONE_FILE_AT_A_TIME = ['e2e', 'engine'];

export default defineConfig({
  test: {
    reporters: ['default'],
    pool: 'forks',
    projects: Object.entries(PROJECTS).map(([name, seconds], order) => ({
      extends: true,
      test: {
        name,
        include: [`test/${name}/**/*.test.ts`],
        globalSetup: name === 'workflow' ? ['test/workflow/global-setup.ts'] : [],
        testTimeout: seconds * 1000,
        hookTimeout: seconds * 1000,
        fileParallelism: !ONE_FILE_AT_A_TIME.includes(name),
        // Projects run one after the other, the fast ones first.
        sequence: { groupOrder: order },
      },
    })),
  },
});
