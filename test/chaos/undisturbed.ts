/** After whatever was done to a sector: it must have come out as if nothing had happened, and nothing may be left of it. */
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { blake3 } from '@noble/hashes/blake3.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { expect, onTestFailed } from 'vitest';
import { cacheDir, isGoneName, sealedLink, stored } from '../../src/paths.js';
import { ENGINE_PHASE_IDS } from '../../src/phases.js';
import { sectorOf } from '../../src/sector.js';
import { computeByHand } from '../helpers/by-hand.js';
import { ENGINE } from '../helpers/engine.js';
import { eventually } from '../helpers/eventually.js';
import { readReceipt, receiptPath, verifyReceipt } from '../helpers/on-disk.js';
import { processesWith } from '../helpers/processes.js';
import { temporaryDirectory } from '../helpers/temporary.js';
import { ENGINE_ENVIRONMENT, LAYERS, type Bed, type Begun } from './bed.js';
import { tally } from './tally.js';

/** Engines that started, by phase, and layers (tree-d counts as one) that P1 computed more than once. */
export interface Work {
  starts: Record<string, number>;
  layersAgain: number;
}

/**
 * Waits until the sector is sealed, then compares it with the same one computed by hand, and looks for remains.
 * @returns the work that it took
 */
export async function expectAsUndisturbed(bed: Bed, begun: Begun): Promise<Work> {
  const { sector } = begun;
  await bed.cluster.sealed(sector);
  tally({ sealed: 1 });
  const work = await workOf(bed, sector);
  const phasesAgain = ['P2', 'P3', 'P4', 'P5'].reduce((sum, id) => sum + (work.starts[id] ?? 1) - 1, 0);
  tally({ layersAgain: work.layersAgain, phasesAgain });

  const [actual, expected] = [await outcome(bed, sector), await undisturbed(begun)];
  if (JSON.stringify(actual) !== JSON.stringify(expected)) tally({ wrong: 1 });
  expect(actual).toEqual(expected);

  onTestFailed(async () => tally({ orphans: (await remains(bed, sector)).length }));
  // An engine that was superseded ends when it next looks at its lease.
  await eventually(async () => (await enginesOf(bed, sector)).length === 0);
  expect(await remains(bed, sector)).toEqual([]);
  expect(existsSync(bed.group.done(sector))).toBe(true);
  return work;
}

interface Outcome {
  commD: string;
  commR: string;
  /** By name in the sector; those that the receipt tells, and those that lie on the storage node. */
  told: Record<string, string>;
  stored: Record<string, string>;
  proof: string;
}

/** What the receipt says, what the storage node holds, and whether the proof verifies. */
async function outcome({ group }: Bed, sector: string): Promise<Outcome> {
  const { ticket, seed, commD, commR, files } = await readReceipt(group.node, sector);
  const verified = await verifyReceipt(ENGINE, receiptPath(group.node, sector));
  const digests = async (of: (file: (typeof files)[number]) => string | Promise<string>) =>
    Object.fromEntries(
      await Promise.all(files.map(async (file) => [basename(file.name), await of(file)] as const)),
    );
  return {
    commD,
    commR,
    told: await digests((file) => file.blake3),
    stored: await digests(async ({ name }) => bytesToHex(blake3(await readFile(join(group.node, name))))),
    proof: `${verified.code} ${JSON.stringify(verified.said)} for ${ticket} ${seed}`,
  };
}

async function undisturbed({ sector, ticket, seed }: Begun): Promise<Outcome> {
  const directory = await temporaryDirectory();
  const job = { sector, ticket, size: '2KiB' } as const;
  const { P2 } = await computeByHand(ENGINE, directory, ['P1', 'P2'], job, ENGINE_ENVIRONMENT);
  const { commD = '', commR = '', files = [] } = P2?.outputs ?? {};
  const replica = basename(stored.sealed(sectorOf(sector)));
  const digests = Object.fromEntries(
    files.map(({ name, blake3: digest }) => [name === 'sealed' ? replica : name, digest]),
  );
  const proof = `0 ${JSON.stringify({ sector, valid: true })} for ${ticket} ${seed}`;
  return { commD, commR, told: digests, stored: digests, proof };
}

async function workOf(bed: Bed, sector: string): Promise<Work> {
  const runs = await bed.runs(sector);
  const starts = ENGINE_PHASE_IDS.map((id) => {
    const ofPhase = runs.filter(({ what, at }) => what === 'start' && at.includes(`/${id}-`));
    return [id, new Set(ofPhase.map(({ at }) => at)).size] as const;
  });
  const layers = runs.filter(({ what, words }) => what === 'step' && /^(tree-d|layer )/.test(words));
  return { starts: Object.fromEntries(starts), layersAgain: layers.length - (LAYERS + 1) };
}

/** Engines of the sector that live, stopped ones too. */
const enginesOf = ({ group }: Bed, sector: string): Promise<number[]> =>
  processesWith(`${group.sector(sector)}/`);

/** What should not be there any more: engines, scratch, unfinished copies. */
async function remains(bed: Bed, sector: string): Promise<string[]> {
  const { group } = bed;
  const id = sectorOf(sector);
  const inCache = await readdir(cacheDir(group.directory));
  const parts = await readdir(join(group.node, stored.parts)).catch(() => []);
  const paths = [group.sector(sector), sealedLink(group.directory, id)].filter((path) => existsSync(path));
  return [
    ...(await enginesOf(bed, sector)).map((pid) => `engine ${pid}`),
    ...paths,
    ...inCache.filter((name) => isGoneName(id, name)),
    ...parts.filter((name) => stored.isPartOf(id, name)),
  ];
}
