/** `sealflow dev` as a user runs it: real sectors. */
import { dirname, join } from 'node:path';
import { beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { readProgress } from '../../src/attempts/progress.js';
import type { Engine } from '../../src/engine/engine.js';
import { eventually, isAlive } from '../helpers/eventually.js';
import { filesBelow, receiptPath, verifyReceipt } from '../helpers/on-disk.js';
import { processesWith } from '../helpers/processes.js';
import { ENGINE_TIMEOUT_MS, realEngine } from '../helpers/real-engine.js';
import { startSealflow, type Running } from '../helpers/sealflow.js';
import { temporaryDirectory } from '../helpers/temporary.js';

vi.setConfig({ testTimeout: 900_000, hookTimeout: ENGINE_TIMEOUT_MS });

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
  expect(stdout).toContain('t01000/1 is sealed\n');
  expect(stdout).toMatch(/ {2}commR {5}[0-9a-f]{64}\n/);
  expect(stdout).toMatch(/ {2}proof {5}192 bytes, verified by a separate process from the receipt alone\n/);
  expect(await processesWith(directory)).toEqual([]);
  const receipt = receiptPath(join(directory, 'storage', 'node-1'), 't01000/1');
  expect(await verifyReceipt(engine.command, receipt, engine.environment)).toMatchObject({ code: 0 });
});
