/** Checks of the directories that this host works in: local_dir and each storage node. */
import type { Config } from '../config.js';
import { ifPresent, isErrno } from '../files.js';
import { statfs } from '../mounts/remote-fs.js';
import { cacheDir, doneDir, sealedDir, type GroupDirectory } from '../paths.js';
import { NotOfGroupError, readMarker } from '../group/marker.js';
import { Scratch } from '../group/scratch.js';
import { slotsOf } from './checks/config.js';
import { checkGroup } from './checks/group.js';
import { judgeLoad, measureLoad } from './checks/load.js';
import { judgeNfs } from './checks/nfs.js';
import { judgeNode } from './checks/node.js';
import { judgeOwner, ownershipOf } from './checks/owner.js';
import { probe } from './checks/probe.js';
import { judgeNodes, judgeRoom, type NodeRoom } from './checks/room.js';
import { judgeSystemDisk, placeOf } from './checks/system-disk.js';
import { fail, ok, skipped, type Verdict } from './finding.js';
import type { Check } from './run-checks.js';

export const groupCheck = (config: Config, namespace: string): Check => ({
  name: `group ${config.localDir}`,
  look: () => checkGroup(config, namespace),
});

/** A directory that is not there is told once, by this. */
export const diskCheck = (config: Config, directory: string): Check => ({
  name: `disk ${directory}`,
  look: async () => {
    const state = await seen(directory);
    if (state === 'there') return judgeSystemDisk(await placeOf(directory), config.allowSystemDisk);
    if (state !== 'not there') return skipped(state);
    const hint = `make it, or mount it (\`findmnt ${directory}\`)`;
    return fail(`${directory} is not there`, 'a mounted directory', hint);
  },
});

export const nfsCheck = (directory: string): Check => ({
  name: `nfs ${directory}`,
  look: ifThere(directory, async () => judgeNfs((await placeOf(directory)).mount)),
});

export const ownerCheck = (config: Config, directory: string): Check => ({
  name: `owner ${directory}`,
  look: async () => {
    if ((await seen(directory)) === 'not there') return skipped('not there');
    // The first that is not in order hides those below it.
    let verdict = ok('');
    for (const path of await workPaths(config, directory)) {
      verdict = judgeOwner(await ownershipOf(path));
      if (verdict.result !== 'ok') break;
    }
    return verdict;
  },
});

/** fsync waits for what others have written to the same disk: on a busy P1 host that takes its time. */
const PROBE_DEADLINE_MS = 60_000;

/** What a directory is tried with, and how busy it is. */
export const trials = (config: Config, directory: string): Check[] => [
  {
    name: `probe ${directory}`,
    deadlineMs: PROBE_DEADLINE_MS,
    look: ifThere(directory, async () => probe((await workPaths(config, directory)).at(-1) ?? directory)),
  },
  {
    name: `load ${directory}`,
    look: ifThere(directory, async () => judgeLoad(await measureLoad((await placeOf(directory)).disks))),
  },
];

/** Of each storage node. Without a marker the place of the group is not known; what lies in local_dir is known all the same. */
export const nodeChecks = (config: Config): Check[] =>
  config.storageNodes.map((node) => ({
    name: `node ${node}`,
    look: ifThere(node, async () => {
      const group = (await groupDirectory(config)) ?? { root: config.localDir, subdirectory: 'none' };
      const others = config.storageNodes.slice(0, config.storageNodes.indexOf(node));
      return judgeNode(node, group, others);
    }),
  }));

/** All files of all sectors are looked at, over NFS too. */
const ROOM_DEADLINE_MS = 60_000;

/** Room for the sectors that this host takes. */
export function roomChecks(config: Config): Check[] {
  const { localDir, storageNodes, size } = config;
  return [
    {
      name: `room ${localDir}`,
      deadlineMs: ROOM_DEADLINE_MS,
      look: async () => {
        if (slotsOf(config, 'P1') === 0) return skipped('P1 is not served here');
        const group = await groupDirectory(config);
        if (!group) return skipped('not the directory of the group');
        return judgeRoom(config, await new Scratch(config.size).measure(group));
      },
    },
    ...(storageNodes.length > 0
      ? [{ name: 'storage nodes', look: async () => judgeNodes(await measureNodes(storageNodes), size) }]
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

/** Where this host makes files: the directories of the group, deeper than local_dir, may have other owners; sectors' last. */
async function workPaths(config: Config, directory: string): Promise<string[]> {
  const group = directory === config.localDir ? await groupDirectory(config) : undefined;
  return group ? [directory, doneDir(group), sealedDir(group), cacheDir(group)] : [directory];
}

/** Whom a directory lets in is told by the check of its owner. */
const seen = async (directory: string): Promise<'there' | 'not there' | 'may not be entered'> =>
  await ifPresent(statfs(directory)).then(
    (found) => (found ? 'there' : 'not there'),
    (error: unknown) => {
      if (!isErrno(error, 'EACCES')) throw error;
      return 'may not be entered';
    },
  );

const ifThere =
  (directory: string, look: () => Promise<Verdict>): (() => Promise<Verdict>) =>
  async () => {
    const state = await seen(directory);
    return state === 'there' ? await look() : skipped(state);
  };
