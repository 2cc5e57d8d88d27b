/** The directory of `sealflow dev`: one group, one storage node, and the config of its host. */
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { stringify } from 'smol-toml';
import { cacheDir, doneDir, type GroupDirectory } from '../paths.js';
import { PHASES, SECTOR_SIZES, type PhaseId, type SectorSize } from '../phases.js';
import { sectorName, type SectorId } from '../sector.js';
import { allowedCpus } from '../machine/topology.js';
import { setUpGroupDirectory } from '../group/marker.js';

export const DEV_GROUP = 1;
/** Actor ID of the miner that dev's sectors belong to. */
const DEV_MINER = '1000';
const DEV_IP = '127.0.0.1';
const NODE = 'node-1';

/** P4 and P5 of a sector run at the same time, and P1 of the next ones beside them. */
const POOLS: readonly (readonly PhaseId[])[] = [['P1'], ['P2', 'P3'], ['P4'], ['P5'], ['P6']];

export interface DevHome {
  directory: string;
  serverData: string;
  storageNode: string;
  logs: string;
  group: GroupDirectory;
}

/** Its default: in the user's state directory, as its sectors must outlive a clone. */
export const defaultDevDirectory = (): string =>
  join(process.env['XDG_STATE_HOME'] || join(homedir(), '.local', 'state'), 'sealflow', 'dev');

/** Makes what is missing and changes nothing that is there. @throws UserError without write permission */
export async function openDevHome(given: string): Promise<DevHome> {
  const directory = resolve(given);
  const localDir = join(directory, 'sealer');
  const storageNode = join(directory, 'storage', NODE);
  const logs = join(directory, 'logs');
  for (const path of [localDir, storageNode, logs]) await mkdir(path, { recursive: true });
  const { subdirectory } = await setUpGroupDirectory(localDir, DEV_GROUP, NODE);
  return {
    directory,
    serverData: join(directory, 'server'),
    storageNode,
    logs,
    group: { root: localDir, subdirectory },
  };
}

/** @returns the path of the config that it writes */
export async function writeConfig(home: DevHome, address: string, size: SectorSize): Promise<string> {
  const file = join(home.directory, 'host.toml');
  await writeFile(file, stringify(configOf(home, address, size)));
  return file;
}

const configOf = (home: DevHome, address: string, size: SectorSize) => ({
  scheduler_url: `http://${address}`,
  local_dir: home.group.root,
  copy_limit_mb_per_sec: 500,
  group_id: [DEV_GROUP],
  sector_size: SECTOR_SIZES[size],
  ip: DEV_IP,
  'storage-nodes': [home.storageNode],
  // Everything of dev's lies where the user's files lie.
  allow_system_disk: true,
  // Of a small machine P1 needs no cores of its own.
  engine: { reserved_cores: Math.min(2, allowedCpus().length - 1), p1_cores: 0 },
  worker: POOLS.map((phases) => ({
    num: phases[0] === 'P1' ? 10 : 1,
    supported_phase: phases.map((phase) => PHASES[phase].queueName),
    wait_sec: 1,
  })),
});

/** Sectors that are begun, and the first number that is free. */
export async function sectorsOf({ group }: DevHome): Promise<{ begun: string[]; next: number }> {
  const pattern = new RegExp(`^s-t0${DEV_MINER}-([0-9]+)(?:\\.json)?$`);
  const numbers = async (directory: string): Promise<number[]> =>
    (await readdir(directory))
      .map((name) => Number(pattern.exec(name)?.[1] ?? NaN))
      .filter((n) => !Number.isNaN(n));
  const begun = (await numbers(cacheDir(group))).sort((a, b) => a - b);
  const sealed = await numbers(doneDir(group));
  return { begun: begun.map((n) => sectorName(devSector(n))), next: Math.max(0, ...begun, ...sealed) + 1 };
}

export const devSector = (number: number): SectorId => ({ miner: DEV_MINER, number });
