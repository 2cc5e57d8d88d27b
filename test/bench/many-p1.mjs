import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { NativeConnection, Worker } from '@temporalio/worker';
import { startSector, randomHex32 } from '#dist/temporal/ask/start-sector.js';
import { connectClient } from '#dist/temporal/connect/client.js';
import { targetAt } from '#dist/temporal/connect/target.js';
import { phaseQueue } from '#dist/contract.js';
import { installRuntime } from '#dist/telemetry.js';
import { inTemporary, withServer } from './common.mjs';
import { engineForBench, makeJob } from './engine-attempts.mjs';
import { makeGroup } from './group.mjs';
import { noops } from './noops.mjs';
import { commandOf, cpuSecondsOf, lookingAt, openFilesLimit, openFilesOf, rssOf, treeOf } from './proc.mjs';
import { endEngines, withPrograms } from './programs.mjs';

const COUNT = 500;
/** The usual soft limit of a login shell and of systemd. */
const OPEN_FILES = 1024;
const POLL_MS = 100;
/** Each count is a query over all workflows, made by the server that is measured. */
const COUNT_MS = 1000;

export const title = `${COUNT} P1 of 2 KiB at once with the real engine: through one worker, and started by xargs -P ${COUNT}`;

export const run = (print) =>
  inTemporary((directory) =>
    withServer(directory, async ({ address }) => {
      installRuntime();
      const engine = await engineForBench();
      const client = await connectClient(targetAt(address));
      await withPrograms(async (start) => {
        await start(['orchestrator', '--address', address], { ready: 'orchestrator ready' });
        const plain = await byXargs(inPlace(directory, 'xargs'), engine);
        // Of two: now and then the server loses a poll's answer, and its activity begins anew after the heartbeat's minute.
        const noop = Math.min(
          await byNoops(address, client, 1),
          await byNoops(address, client, 3 * COUNT + 1),
        );
        const sealed = await bySealflow(inPlace(directory, 'sealflow'), address, client, COUNT + 1);
        const together = await allTogether(inPlace(directory, 'together'), address, client, engine);
        print(`                 seconds   engines at once   memory with engines, MB`);
        print(row(`xargs -P ${COUNT}`, plain));
        print(row('sealflow', sealed));
        print(row('no-op activities', { seconds: noop }));
        print(
          `worker           ${mb(sealed.ownRss)} MB of its own, ${sealed.cpuSeconds.toFixed(1)} s of CPU, ${sealed.openFiles} open files of ${sealed.limit}`,
        );
        print(
          `all at once      ${together.engines} engines, each of which waits for the last one; ${mb(together.ownRss)} MB of the worker's own, ${together.openFiles} open files of ${together.limit}`,
        );
        print(
          `ratio            ${(sealed.seconds / plain.seconds).toFixed(2)} to xargs (goal 1.5), ${(sealed.seconds / noop).toFixed(2)} to the no-op activities (goal 1.3); the easier one counts`,
        );
      });
    }),
  );

const mb = (bytes) => (bytes / 1e6).toFixed(0);
/** @param {string} name @param {{ seconds: number, engines?: number, rss?: number }} _found */
const row = (name, { seconds, engines, rss = 0 }) =>
  `${name.padEnd(17)}${seconds.toFixed(1).padStart(7)}${engines === undefined ? '' : `${String(engines).padStart(18)}${mb(rss).padStart(26)}`}`;

function inPlace(directory, name) {
  const place = join(directory, name);
  mkdirSync(place);
  return place;
}

/**
 * The maximum that is seen of a process and its engines.
 * @param {number} pid
 * @param {(pid: number) => boolean} isEngine @param {(engines: number) => void} onInspected
 */
function createPeak(pid, isEngine = () => true, onInspected = () => undefined) {
  const peak = { engines: 0, rss: 0, ownRss: 0, openFiles: 0 };
  const look = () => {
    const [own, ...others] = treeOf(pid);
    const engines = others.filter(isEngine);
    onInspected(engines.length);
    const ownRss = rssOf(own);
    const seen = {
      engines: engines.length,
      rss: engines.reduce((sum, one) => sum + rssOf(one), ownRss),
      ownRss,
      openFiles: openFilesOf(own),
    };
    for (const [name, value] of Object.entries(seen)) peak[name] = Math.max(peak[name], value);
  };
  return { peak, look };
}

/** The engine is entered as a worker does it (src/engines/start.ts). */
const IN_ATTEMPT = 'cd -- "$0" && exec >>log 2>&1 && exec "$@" run "$0"';

