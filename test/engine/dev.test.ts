/** Real sectors of 2 KiB through `sealflow dev`, as a user runs it, and what came of them checked without it. */
import { writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { readError } from '../../src/sector-directory/attempt.js';
import { readProgress } from '../../src/engines/progress.js';
import type { FileDigest } from '../../src/engines/protocol.js';
import type { Engine } from '../../src/engines/engine.js';
import { computeByHand, runByHand } from '../helpers/by-hand.js';
import { eventually, isAlive } from '../helpers/eventually.js';
import { LOTUS_LAYOUT, LOTUS_MOST_BYTES } from '../helpers/lotus-layout.js';
import {
  expectNoParts,
  expectStored,
  filesBelow,
  readReceipt,
  receiptPath,
  verifyReceipt,
} from '../helpers/on-disk.js';
import { processesWith } from '../helpers/processes.js';
import { createRandom, hex32 } from '../helpers/random.js';
import { ENGINE_TIMEOUT_MS, realEngine } from '../helpers/real-engine.js';
import { startSealflow, type Running } from '../helpers/sealflow.js';
import { temporaryDirectory } from '../helpers/temporary.js';

vi.setConfig({ testTimeout: 900_000, hookTimeout: ENGINE_TIMEOUT_MS });

const SECTOR = 't01000/1';
const random = createRandom();
let engine: Engine;

beforeAll(async () => {
  engine = await realEngine('2KiB');
});

function startDev(directory: string): Running {
  const dev = startSealflow(['dev', '--directory', directory], {
    env: { SEALFLOW_ENGINE: engine.command[0] },
  });
  onTestFinished(async () => {
    dev.kill('SIGKILL');
    await dev.ended;
    for (const pid of await processesWith(directory)) process.kill(pid, 'SIGKILL');
  });
  return dev;
}

/** The engines of the attempts below a directory, by what they have written: attempt and process. */
async function enginesBelow(directory: string): Promise<{ attempt: string; pid: number }[]> {
  const attempts = (await filesBelow(directory))
    .filter((name) => name.endsWith('/progress.json'))
    .map(dirname);
  const engines = attempts.map(async (attempt) => ({
    attempt,
    progress: await readProgress(join(directory, attempt)),
  }));
  return (await Promise.all(engines)).flatMap(({ attempt, progress }) =>
    progress ? [{ attempt, pid: progress.pid }] : [],
  );
}

/** What lotus would fetch: the replica has just the sector's bytes, and no cache file too many. */
function expectLotusSizes(files: readonly FileDigest[]): void {
  const bytes = new Map(files.map(({ name, size }) => [basename(name), size]));
  const { sealedBytes, treeRLast } = LOTUS_LAYOUT['2KiB'];
  expect(bytes.get('s-t01000-1')).toBe(sealedBytes);
  expect(bytes.get('p_aux')).toBe(LOTUS_MOST_BYTES.p_aux);
  expect(bytes.get('t_aux')).toBeLessThanOrEqual(LOTUS_MOST_BYTES.t_aux);
  for (const name of treeRLast) expect(bytes.get(name)).toBeLessThanOrEqual(LOTUS_MOST_BYTES.treeRLast);
}

test('dev seals a real sector; Ctrl-C in the midst of P4 stops everything, and the same command goes on', async () => {
  const directory = await temporaryDirectory();
  const interrupted = startDev(directory);
  await eventually(async () =>
    (await enginesBelow(directory)).some(({ attempt }) => attempt.endsWith('/P4-1')),
  );
  const engines = await enginesBelow(directory);
  interrupted.kill('SIGINT');
  const stopped = await interrupted.ended;
  expect(stopped).toMatchObject({ code: 0, stderr: '' });
  expect(stopped.stdout).toContain('stopped; the same command goes on with its sectors\n');
  for (const { pid } of engines) expect(await isAlive(pid)).toBe(false);
  expect(await processesWith(directory)).toEqual([]);

  const { code, stdout, stderr } = await startDev(directory).ended;
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toMatch(/Temporal server: done in .*, Web UI http:\/\/127\.0\.0\.1:\d+\n/);
  expect(stdout).toContain(`${SECTOR} is sealed\n`);
  expect(stdout).toMatch(/ {2}proof {5}192 bytes, verified by a separate process from the receipt alone\n/);
  expect(await processesWith(directory)).toEqual([]);

  const node = join(directory, 'storage', 'node-1');
  await expectStored(node, [SECTOR]);
  await expectNoParts(node);
  const { ticket, commR, commD, files, proof } = await readReceipt(node, SECTOR);
  expect(stdout).toContain(`  commR     ${commR}\n`);
  expectLotusSizes(files);
  const byHand = await computeByHand(
    engine.command,
    await temporaryDirectory(),
    ['P1', 'P2'],
    { sector: SECTOR, ticket },
    engine.environment,
  );
  expect(byHand.P2?.outputs).toMatchObject({ commR, commD });

  const verified = await startSealflow(['verify', '--all', node], {
    env: { SEALFLOW_ENGINE: engine.command[0] },
  }).ended;
  expect(verified).toMatchObject({ code: 0, stderr: '' });
  expect(verified.stdout).toMatch(/^ok t01000\/1 2KiB, 7 checks, .*\n1 sector: 1 good, 0 wrong\n$/);

  const receipt = receiptPath(node, SECTOR);
  expect(await verifyReceipt(engine.command, receipt, engine.environment)).toEqual({
    code: 0,
    said: { sector: SECTOR, valid: true },
  });
  const bytes = Buffer.from(proof, 'base64');
  expect(bytes).toHaveLength(192);
  bytes.writeUInt8(bytes.readUInt8(100) ^ 1, 100);
  const forgeries = [
    { sector: 't01000/2' },
    { ticket: hex32(random) },
    { seed: hex32(random) },
    { commR: commD },
    { proof: 'AAAA' },
    { proof: 'A'.repeat(256) },
    { proof: bytes.toString('base64') },
  ];
  const forged = join(directory, 'forged.json');
  for (const change of forgeries) {
    await writeFile(forged, JSON.stringify({ ...(await readReceipt(node, SECTOR)), ...change }));
    const { code, said } = await verifyReceipt(engine.command, forged, engine.environment);
    expect({ change, code, said }).toMatchObject({ code: 6, said: { valid: false } });
  }
});

test('without proof parameters P4 ends with exit code 5 and makes no proof', async () => {
  const directory = await temporaryDirectory();
  const job = { sector: SECTOR, ticket: hex32(random), seed: hex32(random) };
  await computeByHand(engine.command, directory, ['P1', 'P2', 'P3'], job, engine.environment);
  const none = join(directory, 'none');
  const env = { ...engine.environment, FIL_PROOFS_PARAMETER_CACHE: none };
  const { code, directory: attempt } = await runByHand(engine.command, directory, 'P4', job, env);
  expect(code).toBe(5);
  expect(await readError({ directory: attempt })).toMatchObject({ exit: 5, type: 'MissingParameters' });
  expect(existsSync(join(attempt, 'result.json'))).toBe(false);
});
