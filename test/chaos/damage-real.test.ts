/** The damage of damage.test.ts done to a real sector of 2 KiB, by the activities: only the real engine knows what its library overlooks. */
import { copyFile, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { EngineStarter } from '../../src/engines/start.js';
import type { PhaseInput, PhaseResult } from '../../src/contract.js';
import type { EnginePhaseId } from '../../src/phases.js';
import { flip } from '../helpers/damage.js';
import { ENGINE_TIMEOUT_MS, realEngine } from '../helpers/real-engine.js';
import { createTestHost, failureFrom, type TestHost } from '../helpers/test-host.js';
import { temporaryDirectory } from '../helpers/temporary.js';
import { COMPLETE } from './form.js';
import { tally } from './tally.js';

vi.setConfig({ testTimeout: 120_000, hookTimeout: ENGINE_TIMEOUT_MS });

const TREE_D = 'sc-02-data-tree-d.dat';
const LAYERS = ['sc-02-data-layer-1.dat', 'sc-02-data-layer-2.dat'];
const IN_ORDER = [TREE_D, ...LAYERS];

describe.runIf(COMPLETE)('a real sector', () => {
  let starter: EngineStarter;
  let host: TestHost;

  beforeAll(async () => {
    const engine = await realEngine('2KiB');
    starter = new EngineStarter({ command: engine.command, environment: engine.environment });
  });

  beforeEach(async () => {
    reported = {};
    host = await createTestHost();
    // A real engine takes longer to appear than the test engine is given.
    host.seal = { ...host.seal, timeScale: 0.5 };
    host.deps.engines = starter;
  });

  /** Failures that the workflow knows: they are not reported again. */
  let reported: Partial<Record<EnginePhaseId, string>> = {};
  const run = (phase: EnginePhaseId, changes: Partial<PhaseInput> = {}): Promise<PhaseResult> =>
    host.run(phase, { lastReported: reported[phase], ...changes });
  async function seals(...phases: EnginePhaseId[]): Promise<void> {
    for (const phase of phases) host.results[phase] = await run(phase);
  }

  /** The phase must go back to `from`; what that one made is void then, and it is made again: the same. */
  async function expectMended(found: EnginePhaseId, from: EnginePhaseId): Promise<void> {
    tally({ faults: 1 });
    const failed = await failureFrom(run(found));
    expect(failed).toMatchObject({ type: 'StepBack', details: [{ from }] });
    reported[found] = (failed.details as [{ at: string }])[0].at;
    const before = host.results[from];
    const again = await run(from, { invalidated: [before?.at ?? 'none'] });
    expect(again).toMatchObject({ digest: before?.digest });
    expect(again.at).not.toBe(before?.at);
    host.results[from] = again;
  }

  const inode = async (at: string, name: string): Promise<number> => (await stat(host.path(at, name))).ino;

  test.each([
    ['a flipped byte', TREE_D, flip],
    ['a flipped byte', LAYERS[0] ?? '', flip],
    ['a flipped byte', LAYERS[1] ?? '', flip],
    ['half a file', LAYERS[1] ?? '', (path: string) => truncate(path, 1000)],
  ] as const)('%s in %s is found by P2, and P1 keeps what is before it', async (_, name, damage) => {
    await seals('P1');
    const { at } = host.results.P1 ?? { at: '' };
    const before = await Promise.all(IN_ORDER.map((file) => inode(at, file)));
    await damage(host.path(at, name));
    await expectMended('P2', 'P1');
    const now = host.results.P1?.at ?? '';
    for (const [i, file] of IN_ORDER.entries()) {
      expect({ file, kept: (await inode(now, file)) === before[i] }).toEqual({
        file,
        kept: i < IN_ORDER.indexOf(name),
      });
    }
    await seals('P2', 'P3');
  });

  test('layers of another ticket under the right names are found by P2', async () => {
    const { ticket } = host.seal;
    host.seal = { ...host.seal, ticket: 'ee'.repeat(32) };
    const other = await run('P1');
    // Kept aside: superseded attempts give their room back.
    const aside = await temporaryDirectory();
    for (const name of LAYERS) await copyFile(host.path(other.at, name), join(aside, name));
    host.seal = { ...host.seal, ticket };
    await seals('P1');
    const { at } = host.results.P1 ?? { at: '' };
    for (const name of LAYERS) await copyFile(join(aside, name), host.path(at, name));
    await expectMended('P2', 'P1');
    await seals('P2', 'P3');
  });

  test.each(['p_aux', 't_aux'])(
    'a flipped byte in %s is found by P3, and P2 makes the same again',
    async (name) => {
      await seals('P1', 'P2');
      await flip(host.path('1/P2-1', name));
      await expectMended('P3', 'P2');
      await seals('P3', 'P5');
    },
  );

  // P3 proves some nodes only, and may find it or not; P5 reads every byte.
  test.each(['sealed', 'sc-02-data-tree-r-last.dat', 'p_aux', 't_aux'])(
    'a flipped byte in %s is found by P5, and P2 makes the same again',
    async (name) => {
      await seals('P1', 'P2', 'P3');
      await flip(host.path('1/P2-1', name));
      await expectMended('P5', 'P2');
      await seals('P3', 'P5');
    },
  );

  test('a layer that is lost behind P2, which P3 needs, is made again by P1 by way of P2', async () => {
    await seals('P1', 'P2');
    // P2's layers are links to those of P1.
    await truncate(host.path('1/P1-1', LAYERS[0] ?? ''), 0);
    const failed = await failureFrom(run('P3'));
    expect(failed).toMatchObject({ type: 'StepBack', details: [{ from: 'P2' }] });
    reported.P3 = (failed.details as [{ at: string }])[0].at;
    const { commR, at = '' } = host.results.P2 ?? {};
    const unmended = await failureFrom(run('P2', { invalidated: [at] }));
    expect(unmended).toMatchObject({ type: 'StepBack', details: [{ from: 'P1' }] });
    reported.P2 = (unmended.details as [{ at: string }])[0].at;
    host.results.P1 = await run('P1', { invalidated: ['1/P1-1'] });
    await seals('P2', 'P3');
    expect(host.results.P2?.commR).toBe(commR);
  });
});
