/** What is tried on a group of containers. Each case is a name and a function that throws. */
import assert from 'node:assert/strict';
import { lstat, mkdir, readdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseCpuList } from '../../dist/workers/cores.js';
import { SERVICES, USER, WORKERS } from './group.mjs';
import { eventually } from './shell.mjs';

/** With the real engine where its proof parameters are there. */
export const sealing = [
  [
    'a sector of 2 KiB is sealed',
    async (group) => {
      const result = JSON.parse(await group.start('t01000/1', '--wait', '--json'));
      assert.equal(result.storage.node, 'storage');
      const { commR, proof } = await group.receipt('s-t01000-1');
      assert.equal(result.commR, commR);
      assert.ok(proof);
      assert.equal((await lstat(group.storage('sealed', 's-t01000-1'))).size, 2048);
      assert.ok(group.isCleaned('s-t01000-1'), 'its scratch is not cleaned');
    },
  ],
  [
    'its proof is verified from the receipt alone',
    (group) => group.exec('p4p5', ...group.engine, 'verify', '/mnt/storage/receipts/s-t01000-1.json'),
  ],
  [
    'all files belong to the one user of all roles',
    async (group) => {
      for (const root of [group.sealer(), group.storage()]) {
        for (const path of await readdir(root, { recursive: true })) {
          const { uid, gid } = await lstat(join(root, path));
          assert.deepEqual({ path, uid, gid }, { path, uid: USER, gid: USER });
        }
      }
    },
  ],
  [
    'every container is healthy',
    async (group) => {
      for (const service of SERVICES) await group.untilHealthy(service);
    },
  ],
];

/** Where the host's mounts are shared, as they are with systemd. */
export const mounts = [
  [
    'what the host mounts on a bound directory, or below it, is seen inside, and what it unmounts is not',
    async (group) => {
      await mkdir(group.sealer('below'));
      for (const name of ['', 'below']) {
        const seen = () => group.exec('p1', 'ls', join('/sealer', name));
        await group.sh('mount', '-t', 'tmpfs', 'tmpfs', group.sealer(name));
        try {
          await writeFile(group.sealer(name, 'on-the-share'), '');
          assert.equal(await seen(), 'on-the-share');
        } finally {
          await group.sh('umount', group.sealer(name));
        }
        assert.doesNotMatch(await seen(), /on-the-share/);
      }
      await rmdir(group.sealer('below'));
    },
  ],
];

/** With the tests' engine, which can be held at work. */
export const faults = [
  [
    "P2 runs on the cores of its container's cpuset, as the user",
    async (group) => {
      await group.hold('s-t01000-2', 'P2');
      await group.start('t01000/2', '--time-scale', '0.2');
      const { pid } = await group.held('s-t01000-2', 'P2');
      const status = await group.exec('p2p3', 'cat', `/proc/${pid}/status`);
      const allowed = /^Cpus_allowed_list:\s*(\S+)$/m.exec(status)?.[1] ?? '';
      assert.deepEqual(parseCpuList(allowed), parseCpuList(group.cpuset));
      assert.equal(/^Uid:\s*(\d+)/m.exec(status)?.[1], String(USER));
    },
  ],
  [
    'a worker that is killed is started again in its container; its engine goes on',
    async (group) => {
      const poller = async () =>
        JSON.parse(
          await group.exec('p2p3', 'sealflow', 'health', '--config', '/etc/sealflow/p2p3.toml', '--json'),
        ).queues[0].poller;
      const { pid } = await group.held('s-t01000-2', 'P2');
      const container = await group.container('p2p3');
      const since = await group.inspect('p2p3', '{{.State.StartedAt}}');
      const before = await poller();
      await group.exec('p2p3', 'sh', '-c', `kill -9 ${before.split('#')[1]}`);
      await eventually('another worker', async () => (await poller()) !== before, group);
      assert.equal(await group.container('p2p3'), container);
      assert.equal(await group.inspect('p2p3', '{{.State.StartedAt}}'), since);
      await group.release('s-t01000-2', 'P2');
      await group.sealed('t01000/2');
      assert.deepEqual(await starts(group, 's-t01000-2', 'P2'), [`1/P2-1 ${pid}`]);
    },
  ],
  [
    'process 1 waits for engines that have lost their worker: no zombies',
    async (group) => {
      const states = await group.exec(
        'p2p3',
        'sh',
        '-c',
        'cat /proc/[0-9]*/status 2>/dev/null | grep ^State',
      );
      assert.doesNotMatch(states, /zombie/);
    },
  ],
  [
    'a container that is removed takes its engine along; P2 runs again in a new one',
    async (group) => {
      await group.hold('s-t01000-3', 'P2');
      await group.start('t01000/3', '--time-scale', '0.2');
      await group.held('s-t01000-3', 'P2');
      assert.ok(await isAtWork('s-t01000-3/1/P2-1'));
      await group.sh('docker', 'rm', '--force', await group.container('p2p3'));
      assert.ok(!(await isAtWork('s-t01000-3/1/P2-1')));
      await group.compose('up', '--detach', '--no-build', '--no-deps', 'p2p3');
      await group.held('s-t01000-3', 'P2', 2);
      await group.release('s-t01000-3', 'P2');
      await group.sealed('t01000/3');
      assert.ok(group.isCleaned('s-t01000-3'));
    },
  ],
  [
    'a container that is restarted ends its engine too; P1 goes on from its recorded layers',
    async (group) => {
      await group.hold('s-t01000-4', 'P1', 'middle');
      await group.start('t01000/4', '--time-scale', '0.2');
      await group.held('s-t01000-4', 'P1');
      const began = Date.now();
      await group.sh('docker', 'restart', '-t', '60', await group.container('p1'));
      // The worker ends when it is told to: nothing had to be killed.
      assert.ok(Date.now() - began < 45_000, 'the worker did not end on TERM');
      await group.held('s-t01000-4', 'P1', 2);
      await group.release('s-t01000-4', 'P1');
      await group.sealed('t01000/4');
      const steps = (await group.noted('s-t01000-4', 'P1')).filter(({ what }) => what === 'step');
      const first = steps.filter(({ at }) => at === '1/P1-1').map(({ words }) => words);
      const second = steps.filter(({ at }) => at === '1/P1-2').map(({ words }) => words);
      assert.ok(
        first.includes('layer 1 of 2') && !second.includes('layer 1 of 2'),
        `again: ${second.join()}`,
      );
    },
  ],
  [
    'a container that is stopped ends by itself, with exit code 0',
    async (group) => {
      for (const service of WORKERS)
        await group.sh('docker', 'stop', '-t', '60', await group.container(service));
      for (const service of WORKERS)
        assert.equal(await group.inspect(service, '{{.State.ExitCode}}'), '0', service);
    },
  ],
];

/** `<attempt> <process ID>` of the engines so far. */
const starts = async (group, file, phase) =>
  (await group.noted(file, phase))
    .filter(({ what }) => what === 'start')
    .map(({ at, pid }) => `${at} ${pid}`);

/** Whether an engine of this attempt is among the machine's processes, in whatever container. */
async function isAtWork(attempt) {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const commands = await Promise.all(
    pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')),
  );
  return commands.some((command) => command.split('\0').some((word) => word.endsWith(attempt)));
}
