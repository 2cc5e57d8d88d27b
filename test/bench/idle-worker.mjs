import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import { PHASE_IDS } from '#dist/phases.js';
import { freePort } from '#dist/temporal/embedded/ports.js';
import { mkdirSync } from 'node:fs';
import { inTemporary, withServer } from './common.mjs';
import { makeGroup } from './group.mjs';
import { anonymousOf, cpuSecondsOf, rssOf, treeOf } from './proc.mjs';
import { withPrograms } from './programs.mjs';

export const title = 'an idle worker process with 24 queues: four groups, six phases in three pools';

const GROUPS = [1, 2, 3, 4];
const POOLS = [
  [10, 'P1', 'P2', 'P3'],
  [2, 'P4'],
  [4, 'P5', 'P6'],
];
const FIXTURE = [process.execPath, fileURLToPath(new URL('../fixtures/engine.mjs', import.meta.url))];
/** As systemd/ and docker/ start it. */
const AS_A_SERVICE = { MALLOC_ARENA_MAX: '2' };
/** Long enough for the garbage of the start to be gone, and for each long poll (60 s) to come round. */
const SETTLE_MS = 30_000;
const MEASURE_MS = 120_000;

export const run = (print) =>
  inTemporary((directory) =>
    withServer(directory, async ({ address }) => {
      const listen = `127.0.0.1:${await freePort('127.0.0.1')}`;
      // Side by side: each has nothing to do.
      const [bare, told] = await Promise.all([
        measure(directory, 'bare', address, {}),
        measure(directory, 'metrics', address, { metrics: { listen } }, () => pollsOf(listen)),
      ]);
      const queues = GROUPS.length * PHASE_IDS.length;
      print(`queues            ${queues} of phases, ${GROUPS.length} of control`);
      print(
        `memory            RSS ${mb(bare.rss)} MB, ${mb(bare.anonymous)} of them not of files (Node, the SDK); with [metrics] RSS ${mb(told.rss)} MB`,
      );
      print(`CPU               ${((100 * bare.cpuSeconds * 1000) / MEASURE_MS).toFixed(1)} % of a core`);
      print(
        `polls             ${((told.count * 60_000) / MEASURE_MS).toFixed(0)} a minute by the SDK's own count (temporal_long_request)`,
      );
    }),
  );

const mb = (bytes) => (bytes / 1e6).toFixed(0);

/** Runs a worker and looks at it when it has settled. @param count what is counted over the time of the measurement */
async function measure(directory, name, address, keys, count = async () => 0) {
  const place = join(directory, name);
  mkdirSync(place);
  const engine = { command: FIXTURE, reserved_cores: 0 };
  const { file } = await makeGroup(place, address, POOLS, { group_id: GROUPS, engine, ...keys });
  return await withPrograms(async (start) => {
    const pid = await start(['worker', '--config', file], { ready: ' serves ', env: AS_A_SERVICE });
    await sleep(SETTLE_MS);
    const before = { count: await count(), cpuSeconds: cpuSecondsOf(pid) };
    await sleep(MEASURE_MS);
    const tree = treeOf(pid);
    return {
      rss: tree.reduce((sum, one) => sum + rssOf(one), 0),
      anonymous: tree.reduce((sum, one) => sum + anonymousOf(one), 0),
      cpuSeconds: cpuSecondsOf(pid) - before.cpuSeconds,
      count: (await count()) - before.count,
    };
  });
}

/** Long polls that the SDK has sent so far, by the metrics that the worker serves. */
async function pollsOf(listen) {
  const text = await (await fetch(`http://${listen}/metrics`)).text();
  const polls = text.matchAll(/^temporal_long_request\{[^}]*operation="Poll[^}]*\} ([0-9]+)/gm);
  return [...polls].reduce((sum, [, number]) => sum + Number(number), 0);
}
