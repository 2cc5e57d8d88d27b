import { configDefaults, defineConfig } from 'vitest/config';

/** Seconds for one test of a project, its hooks included. */
const PROJECTS = { unit: 10, workflow: 60, e2e: 120, chaos: 300, engine: 600 };
/** Test files at a time. Most tests wait for other programs; those of `engine` want all cores. */
const FILES_AT_A_TIME = { unit: 4, workflow: 3, e2e: 4, chaos: 4, engine: 1 };
/** What the files of a project share. */
const GLOBAL_SETUP: Record<string, string> = {
  workflow: 'test/workflow/global-setup.ts',
  e2e: 'test/helpers/shared-cluster.ts',
  chaos: 'test/helpers/shared-cluster.ts',
};
/** With the real engine at 8 MiB, for minutes: only in the complete form (`npm run chaos`). */
const COMPLETE_ONLY = 'test/chaos/real-engine/**';

export default defineConfig({
  test: {
    reporters: ['default'],
    pool: 'forks',
    projects: Object.entries(PROJECTS).map(([name, seconds], order) => ({
      extends: true,
      test: {
        name,
        include: [`test/${name}/**/*.test.ts`],
        exclude: [
          ...configDefaults.exclude,
          ...(process.env['SEALFLOW_CHAOS'] === 'complete' ? [] : [COMPLETE_ONLY]),
        ],
        globalSetup: GLOBAL_SETUP[name] ?? [],
        testTimeout: seconds * 1000,
        hookTimeout: seconds * 1000,
        maxWorkers: FILES_AT_A_TIME[name as keyof typeof FILES_AT_A_TIME],
        // Projects run one after the other, the fast ones first.
        sequence: { groupOrder: order },
      },
    })),
  },
});
