/** Storage nodes as they are found, and the sectors whose receipts lie there. */
import { join } from 'node:path';
import { ifPresent } from '../files.js';
import { lstat, readdir, stat } from '../mounts/remote-fs.js';
import { stored } from '../paths.js';
import { bySector, sectorName, type SectorId } from '../sector.js';
import { UserError } from '../user-error.js';
import type { SectorReport } from './report.js';
import { UnreadableError, unreadableReason } from './unreadable.js';

export interface StorageNode {
  directory: string;
  /** Those that have a receipt there, in order. */
  sectors: SectorId[];
  /** Why it could not be looked at. */
  problem?: string;
}

/** A sector on the storage node where its receipt lies. */
export interface StoredCopy {
  sector: SectorId;
  /** The node's directory. */
  node: string;
}

/**
 * Lists the receipts of a storage node. One that hangs or cannot be read has a `problem`.
 * @throws UserError when it is not there, or is no storage node
 */
export async function openNode(directory: string): Promise<StorageNode> {
  try {
    const receipts = await namesIn(directory, 'receipts');
    if (!receipts && !(await ifPresent(lstat(join(directory, 'sealed'))))) throw await noNode(directory);
    const sectors = (receipts ?? []).flatMap((name) => stored.sectorOfReceipt(name) ?? []);
    return { directory, sectors: sectors.sort(bySector) };
  } catch (error) {
    const problem = unreadableReason(error);
    if (problem === undefined) throw error;
    return { directory, sectors: [], problem };
  }
}

/**
 * The names in a directory of the node, sorted; undefined when there is none.
 * @throws UnreadableError for a link, which could lead anywhere
 */
export async function namesIn(node: string, name: string): Promise<string[] | undefined> {
  const path = join(node, name);
  const found = await ifPresent(lstat(path));
  if (!found) return undefined;
  if (found.isSymbolicLink()) throw new UnreadableError(`${path} is a symbolic link, which is not followed`);
  if (!found.isDirectory()) throw new UnreadableError(`${path} is no directory`);
  return (await readdir(path)).sort();
}

/** Every sector of the nodes. */
export const copiesOn = (nodes: readonly StorageNode[]): StoredCopy[] =>
  nodes.flatMap(({ directory, sectors }) => sectors.map((sector) => ({ sector, node: directory })));

/** The copies of these sectors, on whatever nodes they are; and a report for each sector that has none. */
export function findCopies(
  nodes: readonly StorageNode[],
  sectors: readonly SectorId[],
  quick: boolean,
): { copies: StoredCopy[]; missing: SectorReport[] } {
  const found = new Map<string, StoredCopy[]>();
  for (const copy of copiesOn(nodes)) {
    const name = sectorName(copy.sector);
    found.set(name, [...(found.get(name) ?? []), copy]);
  }
  const names = [...new Set(sectors.map(sectorName))];
  return {
    copies: names.flatMap((name) => found.get(name) ?? []),
    missing: names.filter((name) => !found.has(name)).map((name) => missingOn(nodes, name, quick)),
  };
}

function missingOn(nodes: readonly StorageNode[], sector: string, quick: boolean): SectorReport {
  const nothing = { sector, quick, bytes: 0, seconds: 0 };
  const looked = nodes.filter(({ problem }) => problem === undefined).map(({ directory }) => directory);
  const found = looked.length > 0 ? `no receipt on ${looked.join(', ')}` : 'no node can be looked at';
  const problems = nodes.flatMap(({ directory, problem }) => (problem ? `${directory}: ${problem}` : []));
  if (problems.length === 0)
    return { ...nothing, result: 'wrong', checks: [{ name: 'receipt', ok: false, found }] };
  return { ...nothing, result: 'not checked', checks: [], why: [found, ...problems].join('; ') };
}

async function noNode(directory: string): Promise<UserError> {
  const found = await ifPresent(stat(directory));
  if (!found) return new UserError(`${directory} is not there: is it mounted?`);
  if (!found.isDirectory()) return new UserError(`${directory} is no directory`);
  return new UserError(`${directory} is no storage node: it has neither receipts/ nor sealed/`);
}
