/**
 * Every failure that an activity can report, what it means, and how it is recovered from. Free of Temporal, usable in workflows. What only needs time is retried by the server, without an event in the history: `activities/retry-at-server.ts`. The rest reaches the
 * workflow (`workflows/core/reduce.ts`), which does what this table says.
 */
import type { EnginePhaseId, Times } from './phases.js';

/**
 * - `hand back`: the task goes back to the server, which offers it again after a `delay`, to any host; no fault
 * - `retry`: an outage; retried at the server after a growing delay, however often
 * - `retry counted`: retried at the server after a growing delay; counts, and too many without progress need attention
 * - `reschedule`: the workflow schedules the phase anew, before new work; no fault of the phase
 * - `step back`: an earlier phase runs again
 * - `new ticket`: a ticket that was drawn from the chain is drawn anew; one that a person has given needs that person
 * - `attention`: waits for a person; nothing is lost
 * - `await landed`: the phase waits until upstream has reported that the proof is on chain
 * - `fail`: the workflow fails: there is nothing left to do
 */
type Recovery =
  | 'hand back'
  | 'retry'
  | 'retry counted'
  | 'reschedule'
  | 'step back'
  | 'new ticket'
  | 'attention'
  | 'await landed'
  | 'fail';

export interface FailureKind {
  recovery: Recovery;
  meaning: string;
  /** What an operator can do. */
  hint: string;
  /** After this many without progress it needs attention. With `retry counted`: 5 unless another number is given. */
  max?: number;
  /** In place of `hint` when it came up again and again. */
  repeatedHint?: string;
  /** Of hand-backs: the first delay, which doubles, and the longest. */
  delay?: readonly [first: keyof Times, max: keyof Times];
  /** Delays are randomized, so that two hosts that were in each other's way do not retry at the same time. */
  spread?: true;
}

/** May change within seconds. */
const SOON = ['noSlotFirst', 'noRoomMax'] as const;
/** Takes a while: another sector must end, or a person act. */
const LATER = ['noSlotMax', 'noRoomMax'] as const;

