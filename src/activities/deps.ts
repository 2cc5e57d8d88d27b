/** What the activities of a worker need from it. */
import type { HostIdentity } from '../engines/processes.js';
import type { Job } from '../engines/protocol.js';
import type { EngineStarter } from '../engines/start.js';
import type { DiskBusy } from '../heartbeat.js';
import type { GroupDirectory, OpenGroup } from '../paths.js';
import type { PhaseId } from '../phases.js';
import type { Durations } from '../group/durations.js';
import type { Nodes } from '../storage/choose-node.js';
import type { Journal } from './journal.js';

export interface Deps {
  identity: WorkerIdentity;
  engines: EngineStarter;
  slots: Slots;
  scratch: GroupScratch;
  nodes: StorageNodes;
  resources: HostResources;
  /** What P1 and P2 took on this host and in its group. */
  durations: Pick<Durations, 'needs' | 'record'>;
  journal: Journal;
}

/** The worker process, its host and its version. */
interface WorkerIdentity extends HostIdentity {
  /** Name of this worker process, for job files. */
  worker: string;
  /** Of sealflow. */
  version: string;
}

/** What a slot is taken for. */
export interface Work {
  phase: PhaseId;
  /** As a file name: `s-t01000-7`. */
  sector: string;
}

/** A slot of a pool, taken by a task. */
export interface Slot {
  /** Releases it. */
  leave(): void;
  /** Hands it over to the task's engine, which keeps running without the task. */
  leaveToEngine(): void;
}

/** How long a task waits for a slot, in ms, unless it is cancelled before. */
export interface Patience {
  ms: number;
  signal: AbortSignal;
}

/** The slots of the task's pool. */
interface Slots {
  /** Takes the slot of the sector's own engine, or a free one; undefined when all stay taken. */
  enter(work: Work, patience: Patience): Promise<Slot | undefined> | Slot | undefined;
  /** Whether this host is drained: then no engine may be started, not even in the slot of one that has just ended. */
  isDrained(): boolean;
}

/** The groups' directories, where sectors are sealed. */
interface GroupScratch {
  /** Checks and opens a group's directory. @throws NotOfGroupError when it is not mounted here; MountHungError */
  openGroup(group: number): Promise<OpenGroup>;
  /**
   * What is lacking for one more sector; undefined when there is room. The directory of the sector itself, if
   * there already, is not counted.
   */
  shortage(group: GroupDirectory, sector: string): Promise<string | undefined>;
  /** Runs admissions of this worker's sectors one after the other. */
  oneAtATime<T>(admit: () => Promise<T>): Promise<T>;
  /** To be called when a sector's scratch has been released. */
  onRoomMade(): void;
  /** With `landed`, P6 waits until the proof is reported on chain. */
  cleanAfter: 'proof' | 'landed';
}

/** The storage nodes of this host. */
interface StorageNodes extends Nodes {
  /**
   * Checks that it is mounted, so that a file not found on it does not exist.
   * @throws MountWrongError; MountHungError
   */
  verifyMounted(directory: string): Promise<void>;
  copyLimits: CopyLimits;
}

/** Rate limits of copies. */
interface CopyLimits {
  /** Of each copy, in bytes per second; 0: no limit. */
  each: number;
  /** Of all copies on this host together, in bytes per second, and the file through which the engines share it. */
  shared?: { limitBytesPerSec: number; path: string };
}

/** What engines of this host share. */
interface HostResources {
  /** Where the next engine of a sector runs. @param sector `s-t01000-7` */
  coresOf(phase: PhaseId, sector: string): Promise<Pick<Job, 'cores' | 'producers'>>;
  /**
   * Reserves the memory that a sector's P4 takes.
   * @returns a function that releases it, or what is lacking
   */
  reserveMemory(sector: string): Promise<(() => void) | string>;
  /** The busiest disk of local_dir when last measured; undefined when local_dir is not on a disk of this host. */
  diskLoad(): DiskBusy | undefined;
  /** To be called when an engine has failed for its proof parameters: the host looks at them again. */
  parametersFailed(): void;
}
