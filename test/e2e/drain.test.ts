/**
 * Before a reboot: the host finishes what it runs, takes nothing new, and serves again when its worker restarts.
 */
import { beforeAll, expect, test, vi } from 'vitest';
import { Cluster } from '../helpers/cluster.js';
import { eventually } from '../helpers/eventually.js';
import { expectRefused } from '../helpers/refused.js';
import { startSealflow } from '../helpers/sealflow.js';

vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

let cluster: Cluster;

beforeAll(async () => {
  cluster = await Cluster.join();
  return () => cluster.end();
});

test('drain waits for running engines and takes nothing new', async () => {
  const group = await cluster.group();
  const worker = await group.serve(1);
  await cluster.untilServed(group);
  const [busy, late] = [cluster.newSector(), cluster.newSector()];
  await group.tell(busy, 'P1', 'hold');
  await cluster.start(group, busy);
  await group.engine(busy, 'P1');

  const drain = startSealflow(['drain', '--config', await group.writeConfig(1), '--wait']);
  await drain.until(' P1\n');
  await worker.until('draining: takes nothing new; 1 at work');
  await cluster.start(group, late);
  await group.takeBack(busy, 'P1', 'hold');
  const { code, stdout, stderr } = await drain.ended;
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toMatch(
    /^\S+ takes no new work until its worker is restarted\nrunning: \S+ P1\nno engine of P1 .*P6 runs on \S+\n$/,
  );
  await worker.until('drained: nothing is at work');
  await eventually(async () => (await cluster.status(busy)).phases.P1.state === 'done');
  expect((await cluster.status(busy)).phases.P2).toMatchObject({ state: 'queued' });
  expect(await group.starts(late)).toEqual([]);
  expect(await group.starts(busy)).toHaveLength(1);

  worker.kill('SIGTERM');
  await worker.ended;
  await group.host(1);
  for (const sector of [busy, late]) await cluster.sealed(sector);
});

test('without a matching worker it reports that', async () => {
  const group = await cluster.group();
  const file = await group.writeConfig(1);
  await expectRefused(['drain', '--config', file], 1, [
    `sealflow: no worker uses ${file} on this machine`,
    '  run drain where the worker runs (in its container), with the same file',
  ]);
});
