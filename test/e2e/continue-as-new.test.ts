/** A workflow that continues as new while engines run: they are adopted, and no work is repeated. */
import { beforeAll, expect, test, vi } from 'vitest';
import { eventually, isAlive } from '../helpers/eventually.js';
import { expectCleaned, expectStored } from '../helpers/on-disk.js';
import { OwnCluster } from '../helpers/own-cluster.js';

vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

let cluster: OwnCluster;

beforeAll(async () => {
  cluster = await OwnCluster.start({ 'limit.historyCount.suggestContinueAsNew': 90 });
  return () => cluster.end();
});

test('a copy continues while P4 fails until the workflow continues as new', async () => {
  const group = await cluster.group();
  await group.host(1);
  await cluster.untilServed(group);
  const sector = cluster.newSector();
  await group.tell(sector, 'P5', 'hold');
  await group.tell(sector, 'P4', 'fail', '*:2:BadInput');
  await cluster.start(group, sector);
  const copy = await group.engine(sector, 'P5');
  const runId = async (): Promise<string> => (await cluster.handle(sector).describe()).runId;
  const first = await runId();

  for (let tries = 1; (await runId()) === first; tries++) {
    await eventually(async () => {
      const { phases } = await cluster.status(sector);
      return phases.P4.tries >= tries && phases.P4.state === 'needs-attention';
    });
    await cluster.sealflow('retry', sector);
  }
  expect(await isAlive(copy.pid)).toBe(true);
  await eventually(async () => (await cluster.watched(sector)).includes('1/P5-1'));

  await group.takeBack(sector, 'P4', 'fail');
  await cluster.sealflow('retry', sector);
  await eventually(async () => (await cluster.status(sector)).phases.P4.state === 'done');
  await group.takeBack(sector, 'P5', 'hold');
  await cluster.sealed(sector);
  for (const phase of ['P1', 'P2', 'P3', 'P5'] as const)
    expect(await group.starts(sector, phase)).toHaveLength(1);
  await expectStored(group.node, [sector]);
  await expectCleaned(group, [sector]);
});
