/** The faults: what is done to a sector that is held at its moment, and what is put right afterwards. */
import { eventually, isAlive } from '../../helpers/eventually.js';
import { untilGone } from '../../helpers/group.js';
import { readJsonFile } from '../../helpers/on-disk.js';
import type { Fixture } from '../fixture.js';
import { tally } from '../tally.js';
import type { Cell, Fault } from './cells.js';
import type { Held } from './moments.js';

/** What a worker logs when a signal has asked it to end. */
const SHUTTING_DOWN = 'stopping (SIGTERM): no new work is taken';

interface Strike {
  /** Resolves when it has happened. */
  strike: (fixture: Fixture, held: Held, cell: Cell) => Promise<void>;
  /** What an administrator, or init, does then. */
  mend?: (fixture: Fixture, held: Held) => Promise<void>;
}

const STRIKES: Record<Fault, Strike> = {
  'worker SIGKILL': {
    strike: async (_, { worker }) => {
      worker.kill('SIGKILL');
      await worker.ended;
    },
    mend: (fixture, { host }) => fixture.serve(host),
  },
  'worker SIGTERM': {
    strike: async (_, { worker }) => {
      worker.kill('SIGTERM');
      await eventually(
        async () => worker.said.stderr.includes(SHUTTING_DOWN) || !(await isAlive(worker.pid)),
      );
    },
    mend: async (fixture, { host, worker }) => {
      await worker.ended;
      await fixture.serve(host);
    },
  },
  'engine SIGKILL': {
    strike: async (_, { engine }) => {
      process.kill(engine?.pid ?? 0, 'SIGKILL');
      await untilGone(engine?.pid ?? 0);
    },
  },
  'engine SIGSTOP': {
    strike: (_, { engine }, { phase }) => {
      process.kill(engine?.pid ?? 0, phase === 'P6' ? 'SIGCONT' : 'SIGSTOP');
      return Promise.resolve();
    },
  },
  'server SIGKILL': {
    strike: ({ cluster }) => cluster.killServer(),
    mend: ({ cluster }) => cluster.restartServer(),
  },
  'host lost': {
    strike: async (fixture, { host, worker, begun }) => {
      worker.kill('SIGKILL');
      fixture.hosts.delete(host);
      await worker.ended;
      for (const pid of await enginesOn(fixture, host, begun.sector)) {
        process.kill(pid, 'SIGKILL');
        await untilGone(pid);
      }
    },
  },
};

/**
 * Does it to the sector and lets it go on. At the end of a phase the work goes on, and is done, before anything is put right:
 * its result must be found. At the other moments it goes on afterwards: its engine must be adopted.
 */
export async function inflict(fixture: Fixture, held: Held, cell: Cell): Promise<void> {
  const { strike, mend } = STRIKES[cell.fault];
  await strike(fixture, held, cell);
  tally({ faults: 1 });
  if (!mend || cell.moment === 'end' || cannotEndBefore(cell)) await held.release();
  if (mend && cell.moment === 'end') await held.untilWorkIsDone();
  await mend?.(fixture, held);
  if (mend && cell.moment !== 'end' && cell.phase !== 'P6') await waitForAttempt(fixture, held, cell);
  await held.release();
}

/** A worker has the phase and has reported an attempt: the one that is there, unless it does what it should not. */
async function waitForAttempt(fixture: Fixture, { begun: { sector } }: Held, { phase }: Cell): Promise<void> {
  await fixture.hostOf(sector, phase);
  await eventually(async () =>
    (await fixture.cluster.heartbeats(sector)).some((beat) => beat.phase === phase && beat.at !== ''),
  );
}

/** A worker waits for its own work in P6, as long as that waits for us. */
const cannotEndBefore = ({ phase, fault }: Cell): boolean => phase === 'P6' && fault === 'worker SIGTERM';

/** The sector's engines that this host has started and that live. */
async function enginesOn(fixture: Fixture, host: number, sector: string): Promise<number[]> {
  const { group } = fixture;
  const pids: number[] = [];
  for (const { what, at, pid } of await fixture.runs(sector)) {
    if (what !== 'start' || !(await isAlive(pid))) continue;
    const job = await readJsonFile<{ madeBy: { host: string } }>(group.attempt(sector, at, 'job.json'));
    if (job.madeBy.host === group.ip(host)) pids.push(pid);
  }
  return pids;
}
