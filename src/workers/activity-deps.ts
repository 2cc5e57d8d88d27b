/** Puts together what the activities of a pool need. */
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Deps } from '../activities/index.js';
import { Journal } from '../activities/journal.js';
import type { Config } from '../config.js';
import { hostIdentity, startTimeOf, workerName } from '../engines/processes.js';
import type { EngineStarter } from '../engines/start.js';
import type { Durations } from '../group/durations.js';
import { VERSION } from '../version.js';
import type { Capacity } from './capacity.js';
import { isWide } from './cores.js';
import type { DiskWatch } from './disk-watch.js';
import type { HostReadiness } from './host-readiness.js';
import type { SlotPool } from './slots.js';

/** The parts of a host. */
export interface Host {
  ready: HostReadiness;
  capacity: Capacity;
  engines: EngineStarter;
  diskWatch: DiskWatch;
  journal: Journal;
  durations: Durations;
}

export async function createDeps(
  config: Config,
  { ready, capacity, engines, diskWatch, journal, durations }: Host,
  slots: SlotPool,
): Promise<Deps> {
  const { room, memory, cores, seats } = capacity;
  const own = { pid: process.pid, startTime: startTimeOf(process.pid) };
  return {
    identity: {
      ...(await hostIdentity(config.ip)),
      worker: workerName(config.ip, own),
      version: VERSION,
    },
    engines,
    slots: { enter: (work, patience) => slots.enterWithin(work, patience), isDrained: slots.isDrained },
    journal,
    durations,
    scratch: {
      openGroup: (group) => ready.group.open(group),
      shortage: (group, sector) => room.shortage(group, sector),
      oneAtATime: (admit) => room.oneAtATime(admit),
      onRoomMade: () => void capacity.refreshRoom(),
      cleanAfter: config.cleanAfter,
    },
    nodes: {
      directories: config.storageNodes,
      check: ready.checkNode,
      verifyMounted: ready.verifyMounted,
      copyLimits: copyLimitsOf(config),
    },
    resources: {
      coresOf: async (phase, sector) =>
        phase === 'P1' ? await seats.take(sector) : { cores: isWide([phase]) ? cores.wide : undefined },
      reserveMemory: (sector) => memory.reserve(sector),
      diskLoad: () => diskWatch.latest,
      parametersFailed: ready.parametersFailed,
    },
  };
}

/** A tmpfs: state shared by running copies is useless after a reboot of the host. */
const SHARED_MEMORY = '/dev/shm';

function copyLimitsOf({
  copyLimitBytesPerSec,
  copyLimitTotalBytesPerSec,
}: Config): Deps['nodes']['copyLimits'] {
  const each = copyLimitBytesPerSec;
  if (copyLimitTotalBytesPerSec === 0) return { each };
  const directory = existsSync(SHARED_MEMORY) ? SHARED_MEMORY : tmpdir();
  const path = join(directory, `sealflow-copies-${process.getuid?.() ?? 0}`);
  return { each, shared: { limitBytesPerSec: copyLimitTotalBytesPerSec, path } };
}
