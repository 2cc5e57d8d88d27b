/** What all activities do around their work: version, slot, heartbeats, failures. */
import { activityInfo, cancellationDetails, cancellationSignal } from '@temporalio/activity';
import { CancelledFailure } from '@temporalio/common';
import { readable, refuseNewer, type SealInput } from '../contract.js';
import type { HeartbeatDetails, Observation } from '../heartbeat.js';
import type { OpenGroup } from '../paths.js';
import { scaledTimes, TIMES, type PhaseId, type Times } from '../phases.js';
import { SealError } from '../seal-error.js';
import { sectorFileName, sectorOf, type SectorId } from '../sector.js';
import type { Claimant } from '../sector-directory/claim.js';
import { claimName } from '../sector-directory/epochs.js';
import type { Deps, Slot } from './deps.js';
import { settle, takeOver } from './retry-at-server.js';
import { TaskHeartbeat } from './task-heartbeat.js';
import { toApplicationFailure, toSealError } from './temporal-failure.js';

/** One task of an activity on this worker. */
export interface Task {
  phase: PhaseId;
  seal: SealInput;
  sector: SectorId;
  /** Claims epochs: the workflow's run and how often it has claimed. */
  owner: string;
  times: Times;
  scale: number;
  offer: Offer;
  /** What attempts of this task before it have left. */
  before: Before;
  signal: AbortSignal;
  /** Between two steps that can be done again: @throws failure `Draining`, or the cancellation, when the task is to end. */
  throwIfCancelled(): void;
  heartbeat(details: Omit<HeartbeatDetails, 'phase' | 'host'>): void;
  /** Its engine goes on without it: the slot stays taken when the task has ended. */
  detachEngine(): void;
}

/** When the server has offered this attempt of the task, by the server's clock. Hosts' clocks may differ. */
interface Offer {
  /** ms since 1970 */
  at: number;
  /** The earliest that the server's time can be: as if there had been no wait in the queue, of which a task is not told. */
  now(): number;
}

interface Before {
  /** What was seen of a foreign engine. */
  observed: Observation | undefined;
  /** The newest attempt (`1/P2-3`) whose failure was reported. */
  lastReported: string | undefined;
}

export type TaskInput = { v: number; seal: SealInput; claim: number; run: string };

/**
 * Runs the body of an activity: in a slot of the phase's pool where `slot` says so.
 * @throws failures of Temporal's only: those of the table in `failures.ts`, or the SDK's cancellation
 */
export async function runTask<T>(
  deps: Deps,
  phase: PhaseId,
  input: TaskInput,
  slot: 'in a slot' | 'outside of slots',
  body: (task: Task) => Promise<T>,
): Promise<T> {
  const { host } = deps.identity;
  const { attempt, priority, ...info } = activityInfo();
  const before = info.heartbeatDetails as HeartbeatDetails | undefined;
  const carried = takeOver(before?.carried, attempt);
  const heartbeat = new TaskHeartbeat(phase, host, before?.observed, carried);
  const isStop = slot === 'outside of slots';
  let times: Times = TIMES;
  try {
    refuseUnreadable(input);
    times = scaledTimes(input.seal.timeScale ?? 1);
    const sector = sectorFileName(sectorOf(input.seal.sector));
    const taken = isStop ? NO_SLOT : deps.slots.enter({ phase, sector });
    if (!taken) throw new SealError('NoSlot', `no free slot on ${host}`);
    const engine = { goesOn: false };
    const detachEngine = (): void => void (engine.goesOn = true);
    const task = createTask(phase, input, times, heartbeat, host, detachEngine);
    heartbeat.keepRepeating(times.heartbeatTimeout / 6);
    try {
      return await body(task);
    } finally {
      heartbeat.stopRepeating();
      if (engine.goesOn) taken.leaveToEngine();
      else taken.leave();
    }
  } catch (error) {
    if (error instanceof CancelledFailure) throw error;
    if (cancellationSignal().aborted && isAbort(error)) throw new CancelledFailure('the task was ended');
    const failed = toSealError(error, host);
    const settled = settle(failed, carried, { attempt, priority: priority?.priorityKey, times, isStop });
    heartbeat.carry(settled.carried);
    throw toApplicationFailure(failed, settled.delayMs);
  }
}

const NO_SLOT: Slot = { leave: () => undefined, leaveToEngine: () => undefined };

/** Before anything else is read: a newer job may mean something else by the same words. @throws TooNewError; failure `BadInput` */
function refuseUnreadable({ v, ...input }: TaskInput): void {
  refuseNewer('job', { v });
  refuseNewer('input of the workflow', input.seal);
  if (!readable(v)) throw new SealError('BadInput', `job has version ${v}, which is too old`);
}

/** Who claims the sector for this task. */
export const claimantOf = ({ identity }: Deps, group: OpenGroup, { sector, owner }: Task): Claimant => ({
  group,
  sector,
  owner,
  host: identity.host,
});

function createTask(
  phase: PhaseId,
  { seal, claim, run }: TaskInput,
  times: Times,
  heartbeat: TaskHeartbeat,
  host: string,
  detachEngine: () => void,
): Task {
  const { currentAttemptScheduledTimestampMs: offeredAt } = activityInfo();
  const began = performance.now();
  const signal = cancellationSignal();
  return {
    phase,
    seal,
    sector: sectorOf(seal.sector),
    owner: claimName(run, claim),
    times,
    scale: seal.timeScale ?? 1,
    offer: { at: offeredAt, now: () => offeredAt + (performance.now() - began) },
    before: heartbeat.before,
    signal,
    throwIfCancelled: () => {
      if (signal.aborted)
        throw endOfTask() === 'draining' ? draining(host) : new CancelledFailure('the task was ended');
    },
    heartbeat: (details) => heartbeat.send(details),
    detachEngine,
  };
}

/** Why the SDK ends this task, in the words of what follows for its engine. */
export function endOfTask(): 'stop the engine' | 'draining' | 'let go' {
  const details = cancellationDetails();
  if (details?.cancelRequested) return 'stop the engine';
  return details?.workerShutdown ? 'draining' : 'let go';
}

/** What a wait of Node's throws when its signal is aborted. */
const isAbort = (error: unknown): boolean => error instanceof Error && error.name === 'AbortError';

export const draining = (host: string): SealError =>
  new SealError('Draining', `${host} is shutting down`, { host });
