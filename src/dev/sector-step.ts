/** The line of a sector under way: what is done, what engines do, and why phases wait. */
import type { HeartbeatDetails } from '../heartbeat.js';
import { PHASE_IDS, type PhaseId } from '../phases.js';
import { activePhases, askedFor, type SectorStatus } from '../temporal/ask/sector-status.js';
import { waitOf, waitsOfWorkflow } from '../temporal/ask/server-view.js';

/** What dev knows that a phase waits for before it can be served: `the proof parameters`. */
export type Awaits = (phase: PhaseId) => string | undefined;

/** Why a phase waited when it was last looked at, and what its last engine had said by then. */
interface Waiting {
  reason: string;
  said: string;
}

/**
 * @returns a function that describes each next status of one sector: `done P1 P2 P3; P4 batch 1 of 1 50 %, P5`, or
 *   `done P1 P2 P3; P4 waits (NoMemory): …`
 */
export function sectorStep(awaits: Awaits = () => undefined): (status: SectorStatus) => string {
  const waiting = new Map<PhaseId, Waiting>();
  return (status) => {
    const done = PHASE_IDS.filter((id) => status.phases[id].state === 'done');
    const active = activePhases(status);
    for (const id of PHASE_IDS) if (!active.includes(id)) waiting.delete(id);
    const ofWorkflow = waitsOfWorkflow(status).map((why) => `waits: ${why}`);
    const asked = askedFor(status);
    const now = [
      ...ofWorkflow,
      ...(asked ? [asked] : []),
      ...active.map((id) => describePhase(id, status, waiting, awaits)),
    ];
    return `${done.length > 0 ? `done ${done.join(' ')}; ` : ''}${now.join(', ')}`;
  };
}

function describePhase(
  id: PhaseId,
  status: SectorStatus,
  waiting: Map<PhaseId, Waiting>,
  awaits: Awaits,
): string {
  const said = describeEngine(status.engines.find(({ phase }) => phase === id));
  const wait = waitOf(status, id);
  if (wait) {
    const known = awaits(id);
    const type = wait.type ? ` (${wait.type})` : '';
    const reason = known === undefined ? `waits${type}: ${wait.why}` : `waits for ${known}`;
    waiting.set(id, { reason, said });
  }
  // Each time a host looks again, the phase is under way for a moment, with nothing new to tell.
  const before = waiting.get(id);
  if (before && (said === '' || said === before.said)) return `${id} ${before.reason}`;
  waiting.delete(id);
  return `${id} ${said}`.trim();
}

function describeEngine(engine: HeartbeatDetails | undefined): string {
  if (!engine) return '';
  const percent = engine.fraction ? ` ${(engine.fraction * 100).toFixed(0)} %` : '';
  return `${engine.step}${percent}`;
}
