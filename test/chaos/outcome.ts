/** A sector as it came out, compared with the same one that nothing has disturbed: computed by hand, without sealflow. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { blake3 } from '@noble/hashes/blake3.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { expect } from 'vitest';
import { finalName } from '../../src/storage/receipt.js';
import { sectorOf } from '../../src/sector.js';
import { computeByHand } from '../helpers/by-hand.js';
import { ENGINE } from '../helpers/engine.js';
import type { Group } from '../helpers/group.js';
import { readReceipt, receiptPath, verifyReceipt } from '../helpers/on-disk.js';
import { hex32, type Random } from '../helpers/random.js';
import { temporaryDirectory } from '../helpers/temporary.js';
import { tally } from './tally.js';

/** What decides how a sector comes out. */
export interface Begun {
  sector: string;
  ticket: string;
  seed: string;
}

export const newRandomness = (random: Random): Pick<Begun, 'ticket' | 'seed'> => ({
  ticket: hex32(random),
  seed: hex32(random),
});

type Place = Pick<Group, 'node' | 'size'>;

/**
 * Checks a sealed sector: its receipt, the files on the storage node, the proof.
 * @param environment of the engines, where it decides what they make: FIXTURE_BYTES, FIXTURE_LAYERS
 */
export async function expectUndisturbed(
  place: Place,
  begun: Begun,
  environment: NodeJS.ProcessEnv = {},
): Promise<void> {
  const [actual, expected] = [
    await outcome(place, begun.sector),
    await undisturbed(place, begun, environment),
  ];
  if (JSON.stringify(actual) !== JSON.stringify(expected)) tally({ wrong: 1 });
  expect(actual).toEqual(expected);
}

async function outcome({ node }: Place, sector: string) {
  const { ticket, seed, commD, commR, proof, files } = await readReceipt(node, sector);
  const names = files.map(({ name }) => name);
  const stored = names.map(async (name) => bytesToHex(blake3(await readFile(join(node, name)))));
  const verified = await verifyReceipt(ENGINE, receiptPath(node, sector));
  return {
    sector,
    ...{ ticket, seed, commD, commR, proof },
    lastReported: inOrder(files.map((file) => [file.name, file.blake3])),
    stored: inOrder((await Promise.all(stored)).map((digest, i) => [names[i] ?? '', digest])),
    verified,
  };
}

async function undisturbed(
  { size }: Place,
  { sector, ticket, seed }: Begun,
  environment: NodeJS.ProcessEnv,
): Promise<Awaited<ReturnType<typeof outcome>>> {
  const phases = ['P1', 'P2', 'P3', 'P4'] as const;
  const directory = await temporaryDirectory();
  const job = { sector, size, ticket, seed };
  const { P2, P4 } = await computeByHand(ENGINE, directory, phases, job, environment);
  const { commD = '', commR = '', files = [] } = P2?.outputs ?? {};
  const digests = inOrder(files.map((file) => [finalName(sectorOf(sector), file.name), file.blake3]));
  return {
    sector,
    ...{ ticket, seed, commD, commR, proof: P4?.outputs.proof ?? '' },
    lastReported: digests,
    stored: digests,
    verified: { code: 0, said: { sector, valid: true } },
  };
}

const inOrder = (entries: readonly (readonly [string, string])[]): Record<string, string> =>
  Object.fromEntries([...entries].sort(([a], [b]) => (a < b ? -1 : 1)));
