import { hostname } from 'node:os';
import { beforeAll, expect, test, vi } from 'vitest';
import { PHASE_IDS } from '../../src/phases.js';
import { VERSION } from '../../src/version.js';
import { freePort } from '../../src/temporal/embedded/ports.js';
import { Cluster } from '../helpers/cluster.js';
import { eventually } from '../helpers/eventually.js';
import { expectRefused } from '../helpers/refused.js';
import { command } from '../helpers/in-process.js';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

let cluster: Cluster;

beforeAll(async () => {
  cluster = await Cluster.join();
  return () => cluster.end();
});

test('a worker is healthy when the server has seen it poll', async () => {
  const group = await cluster.group();
  const queue = `sealflow/${group.number}/control`;
  const file = await group.writeConfig(1);
  await expectRefused(['health', '--config', file], 1, [
    `sealflow: the server knows no worker of ${group.ip(1)} (queue ${queue})`,
    '  start it, or see its log; it counts from its first poll on',
  ]);

  const worker = await group.serve(1);
  await eventually(async () => (await command(['health', '--config', file])).code === 0);
  const healthy = await command(['health', '--config', file]);
  expect(healthy).toMatchObject({ code: 0, stderr: '' });
  expect(healthy.stdout).toMatch(
    new RegExp(
      `^${group.ip(1)}#${worker.pid} \\(sealflow ${VERSION}\\) polled [0-9]+ s ago \\(queue ${queue}\\)\n` +
        `worker ${worker.pid} serves P1 P2 P3 P4 P5 P6\n$`,
    ),
  );
  const { worker: told } = JSON.parse((await command(['health', '--config', file, '--json'])).stdout) as {
    worker: unknown;
  };
  expect(told).toEqual({
    pid: worker.pid,
    version: VERSION,
    serves: PHASE_IDS,
    drained: false,
    statement: 'serves P1 P2 P3 P4 P5 P6',
  });

  // It does not make another host of the group healthy.
  const other = await group.writeConfig(2);
  const ill = await command(['health', '--config', other, '--json']);
  expect(ill).toMatchObject({
    code: 1,
    stderr: `sealflow: the server knows no worker of ${group.ip(2)} (queue ${queue})\n  start it, or see its log; it counts from its first poll on\n`,
  });
  expect(JSON.parse(ill.stdout)).toEqual({
    healthy: false,
    queues: [{ queue, who: `${group.ip(2)}#`, healthy: false }],
  });

  // The server counts its poller for minutes; its last word counts more.
  worker.kill('SIGTERM');
  await worker.ended;
  await eventually(async () => (await command(['health', '--config', file])).code === 1);
  expect((await command(['health', '--config', file])).stderr).toMatch(
    new RegExp(`^sealflow: worker ${worker.pid} has (stopped at \\S+Z|ended without a word)`),
  );
});

test('an orchestrator is identified by its host name', async () => {
  await eventually(async () => (await cluster.sealflow('health', '--orchestrator')).code === 0);
  const { stdout } = await cluster.sealflow('health', '--orchestrator', '--json');
  expect(JSON.parse(stdout)).toMatchObject({
    healthy: true,
    queues: [{ queue: 'sealflow', who: `${hostname()}#` }],
  });
});

test('health fails without a server, and needs --config or --orchestrator', async () => {
  const address = `127.0.0.1:${await freePort('127.0.0.1')}`;
  await expectRefused(['health', '--orchestrator', '--address', address], 1, [
    `sealflow: no Temporal server answers at ${address}: nothing listens there (ECONNREFUSED)`,
    '  start one, or set TEMPORAL_ADDRESS',
  ]);
  await expectRefused(['health'], 2, ['sealflow: health needs --config or --orchestrator']);
});
