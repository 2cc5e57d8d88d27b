/** Damage is found by digests, and the earliest phase that repairs it runs again. */
import { readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { readJson } from '../../../src/files.js';
import type { EnginePhaseId } from '../../../src/phases.js';
import { flip } from '../../helpers/damage.js';
import { createTestHost, failureFrom, type TestHost } from '../../helpers/test-host.js';

let host: TestHost;
beforeEach(async () => {
  host = await createTestHost();
});

async function expectStepBack(phase: EnginePhaseId, from: EnginePhaseId, at?: string): Promise<void> {
  const thrown = await failureFrom(host.run(phase));
  expect(thrown).toMatchObject({
    type: 'StepBack',
    nonRetryable: true,
    details: [{ from, ...(at && { at }) }],
  });
  expect(thrown.message).not.toBe('');
}

describe('one flipped bit', () => {
  test.each(['sc-02-data-layer-1.dat', 'sc-02-data-layer-2.dat', 'sc-02-data-tree-d.dat'])(
    'in %s is found by P2, and P1 mends it',
    async (name) => {
      await host.seals('P1', 'P2');
      const { P1, P2 } = host.results;
      await flip(host.path('1/P1-1', name), 1000);
      host.results.P2 = undefined;
      const failed = await failureFrom(host.run('P2', { invalidated: ['1/P2-1'] }));
      expect(failed).toMatchObject({ type: 'StepBack', details: [{ from: 'P1', at: '1/P2-2' }] });
      // As the workflow does: results that depend on the damaged one are invalidated too.
      host.results.P1 = await host.run('P1', { invalidated: ['1/P1-1'] });
      expect(host.results.P1).toMatchObject({ at: '1/P1-2', digest: P1?.digest });
      const repeated = await host.run('P2', { invalidated: ['1/P2-1'], lastReported: '1/P2-2' });
      expect(repeated).toMatchObject({ at: '1/P2-3', commR: P2?.commR, digest: P2?.digest });
    },
  );

  test.each(['sealed', 'p_aux', 't_aux', 'sc-02-data-tree-r-last.dat'])(
    'in %s is found by P5, and P2 mends it',
    async (name) => {
      await host.seals('P1', 'P2');
      const { P2 } = host.results;
      await flip(host.path('1/P2-1', name));
      await expectStepBack('P5', 'P2', '1/P5-1');
      expect(await readdir(join(host.node, '.sealflow'))).toEqual([]);
      host.results.P2 = await host.run('P2', { invalidated: ['1/P2-1'] });
      expect(host.results.P2).toMatchObject({ at: '1/P2-2', digest: P2?.digest });
      expect((await host.run('P5', { lastReported: '1/P5-1' })).at).toBe('1/P5-2');
    },
  );

  test('in the replica is found by P3', async () => {
    await host.seals('P1', 'P2');
    await flip(host.path('1/P2-1', 'sealed'));
    await expectStepBack('P3', 'P2', '1/P3-1');
  });

  test('in the vanilla proofs is found by P4', async () => {
    await host.seals('P1', 'P2', 'P3');
    await flip(host.path('1/P3-1', 'commit-phase1.json'));
    await expectStepBack('P4', 'P3', '1/P4-1');
  });
});

describe('an input', () => {
  const cases: [EnginePhaseId, EnginePhaseId][] = [
    ['P2', 'P1'],
    ['P3', 'P2'],
    ['P4', 'P2'],
    ['P4', 'P3'],
    ['P5', 'P2'],
  ];

  test.each(cases)(
    'of %s, the result of %s, that is gone is reported, and no engine starts',
    async (phase, from) => {
      await host.seals('P1', 'P2', 'P3');
      const before = await host.started();
      host.hurry();
      await rm(host.path(`1/${from}-1`, 'result.json'));
      await expectStepBack(phase, from);
      expect(await host.started()).toEqual(before);
    },
  );

  test.each(cases)('of %s, the attempt of %s, that is gone is reported', async (phase, from) => {
    await host.seals('P1', 'P2', 'P3');
    host.hurry();
    await rename(host.path(`1/${from}-1`), host.path(`1/gone-${from}-1`));
    await expectStepBack(phase, from);
  });

  test.each(cases)('of %s, the result of %s, that has changed is reported', async (phase, from) => {
    await host.seals('P1', 'P2', 'P3');
    const path = host.path(`1/${from}-1`, 'result.json');
    const result = (await readJson(path)) as { outputs: object };
    await writeFile(path, JSON.stringify({ ...result, outputs: { ...result.outputs, more: 1 } }));
    await expectStepBack(phase, from);
  });

  test('that is empty or truncated is reported', async () => {
    await host.seals('P1');
    host.hurry();
    for (const text of ['', '{"v":1,']) {
      await writeFile(host.path('1/P1-1', 'result.json'), text);
      await expectStepBack('P2', 'P1');
    }
  });

  test('with changed facts still counts as the same', async () => {
    await host.seals('P1');
    const path = host.path('1/P1-1', 'result.json');
    const result = (await readJson(path)) as { facts: object };
    await writeFile(
      path,
      JSON.stringify({ ...result, facts: { ...result.facts, seconds: 99, host: '10.0.0.9' } }),
    );
    expect((await host.run('P2')).at).toBe('1/P2-1');
  });
});

test('after the whole directory was lost, names do not come again: what is said of the old attempts is not said of the new', async () => {
  await host.seals('P1', 'P2');
  const { P2 } = host.results;
  await rm(host.directory, { recursive: true });
  const lost = { claim: 2, invalidated: ['1/P2-1', '1/P1-1'], lastReported: '1/P3-1' };
  host.results.P1 = await host.run('P1', lost);
  expect(host.results.P1.at).toBe('2/P1-1');
  host.results.P2 = await host.run('P2', lost);
  expect(host.results.P2).toMatchObject({ at: '2/P2-1', commR: P2?.commR });
  expect(await host.started()).toEqual(['1/P1-1', '1/P2-1', '2/P1-1', '2/P2-1']);
});
