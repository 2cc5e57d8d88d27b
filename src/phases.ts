/**
 * The six phases of sealing, in one table. Imports nothing, so that workflows, workers and CLI can all read it.
 */

/** Sector sizes that a proof exists for, with their bytes (rust-fil-proofs `constants.rs`). */
export const SECTOR_SIZES = {
  '2KiB': 2048,
  '8MiB': 8 * 2 ** 20,
  '512MiB': 512 * 2 ** 20,
  '32GiB': 32 * 2 ** 30,
  '64GiB': 64 * 2 ** 30,
} as const;

export type SectorSize = keyof typeof SECTOR_SIZES;

export const SECTOR_SIZE_NAMES = Object.keys(SECTOR_SIZES) as readonly SectorSize[];

/** A phase's short name. P1–P5 are computed by the engine, P6 by the worker itself. */
export type PhaseId = 'P1' | 'P2' | 'P3' | 'P4' | 'P5' | 'P6';
export type EnginePhaseId = Exclude<PhaseId, 'P6'>;

export interface Phase {
  id: PhaseId;
  /** Name in `supported_phase` of config.toml and in the task queue. */
  queueName: string;
  /** Activity type, as the Web UI shows it. */
  activity: string;
  /** One line for people. */
  title: string;
  /** Longest time of one attempt in minutes, by sector size; generous, because a stuck engine is found by its progress. */
  startToCloseMinutes: Record<SectorSize, number>;
  /** No progress and no CPU time for this long, in minutes, means that the engine hangs. */
  hangMinutes: Record<SectorSize, number>;
}

const bySize = (
  small: number,
  eight: number,
  half: number,
  thirtyTwo: number,
  sixtyFour: number,
): Record<SectorSize, number> => ({
  '2KiB': small,
  '8MiB': eight,
  '512MiB': half,
  '32GiB': thirtyTwo,
  '64GiB': sixtyFour,
});

const HOUR = 60;

// P1 at 32 GiB: up to 60 h measured by operators (Intel without SHA-NI, ten at once); it is given twice that.
const table = {
  P1: {
    id: 'P1',
    queueName: 'PreCommitPhase1',
    activity: 'preCommitPhase1',
    title: 'layers and tree-d',
    startToCloseMinutes: bySize(30, HOUR, 12 * HOUR, 120 * HOUR, 240 * HOUR),
    hangMinutes: bySize(5, 5, 15, 30, 30),
  },
  P2: {
    id: 'P2',
    queueName: 'PreCommitPhase2',
    activity: 'preCommitPhase2',
    title: 'replica, trees, commR',
    startToCloseMinutes: bySize(30, HOUR, 12 * HOUR, 48 * HOUR, 96 * HOUR),
    hangMinutes: bySize(5, 5, 15, 30, 30),
  },
  P3: {
    id: 'P3',
    queueName: 'CommitPhase1',
    activity: 'commitPhase1',
    title: 'vanilla proofs',
    startToCloseMinutes: bySize(30, HOUR, 6 * HOUR, 24 * HOUR, 48 * HOUR),
    hangMinutes: bySize(5, 5, 15, 30, 30),
  },
  P4: {
    id: 'P4',
    queueName: 'CommitPhase2',
    activity: 'commitPhase2',
    title: 'SNARK',
    startToCloseMinutes: bySize(2 * HOUR, 2 * HOUR, 6 * HOUR, 48 * HOUR, 96 * HOUR),
    hangMinutes: bySize(10, 10, 15, 30, 30),
  },
  P5: {
    id: 'P5',
    queueName: 'CopyTask',
    activity: 'copySector',
    title: 'copy to the storage node',
    startToCloseMinutes: bySize(30, HOUR, 6 * HOUR, 48 * HOUR, 96 * HOUR),
    hangMinutes: bySize(5, 5, 15, 30, 30),
  },
  P6: {
    id: 'P6',
    queueName: 'CleanTask',
    activity: 'cleanSector',
    title: 'receipt, then delete the scratch',
    startToCloseMinutes: bySize(30, 30, HOUR, 6 * HOUR, 6 * HOUR),
    hangMinutes: bySize(5, 5, 15, 30, 30),
  },
} as const satisfies Record<PhaseId, Phase>;

export const PHASES: Readonly<Record<PhaseId, Phase>> = table;
export const PHASE_IDS = Object.keys(table) as readonly PhaseId[];
export const ENGINE_PHASE_IDS = PHASE_IDS.filter((id): id is EnginePhaseId => id !== 'P6');
export const PHASE_QUEUE_NAMES = PHASE_IDS.map((id) => PHASES[id].queueName);

