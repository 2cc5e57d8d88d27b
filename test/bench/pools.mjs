import { fileURLToPath } from 'node:url';
import { connectClient } from '#dist/temporal/connect/client.js';
import { targetAt } from '#dist/temporal/connect/target.js';
import { randomHex32, startSector } from '#dist/temporal/ask/start-sector.js';
import { inTemporary, seconds, withServer } from './common.mjs';
import { EngineLog } from './engine-log.mjs';
import { makeGroup } from './group.mjs';
import { idleShares } from './idle-shares.mjs';
import { lookingAt } from './proc.mjs';
import { endEngines, withPrograms } from './programs.mjs';

const COUNT = 40;
const PHASE_MS = 2000;
const POLL_MS = 20;
/** The first is what all wait for; the others have room for what comes from it. */
/** @type {[number, ...string[]][]} */
const POOLS = [
  [4, 'P1', 'P2', 'P3'],
  [2, 'P4'],
  [2, 'P5', 'P6'],
];
const FIXTURE = [process.execPath, fileURLToPath(new URL('../fixtures/engine.mjs', import.meta.url))];

export const title = `${COUNT} sectors of ${PHASE_MS / 1000} s phases through one host with mixed pools`;

/**
 * Two ways to tell when a pool had a free slot while work was waiting. By processes, looked at from outside: a phase waits from the
 * end of the engines before it to its own engine's first process. By tasks, as the server has recorded them: from its
 * schedule to its start, in which sealflow could have taken it; what lies around that (the workflow's step from phase to phase,
 * making an attempt, reading its result) is work that a slot is held for, or that has none to wait for.
 */
export const run = (print) =>
  inTemporary((directory) =>
    withServer(directory, async ({ address }) => {
      const environment = Object.fromEntries(
        [1, 2, 3, 4, 5].map((n) => [`FIXTURE_MS_P${n}`, String(PHASE_MS)]),
      );
      const engine = { command: FIXTURE, reserved_cores: 0, environment };
      const { file, localDir } = await makeGroup(directory, address, POOLS, { engine });
      const log = new EngineLog(localDir, POOLS);
      const client = await connectClient(targetAt(address));
      await withPrograms(async (start) => {
        await start(['orchestrator', '--address', address], { ready: 'orchestrator ready' });
        await start(['worker', '--config', file], { ready: ' serves ' });
        try {
          const handles = [];
          const makespan = await seconds(() =>
            lookingAt(POLL_MS, log.look, async () => {
              for (let number = 1; number <= COUNT; number++) handles.push(await startOne(client, number));
              await Promise.all(handles.map((handle) => handle.result()));
            }),
          );
          const histories = [];
          for (const handle of handles) histories.push((await handle.fetchHistory()).events);
          report(print, makespan, log, histories);
        } finally {
          await endEngines(localDir);
        }
      });
    }),
  );

const startOne = (client, number) =>
  startSector(client, {
    sector: `t01000/${number}`,
    size: '2KiB',
    group: 1,
    ticket: randomHex32(),
    seed: randomHex32(),
  });

function report(print, makespan, log, histories) {
  const [all] = POOLS[0];
  const ideal = (COUNT * 3 * PHASE_MS) / all / 1000;
  print(
    `${COUNT} of ${COUNT} sealed in ${makespan.toFixed(1)} s; the first pool alone needs ${ideal.toFixed(1)} s`,
  );
  print('                                  free slot while work was waiting, % of slot time (of time)');
  print('pool            slots  most seen    by processes      by tasks');
  for (const [i, [slots, ...phases]] of POOLS.entries()) {
    const { byProcesses, byTasks } = idleShares(slots, phases, log, histories);
    print(
      `${phases.join(' ').padEnd(16)}${String(slots).padStart(5)}${String(log.most[i]).padStart(11)}${shown(byProcesses).padStart(16)}${shown(byTasks).padStart(14)}`,
    );
  }
}

const percent = (share) => (100 * share).toFixed(1);
const shown = ({ ofSlots, ofTime }) => `${percent(ofSlots)} (${percent(ofTime)})`;
