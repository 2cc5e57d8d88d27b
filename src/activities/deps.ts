/** What the activities of a worker need from it. */
import type { EngineStarter } from '../attempts/start.js';
import type { HostIdentity } from '../attempts/processes.js';
import type { GroupDirectory } from '../paths.js';
import type { PhaseId, SectorSize } from '../phases.js';

export interface Deps {
  self: HostIdentity;
  /** Name of this worker process, for job files. */
  worker: string;
  /** Of sealflow. */
  version: string;
  engines: EngineStarter;
  /** Mounted directories of config.toml. */
  storageNodes: readonly string[];
  /** Ceiling of each copy; 0 is none. */
  copyLimitBytesPerSec: number;
  /** The group's directory, checked anew. @throws failure `NotOfGroup` when this host does not see it; MountHungError. */
  groupDirectory(group: number): Promise<GroupDirectory>;
  /** Takes a slot of the phase's pool; undefined when it is full. */
  enterSlot(phase: PhaseId): (() => void) | undefined;
  /** Whether local_dir has room for a new sector. */
  hasRoom(group: GroupDirectory, size: SectorSize): Promise<boolean>;
  /** CPUs that P2 and P3 run on; undefined: all. */
  cores: readonly number[] | undefined;
}
