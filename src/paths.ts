/**
 * Where a sector's files lie, in the group's directory and on a storage node. Every path of sealflow's is made here, from
 * names that are checked here, so that nothing can point outside.
 */
import { basename, join, sep } from 'node:path';
import type { EnginePhaseId, SectorSize } from './phases.js';
import { parseSectorFileName, sectorFileName, type SectorId } from './sector.js';

/** A group's directory as this host sees it. */
export interface GroupDirectory {
  /** `local_dir`. */
  root: string;
  /** One name per group below `nfs/`: the storage node's in the old system. */
  subdirectory: string;
}

/** A group's directory whose marker was read. */
export interface OpenGroup extends GroupDirectory {
  /** The marker's random ID: unique, also between chains. */
  id: string;
}

/** Whether a name can only mean a direct child. */
export const isPlainName = (name: string): boolean => /^[A-Za-z0-9_-][A-Za-z0-9._-]*$/.test(name);

/** @throws RangeError when it is none. */
export function plainName(name: string): string {
  if (!isPlainName(name)) throw new RangeError(`not a plain file name: ${JSON.stringify(name)}`);
  return name;
}

/** Whether a path lies below another; both absolute and without `..`. */
export const isWithin = (path: string, other: string): boolean =>
  path.startsWith(other.endsWith(sep) ? other : `${other}${sep}`);

export const markerFile = (localDir: string): string => join(localDir, 'sealflow.json');

const groupSubdirectory = ({ root, subdirectory }: GroupDirectory): string =>
  join(root, 'nfs', plainName(subdirectory));
/** The sectors' directories. */
export const cacheDir = (group: GroupDirectory): string => join(groupSubdirectory(group), 'cache');
/** Hard links to the replicas, for people. */
export const sealedDir = (group: GroupDirectory): string => join(groupSubdirectory(group), 'sealed');
/** Notes on sectors that P6 or an abort has deleted. */
export const doneDir = (group: GroupDirectory): string => join(groupSubdirectory(group), 'done');
/** Notes on hosts that are drained, one per host. */
export const drainedDir = (group: GroupDirectory): string => join(groupSubdirectory(group), 'drained');
/** Notes on what P1 and P2 took, one per host, size and phase. */
export const durationsDir = (group: GroupDirectory): string => join(groupSubdirectory(group), 'durations');
/** The directories of a group in the order in which they are made, each inside an earlier one. */
export const groupDirectories = (group: GroupDirectory): string[] => [
  join(group.root, 'nfs'),
  groupSubdirectory(group),
  cacheDir(group),
  sealedDir(group),
  doneDir(group),
  drainedDir(group),
  durationsDir(group),
];

export const sectorDir = (group: GroupDirectory, sector: SectorId): string =>
  join(cacheDir(group), sectorFileName(sector));
export const sealedLink = (group: GroupDirectory, sector: SectorId): string =>
  join(sealedDir(group), sectorFileName(sector));
export const doneFile = (group: GroupDirectory, sector: SectorId): string =>
  join(doneDir(group), `${sectorFileName(sector)}.json`);

/** The note of an abort: who deleted the sector, and which runs must not make it again. */
export const abortedFile = (group: GroupDirectory, sector: SectorId): string =>
  join(doneDir(group), `${sectorFileName(sector)}.aborted.json`);

/** Logs of the engines of a sector that P6 or an abort has deleted, for people: one gzip text. */
export const keptLogs = (group: GroupDirectory, sector: SectorId, deletedBy: 'P6' | 'abort'): string =>
  join(doneDir(group), `${sectorFileName(sector)}${deletedBy === 'abort' ? '.aborted' : ''}.logs.gz`);

/** Names of sector directories that P6 or an abort has renamed away and is deleting: `.gone-s-t01000-7-<uuid>`. */
export const goneName = (sector: SectorId, uuid: string): string =>
  `.gone-${sectorFileName(sector)}-${plainName(uuid)}`;
export const isGoneName = (sector: SectorId, name: string): boolean =>
  name.startsWith(`.gone-${sectorFileName(sector)}-`) && isPlainName(name.slice(1));

const DELETING = '.deleting';
/** Name of one whose logs were kept, as far as they can be: from here on its files are deleted. */
export const deletingName = (gone: string): string => `${gone}${DELETING}`;
export const isDeletingName = (gone: string): boolean => gone.endsWith(DELETING);

