/** The faults, done to a sector whose engine has just logged its line, and what is put right afterwards. */
import { readFile } from 'node:fs/promises';
import { eventually, isAlive } from '../../helpers/eventually.js';
import { untilGone } from '../../helpers/group.js';
import type { Running } from '../../helpers/sealflow.js';
import { tally } from '../tally.js';
import type { Fault, Moment } from '../matrix/cells.js';
import type { RealSector } from './fixture.js';
import { lineOf, type RealPhase } from './cells.js';
import { engineOf, type Met } from './log.js';

/** One fault for a phase, at one moment of it. */
export interface Cell {
  phase: RealPhase;
  fault: Fault;
  moment: Moment;
}

/** An engine at its moment, and the host that has started it. */
interface Struck {
  sector: RealSector;
  met: Met;
  pid: number;
  host: number;
  worker: Running;
}

interface Strike {
  /** Resolves when it has happened. */
  strike: (struck: Struck) => Promise<void>;
  /** What an administrator, or init, does then. */
  mend?: (struck: Struck) => Promise<void>;
}

const killEngine = async ({ pid }: Struck): Promise<void> => {
  kill(pid, 'SIGKILL');
  await untilGone(pid);
};

const STRIKES: Record<Fault, Strike> = {
  'worker SIGKILL': {
    strike: async ({ worker }) => {
      worker.kill('SIGKILL');
      await worker.ended;
    },
    mend: ({ sector, host }) => sector.serve(host),
  },
  'worker SIGTERM': {
    strike: async ({ worker }) => {
      worker.kill('SIGTERM');
      await worker.ended;
    },
    mend: ({ sector, host }) => sector.serve(host),
  },
  'engine SIGKILL': { strike: killEngine },
  'engine SIGSTOP': {
    strike: async ({ pid }) => {
      kill(pid, 'SIGSTOP');
      await eventually(async () => !(await isAlive(pid)) || (await isStopped(pid)));
    },
  },
  'server SIGKILL': {
    strike: ({ sector }) => sector.fixture.cluster.killServer(),
    mend: ({ sector }) => sector.fixture.cluster.restartServer(),
  },
  'host lost': {
    strike: async (struck) => {
      const { sector, worker, host } = struck;
      // Both at once, as when the power goes.
      worker.kill('SIGKILL');
      await killEngine(struck);
      await worker.ended;
      sector.workers.delete(host);
    },
  },
};

/** Faults that no engine feels. */
export const sparesEngines = (fault: Fault): boolean => STRIKES[fault].mend !== undefined;

/**
 * Does it when the phase's engine logs the line of the moment. What can be put right is at once, and the engine that is there
 * must be adopted; at the end of a phase when the engine has ended, and its result must be found.
 *
 * @returns false when the phase was over before the fault was done: then it has hit nothing
 */
export async function inflict(sector: RealSector, { phase, fault, moment }: Cell): Promise<boolean> {
  const line = lineOf(phase, moment);
  if (!line) return true;
  const { strike, mend } = STRIKES[fault];
  const met = await sector.logs.until(phase, line.logged, line.when);
  const struck = { sector, met, ...engineAndWorker(sector, met) };
  if (sector.hasResult(met.at)) return false;
  await strike(struck);
  if (!mend && sector.hasResult(met.at)) return false;
  tally({ faults: 1 });
  if (mend && moment === 'end') await untilGone(struck.pid);
  await mend?.(struck);
  // A host that is lost is followed by another one, the hang watch ends an engine that stands still.
  await sector.fill();
  if (fault === 'engine SIGSTOP') await untilGone(struck.pid);
  return true;
}

function engineAndWorker({ group, workers }: RealSector, met: Met): Pick<Struck, 'pid' | 'host' | 'worker'> {
  const { pid, host: address } = engineOf(met);
  for (const [host, worker] of workers) if (group.ip(host) === address) return { pid, host, worker };
  throw new Error(`nobody has started ${met.at}`);
}

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended by itself, as its result shows.
  }
}

const isStopped = async (pid: number): Promise<boolean> =>
  /\) T /.test(await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => ''));
