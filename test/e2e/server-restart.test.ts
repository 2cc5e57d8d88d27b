import { beforeAll, expect, test, vi } from 'vitest';
import { OwnCluster } from '../helpers/own-cluster.js';
import { engineRuns } from '../helpers/engine.js';
import { eventually, isAlive } from '../helpers/eventually.js';
import { expectCleaned, expectStored } from '../helpers/on-disk.js';

vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

let cluster: OwnCluster;

beforeAll(async () => {
  cluster = await OwnCluster.start();
  return () => cluster.end();
});

/** Starts a sector whose P1 runs until `hold` is removed. */
async function holdInP1() {
  const group = await cluster.group();
  const worker = await group.serve(1);
  await cluster.untilServed(group);
  const sector = cluster.newSector();
  await group.tell(sector, 'P1', 'hold');
  await cluster.start(group, sector);
  const engine = await group.engine(sector, 'P1');
  return { group, worker, sector, engine };
}

test('a server restart during P1 does not affect the engine or the worker', async () => {
  const { group, worker, sector, engine } = await holdInP1();
  await cluster.stopServer();
  expect(await isAlive(engine.pid)).toBe(true);
  await cluster.restartServer();
  await eventually(async () => (await cluster.status(sector)).phases.P1.state === 'working');
  expect(await isAlive(worker.pid)).toBe(true);

  await group.takeBack(sector, 'P1', 'hold');
  await cluster.sealed(sector);
  expect(await group.starts(sector, 'P1')).toEqual([engine]);
  await expectStored(group.node, [sector]);
  await expectCleaned(group, [sector]);
});

test('a P1 that completes while the server is down is not repeated', async () => {
  const { group, worker, sector, engine } = await holdInP1();
  await cluster.stopServer();
  await group.takeBack(sector, 'P1', 'hold');
  await eventually(async () => (await engineRuns(group.checkpoints)).some(({ what }) => what === 'end'));
  expect(await isAlive(worker.pid)).toBe(true);

  await cluster.restartServer();
  await cluster.sealed(sector);
  expect(await group.starts(sector, 'P1')).toEqual([engine]);
});

test('status and updates report that no orchestrator answers any more', async () => {
  const { group, sector } = { group: await cluster.group(), sector: cluster.newSector() };
  await cluster.start(group, sector);
  await eventually(async () => (await cluster.status(sector)).phases.P1.state === 'queued');
  await cluster.endOrchestrator();
  // The server still lists it as a poller.
  const mend = '  run sealflow orchestrator; see its log if one should be there';
  expect(await cluster.sealflow('status', sector)).toEqual({
    code: 1,
    stdout: '',
    stderr: `sealflow: no orchestrator answers\n${mend}\n`,
  });
  expect(await cluster.sealflow('seed', sector, 'ab'.repeat(32))).toEqual({
    code: 1,
    stdout: '',
    stderr: `sealflow: ${sector}: no orchestrator answers\n${mend}; then give the command again: twice does no harm\n`,
  });
});
