/** Checks of the directories that this host works in: local_dir and each storage node. */
import type { Config } from '../config.js';
import { ifPresent, isErrno } from '../files.js';
import { statfs } from '../mounts/remote-fs.js';
import { cacheDir, doneDir, sealedDir, type GroupDirectory } from '../paths.js';
import { drainedSince } from '../group/drained.js';
import { NotOfGroupError, readMarker } from '../group/marker.js';
import { Scratch } from '../group/scratch.js';
import type { HostStatement } from '../host-statement.js';
import { slotsOf } from './checks/config.js';
import { checkGroup } from './checks/group.js';
import { judgeLoad, measureLoad } from './checks/load.js';
import { judgeNfs } from './checks/nfs.js';
import { judgeNode } from './checks/node.js';
import { judgeOwner, ownershipOf } from './checks/owner.js';
import { probe } from './checks/probe.js';
import { judgeNodes, judgeRoom, type NodeRoom } from './checks/room.js';
import { judgeWorker } from './checks/worker.js';
import { judgeSystemDisk, placeOf } from './checks/system-disk.js';
import { fail, ok, skipped, type Verdict } from './finding.js';
import type { Check } from './run-checks.js';

export const groupCheck = (config: Config, namespace: string): Check => ({
  name: `group ${config.localDir}`,
  run: () => checkGroup(config, namespace),
});

/** The server may have to be waited for. */
const SERVER_DEADLINE_MS = 15_000;

/**
 * Before there is a worker, the note of a drained host is all that can be known.
 * @param told what the running worker tells of itself; undefined if there is none
 */
export const workerCheck = (
  config: Config,
  told: () => Promise<HostStatement | 'no server' | undefined>,
): Check => ({
  name: 'worker',
  deadlineMs: SERVER_DEADLINE_MS,
  run: async () => {
    const group = await groupDirectory(config);
    return judgeWorker(await told(), group && (await drainedSince(group, config)));
  },
});

/** The only check that reports a missing directory. */
export const diskCheck = (config: Config, directory: string): Check => ({
  name: `disk ${directory}`,
  run: async () => {
    const state = await stateOf(directory);
    if (state === 'present') return judgeSystemDisk(await placeOf(directory), config.allowSystemDisk);
    if (state !== 'missing') return skipped(state);
    const hint = `create it, or mount it (\`findmnt ${directory}\`)`;
    return fail(`${directory} does not exist`, 'a mounted directory', hint);
  },
});

export const nfsCheck = (directory: string): Check => ({
  name: `nfs ${directory}`,
  run: ifPresentAt(directory, async () => judgeNfs((await placeOf(directory)).mount)),
});

export const ownerCheck = (config: Config, directory: string): Check => ({
  name: `owner ${directory}`,
  run: async () => {
    if ((await stateOf(directory)) === 'missing') return skipped('missing');
    // Report the first problem; those further down may follow from it.
    let verdict = ok('');
    for (const path of await workPaths(config, directory)) {
      verdict = judgeOwner(await ownershipOf(path));
      if (verdict.result !== 'ok') break;
    }
    return verdict;
  },
});

/** fsync also waits for other processes' writes to the same disk, which takes long on a busy P1 host. */
const PROBE_DEADLINE_MS = 60_000;

/** Write probe and disk load of a directory. */
export const trials = (config: Config, directory: string): Check[] => [
  {
    name: `probe ${directory}`,
    deadlineMs: PROBE_DEADLINE_MS,
    run: ifPresentAt(directory, async () => probe((await workPaths(config, directory)).at(-1) ?? directory)),
  },
  {
    name: `load ${directory}`,
    run: ifPresentAt(directory, async () => judgeLoad(await measureLoad((await placeOf(directory)).disks))),
  },
];

/** One per storage node. Without a marker the group's subdirectory is unknown, but nodes in local_dir are still found. */
export const nodeChecks = (config: Config): Check[] =>
  config.storageNodes.map((node) => ({
    name: `node ${node}`,
    run: ifPresentAt(node, async () => {
      const group = (await groupDirectory(config)) ?? { root: config.localDir, subdirectory: 'none' };
      const others = config.storageNodes.slice(0, config.storageNodes.indexOf(node));
      return judgeNode(node, group, others);
    }),
  }));

/** Calls stat on every file of every sector, possibly over NFS. */
const ROOM_DEADLINE_MS = 60_000;

/** Free space for the sectors that this host takes. */
export function roomChecks(config: Config): Check[] {
  const { localDir, storageNodes, size } = config;
  return [
    {
      name: `room ${localDir}`,
      deadlineMs: ROOM_DEADLINE_MS,
      run: async () => {
        if (slotsOf(config, 'P1') === 0) return skipped('P1 is not served here');
        const group = await groupDirectory(config);
        if (!group) return skipped('not the directory of the group');
        return judgeRoom(config, await new Scratch(config.size).measure(group));
      },
    },
    ...(storageNodes.length > 0
      ? [{ name: 'storage nodes', run: async () => judgeNodes(await measureNodes(storageNodes), size) }]
      : []),
  ];
}

const measureNodes = (nodes: readonly string[]): Promise<NodeRoom[]> =>
  Promise.all(
    nodes.map(async (node) => {
      const free = await statfs(node).then(
        ({ bavail, bsize }) => bavail * bsize,
        (error: unknown) => error as Error,
      );
      return { node, free };
    }),
  );

async function groupDirectory({ localDir }: Config): Promise<GroupDirectory | undefined> {
  try {
    return { root: localDir, subdirectory: (await readMarker(localDir)).subdirectory };
  } catch (error) {
    if (error instanceof NotOfGroupError) return undefined;
    throw error;
  }
}

/**
 * Directories in which this host creates files; sectors' directory last. Those of the group, below local_dir, may have
 * other owners.
 */
async function workPaths(config: Config, directory: string): Promise<string[]> {
  const group = directory === config.localDir ? await groupDirectory(config) : undefined;
  return group ? [directory, doneDir(group), sealedDir(group), cacheDir(group)] : [directory];
}

/** Permission problems are reported by the check of the owner. */
const stateOf = async (directory: string): Promise<'present' | 'missing' | 'access denied'> =>
  await ifPresent(statfs(directory)).then(
    (found) => (found ? 'present' : 'missing'),
    (error: unknown) => {
      if (!isErrno(error, 'EACCES')) throw error;
      return 'access denied';
    },
  );

const ifPresentAt =
  (directory: string, run: () => Promise<Verdict>): (() => Promise<Verdict>) =>
  async () => {
    const state = await stateOf(directory);
    return state === 'present' ? await run() : skipped(state);
  };
