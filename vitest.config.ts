import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { configDefaults, defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { TOGETHER } from './scripts/suites.mjs';

/** For the processes of the tests, which inherit it: hosts in them need the threads that src/cli/sealflow.cts sets for a worker. */
process.env['UV_THREADPOOL_SIZE'] = '64';

/** Seconds for one test of a project, its hooks included. A unit test may start several engines on a busy machine. */
const PROJECTS = { unit: 30, mocks: 30, workflow: 60, e2e: 120, chaos: 300, engine: 600 };
/**
 * Files of test/unit that replace modules have modules of their own (`mocks`). All others share them with the files that ran
 * before in the same process: to load them anew for each was a third of the time.
 */
const MOCKS = readdirSync('test/unit', { recursive: true, encoding: 'utf8' })
  .map((name) => join('test/unit', name))
  .filter((name) => name.endsWith('.test.ts') && readFileSync(name, 'utf8').includes('vi.mock('));
const FILES: Record<string, string[]> = { mocks: MOCKS };
const groupOf = (name: string): number => TOGETHER.findIndex(({ names }) => names.includes(name));
/** What the files of a project share. */
const GLOBAL_SETUP: Record<string, string> = {
  workflow: 'test/workflow/global-setup.ts',
  e2e: 'test/helpers/shared-cluster.ts',
  chaos: 'test/helpers/shared-cluster.ts',
};
/**
 * Only in the complete form (`npm run chaos`, each night): the real engine at 8 MiB, the table of faults and moments, random
 * runs, two versions side by side. Of each kind of fault `npm test` has a test among the other files, or in test/e2e.
 */
const COMPLETE_ONLY = ['real-engine/**', 'matrix/**', 'random.test.ts', 'versions.test.ts'].map(
  (name) => `test/chaos/${name}`,
);

/**
 * Left out by a bare `npm test`, which developers run many times a day: whole programs at work for a minute or more. Each has a quicker
 * relative there, named beside it. `npm test -- all`, as CI runs it, and `npm test -- e2e` leave nothing out.
 */
const NOT_IN_SHORT = [
  'test/unit/activities/kept-logs-crash.test.ts', // kept-logs
  'test/workflow/long-life.test.ts', // e2e/continue-as-new
  'test/e2e/chain-many.test.ts', // chain: one sector at a time
  'test/e2e/commands-processes.test.ts', // commands, in the process of the test
  'test/e2e/dev.test.ts', // engine/dev, with the real engine
  'test/e2e/docs.test.ts', // unit/docs: each command block of the docs is known
  'test/e2e/embedded-server.test.ts', // unit/temporal; nearly all others run on such a server
  'test/e2e/operator.test.ts', // commands
  'test/e2e/seal-on-chain.test.ts', // chain, message
  'test/e2e/slots.test.ts', // unit/workers/slots; priority
  'test/chaos/disk-full.test.ts', // e2e/room
  'test/chaos/{lost-data,outages}.test.ts', // e2e/server-restart, worker-restart, hung-mount; chaos/damage
];

/** Files that mostly wait: begun first, so that they do not wait alone at the end. Vitest takes large files for long ones. */
const WAITING =
  /(chaos\/outages|workflow\/failures|e2e\/(dev|operator|server-restart|slots|worker-restart|wrong-server))\.test/;

class WaitingFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const waits = ({ moduleId }: TestSpecification): boolean => WAITING.test(moduleId);
    return [...sorted.filter(waits), ...sorted.filter((file) => !waits(file))];
  }
}

export default defineConfig({
  test: {
    sequence: { sequencer: WaitingFirst },
    reporters: ['default'],
    // `npm run coverage`: measured and told, nothing is asserted.
    coverage: { provider: 'v8', include: ['src/**/*.ts'], reporter: ['text', 'text-summary'] },
    pool: 'forks',
    projects: Object.entries(PROJECTS).map(([name, seconds]) => ({
      extends: true,
      test: {
        name,
        include: FILES[name] ?? [`test/${name}/**/*.test.ts`],
        isolate: name === 'mocks',
        exclude: [
          ...configDefaults.exclude,
          ...(name === 'unit' ? MOCKS : []),
          ...(process.env['SEALFLOW_CHAOS'] === 'complete' ? [] : COMPLETE_ONLY),
          ...(process.env['SEALFLOW_TESTS'] === 'short' ? NOT_IN_SHORT : []),
        ],
        globalSetup: ['test/helpers/test-run.ts', GLOBAL_SETUP[name] ?? []].flat(),
        testTimeout: seconds * 1000,
        hookTimeout: seconds * 1000,
        maxWorkers: TOGETHER[groupOf(name)]?.files,
        sequence: { groupOrder: groupOf(name) },
      },
    })),
  },
});