async function byXargs(directory, { command, environment }) {
  const attempts = Array.from({ length: COUNT }, (_, i) =>
    makeJob(join(directory, `s-t01000-${i + 1}`), 'P1', { sector: `t01000/${i + 1}`, ticket: randomHex32() }),
  );
  const began = performance.now();
  const args = ['-P', String(COUNT), '-I{}', '/bin/sh', '-c', IN_ATTEMPT, '{}', ...command];
  const xargs = spawn('xargs', args, { env: environment, stdio: ['pipe', 'ignore', 'inherit'] });
  const ended = once(xargs, 'exit');
  xargs.stdin.end(attempts.join('\n'));
  const { peak, look } = createPeak(/** @type {number} */ (xargs.pid));
  const [code] = await lookingAt(POLL_MS, look, () => ended);
  if (code !== 0) throw new Error(`xargs: exit ${code}`);
  return { ...peak, seconds: (performance.now() - began) / 1000 };
}

/** What the server and the workflow alone need: a plain worker of the SDK, with its own slots and pollers. */
async function byNoops(address, client, first) {
  const connection = await NativeConnection.connect({ address });
  const worker = await Worker.create({
    connection,
    taskQueue: phaseQueue(1, '2KiB', 'P1'),
    activities: noops({
      slots: { enter: () => ({ leave: () => undefined, leaveToEngine: () => undefined }) },
    }),
    maxConcurrentActivityTaskExecutions: COUNT,
  });
  const seconds = await worker.runUntil(firstPhases(client, first));
  await connection.close();
  return seconds;
}

/** An engine of 2 KiB has ended before the next is started: here none begins before all are there. */
async function allTogether(directory, address, client, { command }) {
  const checkpoint = join(directory, 'checkpoint');
  const wait = 'if [ "$1" = run ]; then while [ ! -e "$CHECKPOINT" ]; do sleep 2; done; fi; exec "$0" "$@"';
  const engine = {
    command: ['/bin/sh', '-c', wait, ...command],
    environment: { CHECKPOINT: checkpoint },
    reserved_cores: 0,
  };
  const isWaiting = (pid) => commandOf(pid).includes(wait);
  const open = (engines) => {
    if (engines >= COUNT) writeFileSync(checkpoint, '');
  };
  return await bySealflow(directory, address, client, 2 * COUNT + 1, { engine }, isWaiting, open);
}

/**
 * @param {(pid: number) => boolean} isEngine which of the worker's processes count
 * @param {(engines: number) => void} onInspected receives how many there are
 */
async function bySealflow(
  directory,
  address,
  client,
  first,
  keys = {},
  isEngine = () => true,
  onInspected = () => undefined,
) {
  const { file, localDir } = await makeGroup(directory, address, [[COUNT, 'P1']], keys);
  return await withPrograms(async (start) => {
    const pid = await start(['worker', '--config', file], { ready: ' serves ', openFiles: OPEN_FILES });
    const { peak, look } = createPeak(pid, isEngine, onInspected);
    const cpuBefore = cpuSecondsOf(pid);
    try {
      const seconds = await lookingAt(POLL_MS, look, () => firstPhases(client, first));
      return { ...peak, seconds, cpuSeconds: cpuSecondsOf(pid) - cpuBefore, limit: openFilesLimit(pid) };
    } finally {
      await endEngines(localDir);
    }
  });
}

/**
 * Starts sectors and waits until the P1 of each is done; nobody serves what comes next, and the workflows are ended.
 * @returns seconds between the start of the first and the end of the last P1, by the server's clock
 */
async function firstPhases(client, first) {
  const numbers = Array.from({ length: COUNT }, (_, i) => first + i);
  const handles = await Promise.all(
    numbers.map((number) =>
      startSector(client, { sector: `t01000/${number}`, size: '2KiB', group: 1, ticket: randomHex32() }),
    ),
  );
  const query = `SealSector >= ${first} AND SealSector < ${first + COUNT} AND SealPhase = 'P2'`;
  while ((await client.workflow.count(query)).count < COUNT) await sleep(COUNT_MS);
  const times = [];
  for (const handle of handles) {
    const events = (await handle.fetchHistory()).events ?? [];
    times.push(millis(events[0]), millis(events.find((event) => event.activityTaskCompletedEventAttributes)));
    await handle.terminate();
  }
  return (Math.max(...times) - Math.min(...times)) / 1000;
}

const millis = (event) => Number(event.eventTime.seconds) * 1000 + event.eventTime.nanos / 1e6;
