/** Before a reboot: the host finishes what it runs and takes nothing new, until it is told to serve again. */
import { beforeAll, expect, test, vi } from 'vitest';
import { Cluster } from '../helpers/cluster.js';
import { eventually, isAlive } from '../helpers/eventually.js';
import { command } from '../helpers/in-process.js';
import { expectForms } from '../helpers/json-forms.js';
import { startSealflow } from '../helpers/sealflow.js';

vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

let cluster: Cluster;

beforeAll(async () => {
  cluster = await Cluster.join();
  return () => cluster.end();
});

test('drain waits for running engines; the host takes nothing new until undrain, whatever restarts', async () => {
  const group = await cluster.group();
  const worker = await group.serve(1);
  await cluster.untilServed(group);
  const [busy, late] = [cluster.newSector(), cluster.newSector()];
  await group.tell(busy, 'P1', 'hold');
  await cluster.start(group, busy);
  await group.engine(busy, 'P1');

  const file = await group.writeConfig(1);
  const drain = startSealflow(['drain', '--config', file, '--wait']);
  await drain.until(' P1\n');
  await worker.until('drained since ');
  await cluster.start(group, late);
  await group.takeBack(busy, 'P1', 'hold');
  const { code, stdout, stderr } = await drain.ended;
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toMatch(
    /^\S+ is drained: it takes no new work until sealflow undrain\nrunning: \S+ P1\nno engine of P1 .*P6 runs on \S+\n$/,
  );
  await eventually(async () => (await cluster.status(busy)).phases.P1.state === 'done');
  expect((await cluster.status(busy)).phases.P2).toMatchObject({ state: 'queued' });
  expect(await group.starts(late)).toEqual([]);
  expect(await group.starts(busy)).toHaveLength(1);
  const drained = new RegExp(String.raw`; ${group.ip(1)}: drained since \d\d:\d\dZ$`, 'm');
  for (const sector of [busy, late])
    await eventually(async () => drained.test((await cluster.sealflow('status', sector)).stdout));

  worker.kill('SIGTERM');
  await worker.ended;
  const next = await group.start(1);
  await next.until(`INFO  serves nothing: drained since `);
  await eventually(async () => (await command(['health', '--config', file])).code === 0);
  expect((await command(['health', '--config', file])).stdout).toMatch(/ serves nothing: drained since \S+ /);
  expect(await group.starts(late)).toEqual([]);

  expect(await command(['undrain', '--config', file])).toEqual({
    code: 0,
    stdout: `${group.ip(1)} is no longer drained\n`,
    stderr: '',
  });
  await next.until(`INFO  serves P1 P2 P3 P4 P5 P6`);
  for (const sector of [busy, late]) await cluster.sealed(sector);
});

test('a drained host starts no engine for the sector whose engine it has just ended', async () => {
  const group = await cluster.group();
  const worker = await group.serve(1);
  await cluster.untilServed(group);
  const sector = cluster.newSector();
  await group.tell(sector, 'P4', 'hold');
  await cluster.start(group, sector);
  const engine = await group.engine(sector, 'P4');
  await command(['drain', '--config', await group.writeConfig(1)]);
  await worker.until('drained since ');
  expect((await cluster.sealflow('retry', sector, '--from', 'P4')).code).toBe(0);
  await eventually(async () => !(await isAlive(engine.pid)));
  // Either its queue was still asked, or nobody asks it: in both cases this waits, and nothing is started here.
  await eventually(async () => (await cluster.handBacks(sector)).includes('Drained'));
  expect(await group.starts(sector, 'P4')).toHaveLength(1);

  await group.takeBack(sector, 'P4', 'hold');
  await command(['undrain', '--config', await group.writeConfig(1)]);
  await cluster.sealed(sector);
});

test('a host whose worker does not run is drained from its next start on', async () => {
  const group = await cluster.group();
  const file = await group.writeConfig(1);
  expect(await command(['drain', '--config', file])).toEqual({
    code: 0,
    stdout:
      `${group.ip(1)} is drained: it takes no new work until sealflow undrain\n` +
      `no worker of this user uses ${file} on this machine; one elsewhere, in a container, notices within its wait_sec\n`,
    stderr: '',
  });
  const worker = await group.start(1);
  await worker.until(`serves nothing: drained since `);
});

test('drain and undrain say the same as JSON: what was changed, who was told, what is still at work', async () => {
  const group = await cluster.group();
  await group.serve(1);
  await cluster.untilServed(group);
  const sector = cluster.newSector();
  await group.tell(sector, 'P1', 'hold');
  await cluster.start(group, sector);
  await group.engine(sector, 'P1');

  const config = ['--config', await group.writeConfig(1), '--json'];
  const host = group.ip(1);
  const drain = startSealflow(['drain', ...config, '--wait']);
  await drain.until('"running":[{');
  await group.takeBack(sector, 'P1', 'hold');
  const { code, stdout } = await drain.ended;
  expect(code).toBe(0);
  expect(expectForms('drain', stdout)).toEqual([
    { host, drained: true, changed: true, noticed: true },
    { host, running: [{ sector, phase: 'P1' }] },
    { host, running: [] },
  ]);
  const again = await command(['drain', ...config]);
  expect(expectForms('drain', again.stdout)).toEqual([
    { host, drained: true, changed: false, noticed: true },
  ]);

  for (const changed of [true, false]) {
    const { stdout: said } = await command(['undrain', ...config]);
    expect(expectForms('undrain', said)).toEqual([{ host, drained: false, changed, noticed: true }]);
  }
  await cluster.sealed(sector);
});
