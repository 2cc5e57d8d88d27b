/** What all activities do around their work: version, slot, heartbeats, and telling errors in the contract's words. */
import { activityInfo, cancellationDetails, cancellationSignal, heartbeat } from '@temporalio/activity';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import type { Claimant } from '../attempts/claim.js';
import { claimName } from '../attempts/epochs.js';
import { NotOursError } from '../attempts/remove-tree.js';
import { readable, refuseNewer, TooNewError, type SealInput } from '../contract.js';
import type { HeartbeatDetails, Observation } from '../heartbeat.js';
import { bounded, failure, handBack } from '../errors.js';
import { isErrno, messageOf } from '../files.js';
import { MountWrongError } from '../mounts/guard.js';
import { MountHungError } from '../mounts/mounts.js';
import type { OpenGroup } from '../paths.js';
import { scaledTimes, TIMES, type PhaseId, type Times } from '../phases.js';
import { sectorFileName, sectorOf, type SectorId } from '../sector.js';
import type { Deps, Slot } from './deps.js';
import { growing, settle, takeOver } from './retry-at-server.js';

/** One task of an activity on this worker. */
export interface Task {
  phase: PhaseId;
  seal: SealInput;
  sector: SectorId;
  times: Times;
  scale: number;
  /** Claims epochs: the workflow's run and how often it has claimed. */
  owner: string;
  signal: AbortSignal;
  /** What an attempt of this task before saw of a foreign engine. */
  observed: Observation | undefined;
  /** Server time in ms since 1970 at which this attempt was put into the queue. */
  offeredAt: number;
  /** The earliest that the server's time can be: as if there had been no wait in the queue, of which a task is not told. */
  now(): number;
  /** 1, 2, … by Temporal's count: hand-backs of this task. */
  offered: number;
  heartbeat(details: Omit<HeartbeatDetails, 'phase' | 'host'>): void;
  /** The last heartbeat once more. */
  repeatHeartbeat(): void;
  /** The newest attempt (`1/P2-3`) whose failure an attempt of this task before has reported. */
  lastReported: string | undefined;
  /** What its failure becomes: whatever only needs time is retried by Temporal. */
  settle(failed: ApplicationFailure, isStop: boolean): ApplicationFailure;
  /** Its engine goes on without it: the slot stays taken when the task has ended. */
  detachEngine(): void;
  /** Between two steps that can be done again: @throws failure `Draining`, or the cancellation, when the task is to end. */
  throwIfCancelled(): void;
}

export type TaskInput = { v: number; seal: SealInput; claim: number; run: string };

/**
 * Runs the body of an activity: in a slot of the phase's pool where `slot` says so.
 * @throws failures of `errors.ts` only, or the SDK's cancellation.
 */
export async function runTask<T>(
  deps: Deps,
  phase: PhaseId,
  input: TaskInput,
  slot: 'in a slot' | 'outside of slots',
  body: (task: Task) => Promise<T>,
): Promise<T> {
  // Read before anything else: a newer job may mean something else by the same words.
  try {
    refuseNewer('job', input);
    refuseNewer('input of the workflow', input.seal);
  } catch (error) {
    throw toApplicationFailure(error, deps.self.host);
  }
  if (!readable(input.v)) throw failure('BadInput', `job has version ${input.v}, which is too old`);
  const end = { engineGoesOn: false };
  const task = createTask(deps, phase, input, () => {
    end.engineGoesOn = true;
  });
  const taken =
    slot === 'in a slot' ? deps.enterSlot({ phase, sector: sectorFileName(task.sector) }) : NO_SLOT;
  if (!taken) {
    const { noSlotFirst, noSlotMax } = task.times;
    throw handBack(
      'NoSlot',
      `no free slot on ${deps.self.host}`,
      growing(noSlotFirst, noSlotMax, task.offered),
    );
  }
  // Deleting 500 GB, or one call to a slow mount, may take longer than the heartbeat timeout. None at once: each is a write of
  // the server, and an engine that works tells of itself soon.
  const heartbeatTimer = setInterval(() => task.repeatHeartbeat(), task.times.heartbeatTimeout / 6);
  try {
    return await body(task);
  } catch (error) {
    // A stop or an abort is for any host of the group; a phase may have an engine here.
    if (error instanceof MountHungError && slot === 'outside of slots') throw hungHandBack(error, deps, task);
    const failed = toApplicationFailure(
      task.signal.aborted && isAbort(error) ? new CancelledFailure('told to end') : error,
      deps.self.host,
      task.scale,
    );
    throw failed instanceof ApplicationFailure ? task.settle(failed, slot === 'outside of slots') : failed;
  } finally {
    clearInterval(heartbeatTimer);
    if (end.engineGoesOn) taken.leaveToEngine();
    else taken.leave();
  }
}

