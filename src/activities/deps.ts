/** What the activities of a worker need from it. */
import type { EngineStarter } from '../attempts/start.js';
import type { HostIdentity } from '../attempts/processes.js';
import type { DiskBusy } from '../heartbeat.js';
import type { GroupDirectory, OpenGroup } from '../paths.js';
import type { PhaseId } from '../phases.js';
import type { Nodes } from '../storage/choose-node.js';

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

/** Ceilings of copies. */
interface CopyLimits {
  /** Of each copy, in bytes per second; 0 is none. */
  each: number;
  /** Of all copies of this host together, in bytes per second, and the host's file that their engines share it by. */
  shared?: { limitBytesPerSec: number; path: string };
}

export interface Deps extends Nodes {
  self: HostIdentity;
  /** Name of this worker process, for job files. */
  worker: string;
  /** Of sealflow. */
  version: string;
  engines: EngineStarter;
  /** Whether a storage node is there, so that what is not found on it is not there. @throws MountWrongError; MountHungError */
  verifyMounted(directory: string): Promise<void>;
  copyLimits: CopyLimits;
  /** With `landed` P6 waits for the word that the proof is on chain. */
  cleanAfter: 'proof' | 'landed';
  /** The group's directory, checked anew. @throws failure `NotOfGroup` when this host does not see it; MountHungError. */
  groupDirectory(group: number): Promise<OpenGroup>;
  /** Takes a slot of the phase's pool: that of the sector's own engine, or a free one; undefined when it is full. */
  enterSlot(work: Work): Slot | undefined;
  /** Why local_dir does not hold one more sector (its own directory, of that name, not counted); undefined when it does. */
  whyNoRoom(group: GroupDirectory, sector: string): Promise<string | undefined>;
  /** Runs admissions of this worker's sectors one after the other. */
  oneAtATime<T>(admit: () => Promise<T>): Promise<T>;
  /** Told when a sector's scratch has been given back. */
  onRoomMade(): void;
  /**
   * Reserves the memory that the P4 of a sector takes.
   * @returns a function that gives it back, or why it is not there
   */
  reserveMemory(sector: string): Promise<(() => void) | string>;
  /** The busiest disk of local_dir as of the last look; undefined where it is not on disks of this host. */
  diskLoad(): DiskBusy | undefined;
  /** CPUs that a phase's engines run on; undefined: all. */
  coresOf(phase: PhaseId): readonly number[] | undefined;
}
