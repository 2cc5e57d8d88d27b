/** The Docker daemon: the one that answers, or one of this test's own (`--daemon`). */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { findTool } from '../../dist/machine/tools.js';
import { rememberNetwork } from './network.mjs';
import { createShell } from './shell.mjs';

const START_MS = 60_000;

/** @returns `{ env, end }`, or `{ reason }` why there is no daemon */
export async function findDaemon() {
  if (!findTool('docker')) return { reason: 'no docker here' };
  const reason = await answers({});
  return reason ? { reason } : { env: {}, end: async () => undefined };
}

/** @returns why not */
async function answers(env) {
  const sh = createShell({ env });
  return sh('docker', 'version', '--format', '{{.Server.Version}}').then(
    () => undefined,
    () => 'no Docker daemon answers',
  );
}

/**
 * Starts a daemon of one's own, apart from any other.
 * @param directory for its socket and log, @param data for images and containers
 */
export async function startDaemon(directory, data) {
  if (process.getuid?.() !== 0) return { reason: 'only root can start a Docker daemon' };
  if (!findTool('dockerd')) return { reason: 'no dockerd here (apt-get install docker.io)' };
  await mkdir(directory, { recursive: true });
  const restoreNetwork = await rememberNetwork();
  const socket = `unix://${join(directory, 'socket')}`;
  const log = join(directory, 'log');
  const output = openSync(log, 'w');
  const places = ['--data-root', data, '--exec-root', join(directory, 'exec')];
  const dockerd = spawn('dockerd', [...places, '--pidfile', join(directory, 'pid'), '--host', socket], {
    detached: true,
    stdio: ['ignore', output, output],
  });
  closeSync(output);
  const ended = once(dockerd, 'exit');
  const end = async () => {
    dockerd.kill('SIGTERM');
    await ended;
    await restoreNetwork.all();
    await unmountBelow(directory, data);
    await rm(directory, { recursive: true, force: true });
  };
  const env = { DOCKER_HOST: socket };
  const deadline = Date.now() + START_MS;
  while (await answers(env)) {
    if (dockerd.exitCode === null && Date.now() < deadline) {
      await sleep(300);
      continue;
    }
    const last = (await readFile(log, 'utf8')).trim().split('\n').at(-1);
    await end();
    return { reason: `dockerd does not start: ${last}` };
  }
  // Not only at the end: others' packets go through it too.
  await restoreNetwork.policy();
  return { env, end };
}

/** What a daemon leaves mounted: its network namespace, its data directory on itself. */
async function unmountBelow(...directories) {
  const sh = createShell({});
  const mounts = (await readFile('/proc/self/mountinfo', 'utf8'))
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '')
    .filter((path) => directories.some((directory) => `${path}/`.startsWith(`${directory}/`)));
  for (const path of mounts.reverse()) await sh('umount', '-l', path);
}