const NO_SLOT: Slot = { leave: () => undefined, leaveToEngine: () => undefined };

/**
 * The group's directory, checked anew.
 * @throws hand-backs `MountHung` (another host may see it) and `NotOfGroup`
 */
export async function openGroup(deps: Deps, task: Task): Promise<OpenGroup> {
  try {
    return await deps.groupDirectory(task.seal.group);
  } catch (error) {
    if (!(error instanceof MountHungError)) throw error;
    throw hungHandBack(error, deps, task);
  }
}

/** Who claims the sector for this task. */
export const claimantOf = ({ self }: Deps, group: OpenGroup, { sector, owner }: Task): Claimant => ({
  group,
  sector,
  owner,
  host: self.host,
});

const hungHandBack = (error: MountHungError, { self }: Deps, { times, offered }: Task): ApplicationFailure =>
  handBack(
    'MountHung',
    `${self.host}: ${error.message}`,
    growing(times.noSlotFirst, times.noRoomMax, offered),
  );

function createTask(
  { self }: Deps,
  phase: PhaseId,
  { seal, claim, run }: TaskInput,
  detachEngine: () => void,
): Task {
  const info = activityInfo();
  const began = performance.now();
  const before = info.heartbeatDetails as HeartbeatDetails | undefined;
  const scale = seal.timeScale ?? 1;
  const signal = cancellationSignal();
  const times = scaledTimes(scale);
  const carried = takeOver(before?.carried, info.attempt);
  let last: HeartbeatDetails = {
    phase,
    host: self.host,
    at: '',
    step: 'looking',
    fraction: null,
    observed: before?.observed,
    carried,
  };
  return {
    phase,
    seal,
    sector: sectorOf(seal.sector),
    times,
    scale,
    owner: claimName(run, claim),
    signal,
    observed: before?.observed,
    offeredAt: info.currentAttemptScheduledTimestampMs,
    now: () => info.currentAttemptScheduledTimestampMs + (performance.now() - began),
    offered: info.attempt,
    heartbeat: (details) => {
      // Details stay with the task through hand-backs: an observation is repeated, so that it is not lost.
      const step = bounded(details.step);
      last = { observed: last.observed, carried: last.carried, ...details, step, phase, host: self.host };
      heartbeat(last);
    },
    repeatHeartbeat: () => heartbeat(last),
    lastReported: carried.lastReported,
    settle: (failed, isStop) => {
      const { attempt, priority } = info;
      const settled = settle(failed, carried, { attempt, priority: priority?.priorityKey, times, isStop });
      last = { ...last, carried: settled.carried };
      heartbeat(last);
      return settled.failure;
    },
    detachEngine,
    throwIfCancelled: () => {
      if (signal.aborted)
        throw endOfTask() === 'draining' ? draining(self.host) : new CancelledFailure('told to end');
    },
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

export const draining = (host: string): ApplicationFailure =>
  failure('Draining', `${host} is shutting down`, { host });

function toApplicationFailure(error: unknown, host: string, scale = 1): unknown {
  if (error instanceof ApplicationFailure || error instanceof CancelledFailure) return error;
  const message = error instanceof Error ? messageOf(error) : String(error);
  if (error instanceof TooNewError)
    return handBack('TooNew', `${host}: ${error.message}`, TIMES.noSlotMax * scale);
  if (error instanceof MountHungError) return failure('MountHung', message, { host });
  if (error instanceof MountWrongError) return failure('MountMissing', message, { host });
  if (error instanceof NotOursError) return failure('NotOurs', message, { host });
  if (isErrno(error, 'ENOSPC', 'EDQUOT')) return failure('NoSpace', message, { host });
  if (isErrno(error, 'ESTALE', 'ENOTCONN', 'EHOSTDOWN')) return failure('MountMissing', message, { host });
  if (error instanceof Error && 'syscall' in error) return failure('PassingFault', message, { host });
  return failure('Unknown', message, { host });
}
