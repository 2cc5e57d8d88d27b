/** What the activities of a worker need from it. */
import type { HostIdentity } from '../engines/processes.js';
import type { EngineStarter } from '../engines/start.js';
import type { DiskBusy } from '../heartbeat.js';
import type { GroupDirectory, OpenGroup } from '../paths.js';
import type { PhaseId } from '../phases.js';
import type { Nodes } from '../storage/choose-node.js';

export interface Deps {
  identity: WorkerIdentity;
  engines: EngineStarter;
  slots: Slots;
  scratch: GroupScratch;
  nodes: StorageNodes;
  resources: HostResources;
}

/** Who does the work. */
interface WorkerIdentity extends HostIdentity {
  /** Name of this worker process, for job files. */
  worker: string;
  /** Of sealflow. */
  version: string;
}

/** What is done in a slot. */
export interface Work {
  phase: PhaseId;
  /** As a file name: `s-t01000-7`. */
  sector: string;
}

/** A slot of a pool, taken by a task. */
export interface Slot {
  /** Gives it back. */
  leave(): void;
  /** Leaves it to the task's engine, which goes on without the task. */
  leaveToEngine(): void;
}

/** The slots of the task's pool. */
interface Slots {
  /** Takes one: that of the sector's own engine, or a free one; undefined when all are taken. */
  enter(work: Work): Slot | undefined;
}

/** The groups' directories, where sectors are sealed. */
interface GroupScratch {
  /** A group's directory, checked anew. @throws NotOfGroupError when this host does not see it; MountHungError */
  openGroup(group: number): Promise<OpenGroup>;
  /** Why it does not hold one more sector (its own directory, of that name, not counted); undefined when it does. */
  shortage(group: GroupDirectory, sector: string): Promise<string | undefined>;
  /** Runs admissions of this worker's sectors one after the other. */
  oneAtATime<T>(admit: () => Promise<T>): Promise<T>;
  /** To be called when a sector's scratch has been given back. */
  onRoomMade(): void;
  /** With `landed` P6 waits until the proof is reported to be on chain. */
  cleanAfter: 'proof' | 'landed';
}

/** The storage nodes of this host. */
interface StorageNodes extends Nodes {
  /** Whether one is mounted, so that what is not found on it is not there. @throws MountWrongError; MountHungError */
  verifyMounted(directory: string): Promise<void>;
  copyLimits: CopyLimits;
}

/** Ceilings of copies. */
interface CopyLimits {
  /** Of each copy, in bytes per second; 0 is none. */
  each: number;
  /** Of all copies of this host together, in bytes per second, and the host's file that their engines share it by. */
  shared?: { limitBytesPerSec: number; path: string };
}

/** What engines of this host share. */
interface HostResources {
  /** CPUs that a phase's engines run on; undefined: all. */
  coresOf(phase: PhaseId): readonly number[] | undefined;
  /**
   * Reserves the memory that the P4 of a sector takes.
   * @returns a function that gives it back, or why it is not there
   */
  reserveMemory(sector: string): Promise<(() => void) | string>;
  /** The busiest disk of local_dir at the last look; undefined where it is not on disks of this host. */
  diskLoad(): DiskBusy | undefined;
}
