/** The frame of all activities: version check, slot, heartbeats, failures. */
import { activityInfo, cancellationDetails, cancellationSignal } from '@temporalio/activity';
import { CancelledFailure } from '@temporalio/common';
import { readable, refuseNewer, type CleanInput, type PhaseInput, type SealInput } from '../contract.js';
import type { HeartbeatDetails } from '../heartbeat.js';
import { parseAt, type OpenGroup } from '../paths.js';
import { scaledTimes, TIMES, workShownAfter, type PhaseId, type Times } from '../phases.js';
import { SealError } from '../seal-error.js';
import { sectorFileName, sectorOf, type SectorId } from '../sector.js';
import type { Claimant } from '../sector-directory/claim.js';
import { claimName } from '../sector-directory/epochs.js';
import type { Deps, Slot } from './deps.js';
import { settle, takeOver } from './retry-at-server.js';
import { TaskHeartbeat, type Before } from './task-heartbeat.js';
import { toApplicationFailure, toSealError } from './temporal-failure.js';
import { WorkNotice } from './work-notice.js';

/** One task of an activity on this worker. */
export interface Task {
  phase: PhaseId;
  seal: SealInput;
  sector: SectorId;
  /** Owner of the epochs it claims: the workflow's run and how often that has claimed. */
  owner: string;
  /** The highest epoch that the workflow knows of. */
  knownEpoch: number;
  times: Times;
  scale: number;
  offer: Offer;
  /** What earlier attempts of this task have left. */
  before: Before;
  signal: AbortSignal;
  /**
   * To be called between repeatable steps.
   * @throws failure `Draining`, or the cancellation, when the task is to end
   */
  throwIfCancelled(): void;
  heartbeat(details: Omit<HeartbeatDetails, 'phase' | 'host'>): void;
  /** To be called when work has begun, and while it goes on: lists show where a sector is worked on. */
  working(): void;
  /** The engine outlives the task: the slot stays taken when the task has ended. */
  detachEngine(): void;
}

/** When the server scheduled this attempt of the task, by the server's clock. Hosts' clocks may differ. */
interface Offer {
  /** ms since 1970 */
  at: number;
  /** Lower bound of the server's time: assumes no wait in the task queue, which a task cannot measure. */
  now(): number;
}

export type TaskInput = { v: number; seal: SealInput; claim: number; run: string } & Partial<
  Pick<PhaseInput, 'inputs' | 'invalidated' | 'lastReported'> & Pick<CleanInput, 'results'>
>;

/**
 * Runs the body of an activity, in a slot of the phase's pool if `slot` asks for one.
 * @throws Temporal failures only: those of the table in `failures.ts`, or the SDK's cancellation
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
  const heartbeat = new TaskHeartbeat(phase, host, before?.observed, carried, before?.told);
  const notice = new WorkNotice(phase, host, before?.told, (by) => heartbeat.noteTold(by));
  const isStop = slot === 'outside of slots';
  // Stops and aborts are no phases.
  const journal = isStop ? undefined : deps.journal;
  const seal = input.seal as SealInput | undefined; // A newer workflow's input may be anything.
  const work = { sector: seal?.sector ?? 'a sector', phase };
  let times: Times = TIMES;
  try {
    refuseUnreadable(input);
    times = scaledTimes(input.seal.timeScale ?? 1);
    const sector = sectorFileName(sectorOf(input.seal.sector));
    const patience = { ms: times.slotWait, signal: cancellationSignal() };
    const taken = isStop ? NO_SLOT : await deps.slots.enter({ phase, sector }, patience);
    if (!taken) throw noSlot(deps, host);
    const engine = { isDetached: false };
    const detachEngine = (): void => void (engine.isDetached = true);
    heartbeat.keepRepeating(times.heartbeatTimeout / 6);
    try {
      const task = createTask(phase, input, times, { heartbeat, notice }, host, detachEngine);
      if (phase === 'P6') journal?.begins(work);
      const result = await body(task);
      journal?.ends(work, result as PhaseEnd);
      return result;
    } finally {
      heartbeat.stopRepeating();
      notice.stop();
      if (engine.isDetached) taken.leaveToEngine();
      else taken.leave();
    }
  } catch (error) {
    const isCancelled = error instanceof CancelledFailure || (cancellationSignal().aborted && isAbort(error));
    if (isCancelled) {
      journal?.cancelled(work);
      throw error instanceof CancelledFailure ? error : new CancelledFailure('the task was ended');
    }
    const failed = toSealError(error, host);
    journal?.fails(work, failed);
    const settled = settle(failed, carried, { attempt, priority: priority?.priorityKey, times, isStop });
    heartbeat.noteRest();
    if (settled.delayMs !== undefined) await notice.ended();
    heartbeat.carry(settled.carried);
    throw toApplicationFailure(failed, settled.delayMs);
  }
}

/** What results of phases have in common. */
interface PhaseEnd {
  at?: string;
  seconds?: number;
}

