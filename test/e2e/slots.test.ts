/** A host with mixed pools never runs more engines than a pool has slots, even when its worker is killed. */
import { beforeAll, expect, test, vi } from 'vitest';
import { Cluster } from '../helpers/cluster.js';
import { eventually } from '../helpers/eventually.js';
import type { Pool } from '../helpers/group.js';
import { sampleEngines } from '../helpers/sampled-engines.js';

vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

const POOLS: readonly Pool[] = [
  [2, 'P1', 'P2', 'P3'],
  [1, 'P4'],
  [2, 'P5', 'P6'],
];

let cluster: Cluster;

beforeAll(async () => {
  cluster = await Cluster.join();
  return () => cluster.end();
});

test('mixed pools fill up, but never exceed their slots', async () => {
  const env = Object.fromEntries(
    ['P1', 'P2', 'P3', 'P4', 'P5'].map((phase) => [`FIXTURE_MS_${phase}`, '200']),
  );
  const group = await cluster.group();
  await group.host(1, { pools: POOLS, engineEnv: env });
  await cluster.untilServed(group);
  const max = sampleEngines(group, POOLS);
  const sectors = Array.from({ length: 8 }, cluster.newSector);
  for (const sector of sectors) await cluster.start(group, sector);
  for (const sector of sectors) await cluster.sealed(sector);
  const [shared, alone, copies = 0] = max();
  expect([shared, alone]).toEqual([2, 1]);
  expect(copies).toBeLessThanOrEqual(2);
});

test('engines left by a killed worker occupy slots of the next one, which adopts them', async () => {
  const group = await cluster.group();
  const worker = await group.serve(1, { pools: POOLS });
  await cluster.untilServed(group);
  const max = sampleEngines(group, POOLS);
  const [first = '', second = '', third = ''] = Array.from({ length: 3 }, cluster.newSector);
  for (const sector of [first, second, third]) await group.tell(sector, 'P1', 'hold');
  for (const sector of [first, second]) await cluster.start(group, sector);
  for (const sector of [first, second]) await group.engine(sector, 'P1');
  worker.kill('SIGKILL');
  await worker.ended;
  // It is queued before the retries of the other two, whose heartbeats have not timed out yet.
  await cluster.start(group, third);
  await group.serve(1, { pools: POOLS });
  await eventually(async () => (await cluster.handBacks(third)).includes('NoSlot'));
  // The Web UI shows what the server has stored.
  expect((await cluster.pending(third, 'P1'))?.lastFailure).toMatchObject({ stackTrace: '', cause: null });
  for (const sector of [first, second])
    await eventually(async () => (await cluster.watched(sector)).includes('1/P1-1'));
  expect(await group.starts(third)).toEqual([]);

  for (const sector of [first, second, third]) await group.takeBack(sector, 'P1', 'hold');
  for (const sector of [first, second, third]) await cluster.sealed(sector);
  expect(await group.starts(first, 'P1')).toHaveLength(1);
  expect(max()[0]).toBe(2);
});
