/** A sector as it comes out when nothing disturbs it: what all that happens in a test must not change. */
import { expect } from 'vitest';
import { computeByHand } from '../helpers/by-hand.js';
import { ENGINE } from '../helpers/engine.js';
import type { Group } from '../helpers/group.js';
import { readReceipt } from '../helpers/on-disk.js';
import type { Random } from '../helpers/random.js';
import { temporaryDirectory } from '../helpers/temporary.js';
import { tally } from './tally.js';

export interface Randomness {
  ticket: string;
  seed: string;
}

export function randomnessFrom(random: Random): Randomness {
  const hex = (): string =>
    Array.from({ length: 32 }, () => random.below(256).toString(16).padStart(2, '0')).join('');
  return { ticket: hex(), seed: hex() };
}

/**
 * Checks the receipt of a sector against engines that ran one after the other, undisturbed.
 * @param env what decides the files' contents: FIXTURE_BYTES, FIXTURE_LAYERS
 */
export async function expectUndisturbed(
  { node, size }: Pick<Group, 'node' | 'size'>,
  { sector, ticket, seed }: Randomness & { sector: string },
  env: NodeJS.ProcessEnv = {},
): Promise<void> {
  const directory = await temporaryDirectory();
  const phases = ['P1', 'P2', 'P3', 'P4'] as const;
  const job = { sector, size, ticket, seed };
  const { P2, P4 } = await computeByHand(ENGINE, directory, phases, job, env);
  const { commD, commR, files = [] } = P2?.outputs ?? {};
  const receipt = await readReceipt(node, sector);
  const digests = (of: readonly { blake3: string }[]): string[] => of.map(({ blake3 }) => blake3).sort();
  const outcome = {
    ticket: receipt.ticket,
    seed: receipt.seed,
    commD: receipt.commD,
    commR: receipt.commR,
    proof: receipt.proof,
    files: digests(receipt.files),
  };
  const expected = { ticket, seed, commD, commR, proof: P4?.outputs.proof, files: digests(files) };
  if (JSON.stringify(outcome) !== JSON.stringify(expected)) tally({ wrong: 1 });
  expect(outcome).toEqual(expected);
}
