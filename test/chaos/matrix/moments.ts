/** Bringing a sector to a moment of a phase, where it stays until it is let go on. */
import type { EnginePhaseId } from '../../../src/phases.js';
import { eventually } from '../../helpers/eventually.js';
import type { Running } from '../../helpers/sealflow.js';
import type { Fixture } from '../fixture.js';
import type { Begun } from '../outcome.js';
import { reachInP6 } from './moments-of-p6.js';
import type { Cell } from './cells.js';

/** A sector at the moment of its cell. */
export interface Held {
  begun: Begun;
  /** That has the phase. */
  host: number;
  worker: Running;
  /** The engine that an engine's fault is for. */
  engine: { pid: number; ended: () => Promise<boolean> } | undefined;
  /** Lets the phase go on. Does nothing when it was called before. */
  release: () => Promise<void>;
  /** Waits for what the phase does by itself when it goes on. */
  untilWorkIsDone: () => Promise<void>;
}

/** Starts a sector and brings it to the moment of the cell. */
export const reach = (fixture: Fixture, cell: Cell): Promise<Held> => {
  const { phase } = cell;
  return phase === 'P6' ? reachInP6(fixture, cell) : reachInEngine(fixture, { ...cell, phase });
};

async function reachInEngine(fixture: Fixture, cell: Cell & { phase: EnginePhaseId }): Promise<Held> {
  const { group, cluster } = fixture;
  const { phase } = cell;
  const where = holdAt(cell);
  const sector = cluster.newSector();
  await group.tell(sector, phase, 'hold', where);
  const begun = await fixture.begin(sector);
  const held = async () =>
    (await fixture.runs(sector)).find(
      ({ what, at, words }) => what === 'held' && at.includes(`/${phase}-`) && words === where,
    );
  await eventually(async () => (await held()) !== undefined);
  const pid = (await held())?.pid ?? 0;
  let released = false;
  const ended = async () =>
    (await fixture.runs(sector)).some(({ what, pid: of }) => what === 'end' && of === pid);
  return {
    begun,
    ...(await fixture.hostOf(sector, phase)),
    engine: { pid, ended },
    release: async () => {
      if (!released) await group.takeBack(sector, phase, 'hold');
      released = true;
    },
    untilWorkIsDone: () => eventually(ended),
  };
}

/**
 * Where the engine stops. Just after the start, a worker is lost before its engine has shown itself (the attempt is there,
 * and nobody knows whether an engine is); the engine itself and the server are killed just after it has.
 */
function holdAt({ fault, moment }: Cell): string {
  if (moment !== 'start') return moment;
  return fault === 'worker SIGKILL' || fault === 'worker SIGTERM' ? 'begin' : 'start';
}
