/** Commands and workers whose address is not that of a Temporal server. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test, vi } from 'vitest';
import { freePort } from '../../src/temporal/embedded/ports.js';
import { expectRefused, groupAt } from '../helpers/refused.js';
import { sealflow, startSealflow } from '../helpers/sealflow.js';

vi.setConfig({ testTimeout: 120_000 });

/** Stands in for the old scheduler: an HTTP/1 server. @returns its port */
async function oldScheduler(): Promise<number> {
  const server = createServer((_, response) => response.writeHead(404).end('no such route\n'));
  server.listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

test('the port of the old scheduler is distinguished from a Temporal server', async () => {
  const port = await oldScheduler();
  const group = await groupAt(`127.0.0.1:${port}`);
  const lines = [
    `sealflow: 127.0.0.1:${port} answers HTTP, but not Temporal's gRPC: is it the old scheduler?`,
    '  set scheduler_url (or TEMPORAL_ADDRESS) to the Temporal frontend, usually port 7233',
  ];
  const file = await group.writeConfig(1);
  // Its log begins before.
  const worker = await sealflow(['worker', '--config', file]);
  expect([worker.code, worker.stderr.split('\n').slice(-3, -1)]).toEqual([2, lines]);
  await expectRefused(['orchestrator', '--config', file], 2, lines);
  await expectRefused(['start', 't01000/1', '--group', '1', '--test', '--config', file], 2, lines);
  await expectRefused(['status', '--address', `127.0.0.1:${port}`], 2, lines);
  await expectRefused(['status'], 2, lines, { TEMPORAL_ADDRESS: `127.0.0.1:${port}` });
  const { code, stdout } = await sealflow(['doctor', '--config', file]);
  expect(code).toBe(1);
  expect(stdout).toContain(
    `found   127.0.0.1:${port} answers HTTP, but not Temporal's gRPC: is it the old scheduler?`,
  );
});

test('a command reports that no server answers', async () => {
  const address = `127.0.0.1:${await freePort('127.0.0.1')}`;
  const lines = [
    `sealflow: no Temporal server answers at ${address}: nothing listens there (ECONNREFUSED)`,
    '  start one, or set TEMPORAL_ADDRESS',
  ];
  for (const command of [
    ['status'],
    ['seed', 't01000/1', 'ab'.repeat(32)],
    ['retry', 't01000/1'],
    ['setup'],
  ]) {
    await expectRefused([...command, '--address', address], 1, lines);
  }
});

test('a worker waits for a server that is not up yet, and ends on SIGTERM', async () => {
  const address = `127.0.0.1:${await freePort('127.0.0.1')}`;
  const group = await groupAt(address);
  const orchestrator = startSealflow(['orchestrator', '--address', address]);
  for (const program of [await group.start(1), orchestrator]) {
    await program.until(
      ` WARN  waiting for Temporal: no Temporal server answers at ${address}: nothing listens there`,
    );
    program.kill('SIGTERM');
    const { code, stderr } = await program.ended;
    expect(code).toBe(0);
    expect(stderr).not.toContain('unexpected');
  }
});