/** The phases whose results a phase's work depends on. */
export const DEPENDS_ON: Readonly<Record<EnginePhaseId, readonly EnginePhaseId[]>> = {
  P1: [],
  P2: ['P1'],
  P3: ['P2'],
  P4: ['P2', 'P3'],
  P5: ['P2'],
};

/** The phases that write to a storage node. */
export const NODE_PHASES: readonly PhaseId[] = ['P5', 'P6'];

/** Seconds to minutes at 32 GiB; the others take half an hour to days. */
const SHORT_PHASES: readonly PhaseId[] = ['P3', 'P6'];

/** The phase and all after it. */
export const phasesFrom = (first: PhaseId): PhaseId[] => PHASE_IDS.slice(PHASE_IDS.indexOf(first));

/** The phase of a `supported_phase` name, or undefined. */
export function phaseOfQueueName(name: string): PhaseId | undefined {
  return PHASE_IDS.find((id) => PHASES[id].queueName === name);
}

/** The size whose sectors have that many bytes, or undefined. */
export function sizeOfBytes(bytes: number): SectorSize | undefined {
  return SECTOR_SIZE_NAMES.find((name) => SECTOR_SIZES[name] === bytes);
}

/**
 * Scratch that one sector needs from P1 to P6, in bytes: 15.1 × its size (layers, trees, replica; lotus
 * `storiface/filetype.go` FsOverheadSeal without the unsealed copy).
 */
export function scratchBytes(size: SectorSize): number {
  return Math.ceil(15.1 * SECTOR_SIZES[size]);
}

/**
 * What a finished sector takes on a storage node, in bytes: the replica, and kept cache files and receipt of a few per mille
 * of it; with the small sizes of tests, whose tree-r-last is not cut, as much again.
 */
export function storedBytes(size: SectorSize): number {
  return Math.ceil((SECTOR_SIZES[size] >= SECTOR_SIZES['32GiB'] ? 1.02 : 2) * SECTOR_SIZES[size]);
}

/**
 * Every duration that the parts share, in milliseconds at scale 1. One factor scales them all, so that tests run the
 * same logic fast; phase limits (`startToCloseMinutes`, `hangMinutes`) are scaled by it too.
 */
export const TIMES = {
  /** Temporal's heartbeat timeout of an activity. */
  heartbeatTimeout: 60_000,
  /** The SDK sends at most one heartbeat in this time. */
  heartbeatThrottle: 5_000,
  /** Interval at which an activity polls its engine. */
  enginePoll: 500,
  /** Intervals at which the engine refreshes progress.json and checks its lease. */
  engineProgress: 5_000,
  engineLease: 2_000,
  /** Interval at which a worker inspects all engines of its host. */
  engineWatch: 5_000,
  /** An attempt without progress.json is given this long for its engine to appear. */
  engineStart: 30_000,
  /** A foreign engine whose counter has not changed for this long is considered dead. */
  observation: 120_000,
  /** TERM, then after this KILL. */
  terminateGrace: 5_000,
  /** A mount that does not answer a look for this long is hung; so is one that takes longer over a deletion or an fsync. */
  mountQuick: 30_000,
  mountSlow: 600_000,
  /** A task that finds its pool full waits here for a slot before it is handed back, which looks like a failure in the Web UI. */
  slotWait: 2_000,
  /** Lists show that a phase works once it has for so long, as that costs its sector five events; `status` sees it at once. */
  workShown: 5_000,
  /** The same of P3 and P6, which are over before, unless something is slow. */
  shortWorkShown: 600_000,
  /** Hand-backs: first and longest delay. */
  noSlotFirst: 100,
  noSlotMax: 10_000,
  busyElsewhereFirst: 1_000,
  busyElsewhereMax: 60_000,
  noRoomMax: 60_000,
  /** An activity that waits for the chain says so often; within so long the loss of its orchestrator is noticed. */
  chainHeartbeat: 120_000,
  /** A stop that no worker of the group has taken for this long is given up. */
  stopMax: 600_000,
  /** Backoff after a failure: first delay (doubling) and longest. */
  backoffFirst: 5_000,
  backoffMax: 600_000,
} as const;

export type Times = Record<keyof typeof TIMES, number>;

/** The table above times `scale` (1 in production), no value below 1 ms. */
export function scaledTimes(scale: number): Times {
  return Object.fromEntries(
    Object.entries(TIMES).map(([name, ms]) => [name, Math.max(1, Math.round(ms * scale))]),
  ) as Times;
}

/** How long a phase must have worked before lists show it. */
export const workShownAfter = (phase: PhaseId, { workShown, shortWorkShown }: Times): number =>
  SHORT_PHASES.includes(phase) ? shortWorkShown : workShown;
