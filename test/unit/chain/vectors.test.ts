/** Messages against what Filecoin's own Go types make of the same sectors (test/vectors/messages). */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { MAX_LIFETIME, MIN_LIFETIME } from '../../../src/chain/expiration.js';
import { preCommitSectorBatch2, proveCommitSectors3 } from '../../../src/chain/miner-messages.js';
import * as policy from '../../../src/chain/policy.js';
import type { SectorSize } from '../../../src/phases.js';

interface Vector {
  name: string;
  size: SectorSize;
  bytes: number;
  sha256: string;
  /** Where it is short. */
  hex?: string;
  /** The same in Go's JSON, where it is short. */
  json?: unknown;
}
interface Vectors {
  facts: Record<string, unknown>;
  preCommit: (Vector & {
    sectors: { number: number; commR: string; ticketEpoch: number; expiration: number }[];
  })[];
  proveCommit: (Vector & { numbers: number[]; proofBytes: number })[];
}

const { facts, preCommit, proveCommit } = JSON.parse(
  readFileSync(new URL('../../vectors/messages.json', import.meta.url), 'utf8'),
) as Vectors;

/** The generator's rule for the bytes of a proof. */
const proofOf = (length: number, place: number): Uint8Array =>
  Uint8Array.from({ length }, (_, j) => place * 31 + j * 7 + 2 * 101);

function expectVector(
  { params, decoded }: { params: Uint8Array; decoded: unknown },
  { bytes, sha256, hex, json }: Vector,
): void {
  if (hex !== undefined) expect(Buffer.from(params).toString('hex')).toBe(hex);
  expect([params.length, createHash('sha256').update(params).digest('hex')]).toEqual([bytes, sha256]);
  if (json !== undefined) expect(JSON.parse(JSON.stringify(decoded))).toEqual(json);
}

describe('PreCommitSectorBatch2', () => {
  test.each(preCommit.map((vector) => [vector.name, vector] as const))('%s', (_, vector) => {
    const { size, sectors } = vector;
    const given = sectors.map((sector) => ({ ...sector, size, commR: Buffer.from(sector.commR, 'hex') }));
    expectVector(preCommitSectorBatch2(given), vector);
  });
});

describe('ProveCommitSectors3', () => {
  test.each(proveCommit.map((vector) => [vector.name, vector] as const))('%s', (_, vector) => {
    const { numbers, proofBytes } = vector;
    const given = numbers.map((number, place) => ({ number, proof: proofOf(proofBytes, place) }));
    expectVector(proveCommitSectors3(given), vector);
  });
});

test('there are vectors for 1, 2, 4 and 256 sectors, each size, and numbers up to 2^53 - 1', () => {
  const [pre, prove] = [
    preCommit.map(({ sectors }) => sectors.length),
    proveCommit.map(({ numbers }) => numbers.length),
  ];
  for (const count of [1, 2, 4, 256]) for (const counts of [pre, prove]) expect(counts).toContain(count);
  for (const vectors of [preCommit, proveCommit])
    expect(new Set(vectors.map(({ size }) => size))).toEqual(new Set(Object.keys(policy.SEAL_PROOFS)));
  const numbers = [
    preCommit.flatMap(({ sectors }) => sectors.map(({ number }) => number)),
    proveCommit.flatMap((vector) => vector.numbers),
  ];
  for (const each of numbers) expect(each).toContain(Number.MAX_SAFE_INTEGER);
});

test("constants are those of go-state-types: methods, proofs, the chain's rules", () => {
  const [pre, prove] = [preCommitSectorBatch2([]), proveCommitSectors3([])];
  expect(facts).toMatchObject({
    epochsInDay: policy.EPOCHS_IN_DAY,
    preCommitSectorBatch2: pre.method,
    proveCommitSectors3: prove.method,
    maxPreCommitRandomnessLookback: policy.MAX_TICKET_AGE,
    maxProveCommitDuration: policy.MAX_PROVE_COMMIT_DURATION,
    minSectorExpiration: policy.MIN_SECTOR_LIFETIME,
    maxSectorExpirationExtension: policy.MAX_SECTOR_EXPIRATION,
    sealProofs: policy.SEAL_PROOFS,
  });
  const bounds = preCommit.find(({ name }) => name === 'the earliest and the latest expiration');
  expect(bounds?.sectors.map(({ ticketEpoch, expiration }) => expiration - ticketEpoch)).toEqual([
    MIN_LIFETIME,
    MAX_LIFETIME,
  ]);
});