// ---- attempts: <sector directory>/<epoch>/<phase>-<number> ----

export interface AttemptName {
  epoch: number;
  phase: EnginePhaseId;
  /** 1, 2, … within epoch and phase. */
  number: number;
}

const NUMBER = /^[1-9][0-9]{0,8}$/;
const ATTEMPT = /^(P[1-5])-([1-9][0-9]{0,8})$/;

/** `2` → 2; undefined for all names that are no epoch's. */
export const parseEpoch = (name: string): number | undefined =>
  NUMBER.test(name) ? Number(name) : undefined;

export function parseAttempt(epoch: number, name: string): AttemptName | undefined {
  const match = ATTEMPT.exec(name);
  return match ? { epoch, phase: match[1] as EnginePhaseId, number: Number(match[2]) } : undefined;
}

/** One that was made. */
export interface Attempt extends AttemptName {
  /** `2/P2-3` */
  at: string;
  directory: string;
}

/** Attempts that no longer count keep their number under another name: `invalidated-P2-3` by a step back, `gone-P2-3` when superseded. */
export const invalidatedName = ({ phase, number }: AttemptName): string => `invalidated-${phase}-${number}`;
export const goneAttemptName = ({ phase, number }: AttemptName): string => `gone-${phase}-${number}`;
export const parseInvalidatedAttempt = (epoch: number, name: string): AttemptName | undefined =>
  name.startsWith('invalidated-') ? parseAttempt(epoch, name.slice('invalidated-'.length)) : undefined;
const RETIRED = /^(?:invalidated|gone)-/;
/** Like {@link parseAttempt}, retired attempts included: their numbers are never given again. */
export const parseAnyAttempt = (epoch: number, name: string): AttemptName | undefined =>
  parseAttempt(epoch, name.replace(RETIRED, ''));

/** `2/P2-3`. */
export const formatAt = ({ epoch, phase, number }: AttemptName): string => `${epoch}/${phase}-${number}`;

/** @throws RangeError when `at` is not like `2/P2-3`. */
export function parseAt(at: string): AttemptName {
  const [epochName = '', attemptName = '', ...rest] = at.split('/');
  const epoch = parseEpoch(epochName);
  const attempt = epoch === undefined ? undefined : parseAttempt(epoch, attemptName);
  if (!attempt || rest.length > 0) throw new RangeError(`not an attempt: ${JSON.stringify(at)}`);
  return attempt;
}

export const epochDir = (sectorDirectory: string, epoch: number): string =>
  join(sectorDirectory, String(epoch));
export const attemptDir = (sectorDirectory: string, at: string): string =>
  join(sectorDirectory, formatAt(parseAt(at)));

// ---- a storage node ----

/** A storage node is named by the last component of its directory. */
export const nodeName = (directory: string): string => basename(directory);

/** Subtrees of tree-r-last, each a file of its own (rust-fil-proofs `get_base_tree_count`). */
const SUBTREES: Partial<Record<SectorSize, number>> = { '32GiB': 8, '64GiB': 16 };

/** Files of a sector that are stored for good, as its attempts name them: the same as after lotus `ClearCache`. */
export function retainedFiles(size: SectorSize): string[] {
  const subtrees = SUBTREES[size];
  const trees =
    subtrees === undefined
      ? ['sc-02-data-tree-r-last.dat']
      : Array.from({ length: subtrees }, (_, i) => `sc-02-data-tree-r-last-${i}.dat`);
  return ['sealed', 'p_aux', 't_aux', ...trees];
}

/** Paths on a storage node, relative to it: the layout that lotus, curio and venus read. */
export const stored = {
  sealed: (sector: SectorId): string => join('sealed', sectorFileName(sector)),
  cache: (sector: SectorId): string => join('cache', sectorFileName(sector)),
  receipt: (sector: SectorId): string => join('receipts', `${sectorFileName(sector)}.json`),
  /** `s-t01000-7.json` → t01000/7; undefined for all names that are no receipt's. */
  sectorOfReceipt: (name: string): SectorId | undefined =>
    name.endsWith('.json') ? parseSectorFileName(name.slice(0, -'.json'.length)) : undefined,
  /** Staging directories: one for each unfinished copy. */
  stagingRoot: '.sealflow',
  stagingDirectory: (sector: SectorId, uuid: string): string =>
    join('.sealflow', `${sectorFileName(sector)}.${plainName(uuid)}`),
} as const;