const noSlot = ({ slots }: Deps, host: string): SealError =>
  slots.isDrained() ? drained(host) : new SealError('NoSlot', `no free slot on ${host}`);

const NO_SLOT: Slot = { leave: () => undefined, leaveToEngine: () => undefined };

/**
 * Runs before anything else is read: in a newer job the same keys may mean something else.
 * @throws TooNewError; failure `BadInput`
 */
function refuseUnreadable({ v, ...input }: TaskInput): void {
  refuseNewer('job', { v });
  refuseNewer('input of the workflow', input.seal);
  if (!readable(v)) throw new SealError('BadInput', `job has version ${v}, which is too old`);
}

/** The identity under which this task claims the sector. */
export const claimantOf = (
  { identity }: Deps,
  group: OpenGroup,
  { sector, owner, knownEpoch }: Task,
): Claimant => ({
  group,
  sector,
  owner,
  host: identity.host,
  knownEpoch,
});

function createTask(
  phase: PhaseId,
  input: TaskInput,
  times: Times,
  { heartbeat, notice }: { heartbeat: TaskHeartbeat; notice: WorkNotice },
  host: string,
  detachEngine: () => void,
): Task {
  const { currentAttemptScheduledTimestampMs: offeredAt } = activityInfo();
  const startedAt = performance.now();
  const signal = cancellationSignal();
  const { seal, claim, run } = input;
  return {
    phase,
    seal,
    sector: sectorOf(seal.sector),
    owner: claimName(run, claim),
    knownEpoch: knownEpochOf(input),
    times,
    scale: seal.timeScale ?? 1,
    offer: { at: offeredAt, now: () => offeredAt + (performance.now() - startedAt) },
    before: heartbeat.before,
    signal,
    throwIfCancelled: () => {
      if (signal.aborted)
        throw endOfTask() === 'draining' ? draining(host) : new CancelledFailure('the task was ended');
    },
    heartbeat: (details) => heartbeat.send(details),
    working: () => {
      heartbeat.noteWork();
      notice.working(workShownAfter(phase, times));
    },
    detachEngine,
  };
}

/** The highest epoch that the names of attempts in a job tell of. */
export function knownEpochOf({ inputs, results, invalidated = [], lastReported }: TaskInput): number {
  const refs = Object.values({ ...inputs, ...results }).map(({ at }) => at);
  const names = [...refs, ...invalidated, ...(lastReported === undefined ? [] : [lastReported])];
  return Math.max(0, ...names.map((at) => parseAt(at).epoch));
}

/** Why the SDK ends this task, named by what happens to its engine. */
export function endOfTask(): 'stop the engine' | 'draining' | 'let go' {
  const details = cancellationDetails();
  if (details?.cancelRequested) return 'stop the engine';
  return details?.workerShutdown ? 'draining' : 'let go';
}

/** Whether it is the error that Node's timers throw when their signal is aborted. */
const isAbort = (error: unknown): boolean => error instanceof Error && error.name === 'AbortError';

export const drained = (host: string): SealError =>
  new SealError('Drained', `${host} is drained (sealflow undrain ends that)`, { host });

export const draining = (host: string): SealError =>
  new SealError('Draining', `${host} is shutting down`, { host });
