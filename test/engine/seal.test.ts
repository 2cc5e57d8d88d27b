/** One real sector of 2 KiB through production processes, and its proof checked without them. */
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, test, vi } from 'vitest';
import { readError } from '../../src/attempts/attempt.js';
import type { Engine } from '../../src/engine/engine.js';
import { SECTOR_SIZES } from '../../src/phases.js';
import { computeByHand, runByHand } from '../helpers/by-hand.js';
import { OwnCluster } from '../helpers/own-cluster.js';
import type { Pool } from '../helpers/group.js';
import {
  expectCleaned,
  expectNoParts,
  expectStored,
  readReceipt,
  receiptPath,
  verifyReceipt,
} from '../helpers/on-disk.js';
import { ENGINE_TIMEOUT_MS, realEngine } from '../helpers/real-engine.js';
import { temporaryDirectory } from '../helpers/temporary.js';

vi.setConfig({ testTimeout: 600_000, hookTimeout: ENGINE_TIMEOUT_MS });

const HOSTS: readonly (readonly Pool[])[] = [
  [
    [1, 'P1'],
    [1, 'P5', 'P6'],
  ],
  [
    [1, 'P2', 'P3'],
    [1, 'P4'],
  ],
];

let engine: Engine;
let cluster: OwnCluster;

beforeAll(async () => {
  engine = await realEngine('2KiB');
  cluster = await OwnCluster.start();
  return () => cluster.end();
});

const randomness = (what: string): string => {
  const hex = randomBytes(32).toString('hex');
  console.log(`${what} ${hex}`);
  return hex;
};

test('a real sector goes through all six phases, and its proof verifies', async () => {
  const group = await cluster.group();
  const config = { engine: { command: engine.command, reserved_cores: 0 } };
  await Promise.all(HOSTS.map((pools, i) => group.serve(i + 1, { pools, config })));
  await cluster.untilServed(group);
  const sector = cluster.newSector();
  const [ticket, seed] = [randomness('ticket'), randomness('seed')];
  // Real phases take their time: production's timeouts.
  const place = ['--group', String(group.number), '--size', group.size];
  const started = await cluster.sealflow('start', sector, ...place, '--ticket', ticket, '--seed', seed);
  expect(started).toMatchObject({ code: 0, stderr: '' });
  const result = await cluster.sealed(sector);

  await expectStored(group.node, [sector]);
  await expectNoParts(group.node);
  await expectCleaned(group, [sector]);
  expect((await cluster.history(sector)).activities).toHaveLength(6);
  expect((await stat(join(group.node, result.storage.sealed))).size).toBe(SECTOR_SIZES['2KiB']);
  const receipt = await readReceipt(group.node, sector);
  expect(receipt).toMatchObject({ ticket, seed, proof: result.proof });
  expect(Buffer.from(result.commR, 'base64').toString('hex')).toBe(receipt.commR);
  expect(Buffer.from(receipt.proof, 'base64')).toHaveLength(192);

  const verified = await verifyReceipt(engine.command, receiptPath(group.node, sector), engine.environment);
  expect(verified).toEqual({ code: 0, said: { sector, valid: true } });
  const directory = await temporaryDirectory();
  const proof = Buffer.from(receipt.proof, 'base64');
  proof.writeUInt8(proof.readUInt8(100) ^ 1, 100);
  const forged = join(directory, 'receipt.json');
  await writeFile(forged, JSON.stringify({ ...receipt, proof: proof.toString('base64') }));
  const refused = await verifyReceipt(engine.command, forged, engine.environment);
  expect(refused.code).toBe(6);

  const byHand = await computeByHand(
    engine.command,
    directory,
    ['P1', 'P2'],
    { sector, ticket },
    engine.environment,
  );
  expect(byHand.P2?.outputs).toMatchObject({ commR: receipt.commR, commD: receipt.commD });
});

test('without proof parameters P4 ends with exit code 5 and makes no proof', async () => {
  const directory = await temporaryDirectory();
  const job = { sector: 't01000/1', ticket: randomness('ticket'), seed: randomness('seed') };
  await computeByHand(engine.command, directory, ['P1', 'P2', 'P3'], job, engine.environment);
  const none = join(directory, 'none');
  await mkdir(none);
  const env = { ...engine.environment, FIL_PROOFS_PARAMETER_CACHE: none };
  const { code, directory: attempt } = await runByHand(engine.command, directory, 'P4', job, env);
  expect(code).toBe(5);
  expect(await readError({ directory: attempt })).toMatchObject({ exit: 5, type: 'MissingParameters' });
  expect(existsSync(join(attempt, 'result.json'))).toBe(false);
});