export const FAILURES = {
  NoSlot: {
    recovery: 'hand back',
    delay: ['noSlotFirst', 'noSlotMax'],
    meaning: 'all slots of this pool are taken',
    hint: 'nothing: it is retried within seconds',
  },
  Drained: {
    recovery: 'hand back',
    delay: SOON,
    meaning: 'the host is drained: it takes no new work',
    hint: 'nothing, if another host serves the phase; else sealflow undrain --config <file> on that host',
  },
  NoRoom: {
    recovery: 'hand back',
    delay: LATER,
    spread: true,
    meaning: 'local_dir has no room for one more sector',
    hint: 'nothing, or add disk: each P6 frees space',
  },
  NoMemory: {
    recovery: 'hand back',
    delay: LATER,
    meaning: 'the host has too little free memory for P4',
    hint: 'lower BELLMAN_PROOF_THREADS in [engine] environment, or let fewer P4 run at once on that host',
  },
  NotOfGroup: {
    recovery: 'hand back',
    delay: LATER,
    meaning: 'this host does not see the directory of the group',
    hint: 'mount local_dir of the group on this host, and look at its worker log',
  },
  NoStorage: {
    recovery: 'hand back',
    delay: SOON,
    meaning: 'this host does not have the storage nodes',
    hint: 'nothing, if another host of the group has them',
  },
  BusyElsewhere: {
    recovery: 'hand back',
    delay: ['busyElsewhereFirst', 'busyElsewhereMax'],
    meaning: 'an engine on another host is working on this phase',
    hint: 'nothing: its own host takes the result, or another one follows when it is dead',
  },
  TooNew: {
    recovery: 'hand back',
    delay: LATER,
    meaning: 'the job was made by a newer sealflow than this worker',
    hint: 'upgrade the workers of this host',
  },
  Draining: {
    recovery: 'reschedule',
    meaning: 'the worker is shutting down; its engine continues',
    hint: 'nothing: the restarted worker adopts the engine',
  },
  LostWorker: {
    recovery: 'reschedule',
    meaning: 'no heartbeat: the worker died, or its host is cut off',
    hint: 'look at the host if it does not come back',
  },
  Overtaken: {
    recovery: 'reschedule',
    meaning: 'a later claim of the same run is in force (after a step back, or from before a lost database)',
    hint: 'nothing',
  },
  ClaimedByOther: {
    recovery: 'attention',
    meaning: 'another workflow run has claimed this sector',
    hint: 'find out which one should seal it (epoch.json names it); retry takes the sector back',
  },
  NoSpace: {
    recovery: 'retry',
    meaning: 'the disk is full',
    hint: 'free space in local_dir or on the storage node; it is retried automatically',
  },
  MountMissing: {
    recovery: 'retry',
    meaning: 'a directory that should be mounted is not there, or is not what it should be',
    hint: 'mount it, or fix what the message names; it is retried automatically',
  },
  MountHung: {
    recovery: 'hand back',
    delay: SOON,
    meaning: 'a mounted directory does not answer',
    hint: 'check its server, and dmesg on the host; everything continues once it answers',
  },
  PassingFault: {
    recovery: 'retry counted',
    meaning: 'an I/O error',
    hint: 'look at the log of the attempt and at the disks of the host',
  },
  EngineDied: {
    recovery: 'retry counted',
    meaning: 'the engine ended without result or error (killed, out of memory, host lost)',
    hint: 'look for the OOM killer and at the log of the attempt',
  },
  Panic: {
    recovery: 'retry counted',
    meaning: 'the engine hit a bug, or a file that it cannot read',
    hint: 'look at the log of the attempt',
  },
  Hung: {
    recovery: 'retry counted',
    meaning: 'the engine made no progress and was stopped',
    hint: 'look at the disks and at dmesg of the host',
  },
  TimedOut: {
    recovery: 'reschedule',
    max: 5,
    meaning: 'the phase took longer than its limit',
    hint: 'look at the host: slow disks, too many phases at once',
  },
  Unknown: {
    recovery: 'retry counted',
    meaning: 'an error that sealflow does not know',
    hint: 'look at the worker log, and report it',
  },
  StepBack: {
    recovery: 'step back',
    meaning: 'files of an earlier phase are damaged or missing',
    // Shown only if the failure does not name the phase that repairs it; otherwise that phase runs again.
    hint: 'look at the log of the attempt for what is damaged, then retry --from the phase that made it',
    repeatedHint:
      'the same damage has come back: look at the disks and the memory of the hosts that made these files, then retry',
  },
  CopyDamaged: {
    recovery: 'retry counted',
    max: 2,
    meaning: 'the storage node holds other bytes than were written',
    hint: 'look at the disks and the network of the storage node before more is copied to it, then retry',
  },
  BadInput: {
    recovery: 'attention',
    meaning: 'the engine refuses the job',
    hint: 'engine and sealflow may be of different versions; look at the log of the attempt',
  },
  MissingParameters: {
    recovery: 'retry',
    meaning: 'the proof parameters are not on this host, or are damaged',
    hint: 'sealflow setup --parameters <size> on that host (test sizes: delete a damaged file first), or set FIL_PROOFS_PARAMETER_CACHE',
  },
  CopyDiffers: {
    recovery: 'attention',
    meaning: 'the storage node holds a different file under the final name of this sector',
    hint: 'find out whose file it is, move it away unless it is the scratch, then retry',
  },
  NotOurs: {
    recovery: 'attention',
    meaning: 'the sector holds a file that sealflow did not make; deletion stopped there',
    hint: 'move away the file that the message names, then retry',
  },
  ChangedCommR: {
    recovery: 'attention',
    meaning: 'P2 ran again and computed a different commR from the published one',
    hint: 'if the old commR is not on chain: retry --accept-commr',
  },
  ChainDiffers: {
    recovery: 'attention',
    meaning: 'the chain holds another commR for this sector than P2 has computed',
    hint: 'find out who pre-committed that sector number, and from which files: no proof of this replica can land for it',
  },
  TicketStale: {
    recovery: 'new ticket',
    meaning: 'too little is left of the ticket: the pre-commit would come, or has come, too late',
    hint: 'draw a newer one: retry --ticket HEX@EPOCH, or --draw-ticket if the sector follows the chain',
  },
  NotLanded: {
    recovery: 'await landed',
    meaning: 'the scratch is kept until the proof is on chain ([clean] after = "landed")',
    hint: 'sealflow landed <sector>, once the message with the proof has landed',
  },
  AlreadySealed: {
    recovery: 'fail',
    meaning: 'this sector is already sealed',
    hint: 'sealflow status shows where it lies',
  },
  Aborted: {
    recovery: 'fail',
    meaning: 'the sector was aborted, its files were deleted',
    hint: 'sealflow start seals it anew',
  },
  InvalidInput: {
    recovery: 'fail',
    meaning: 'the workflow was started with wrong input',
    hint: 'sealflow start checks the input before it starts',
  },
} as const satisfies Record<string, FailureKind>;

export type FailureType = keyof typeof FAILURES;

export const isFailureType = (type: unknown): type is FailureType =>
  typeof type === 'string' && Object.hasOwn(FAILURES, type);

/** What goes with a failure from the activity to the workflow. */
export interface FailureDetails {
  /** The attempt that failed, `1/P2-3`. */
  at?: string;
  host?: string;
  /** With StepBack: the earliest phase that mends it. */
  from?: EnginePhaseId;
  /** Units of work that are safe on disk (layers); a growing number means progress. */
  recorded?: number;
  /** The scratch was renamed away: the sector is sealed, only deleting is left. */
  stored?: true;
  /** With Overtaken: the claim of this run that is in force. */
  claim?: number;
  /** With TicketStale: what P1 and P2 take on that host, in ms. */
  needsMs?: number;
  /** With TicketStale: not even a ticket that is drawn now would last so long. */
  noTicketLasts?: true;
}

/** A failure as the workflow knows it. */
export interface Failure {
  type: FailureType;
  message: string;
  details: FailureDetails;
}
