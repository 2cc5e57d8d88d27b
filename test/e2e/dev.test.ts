/** `sealflow dev` with the test engine: everything but the computation is as a user gets it. */
import { readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { engineRuns } from '../helpers/engine.js';
import { engineProgram } from '../helpers/engine-program.js';
import { eventually, isAlive } from '../helpers/eventually.js';
import { untilGone } from '../helpers/group.js';
import { processesWith } from '../helpers/processes.js';
import { startSealflow, type Running } from '../helpers/sealflow.js';
import { temporaryDirectory } from '../helpers/temporary.js';

vi.setConfig({ testTimeout: 120_000 });

/** A directory for dev, and a function that starts it there. */
async function createDev() {
  const directory = await temporaryDirectory();
  const env = { SEALFLOW_ENGINE: await engineProgram(directory, { FIXTURE_CHECKPOINTS: directory }) };
  const start = (...args: string[]): Running => {
    const dev = startSealflow(['dev', '--directory', directory, ...args], { env });
    onTestFinished(async () => {
      dev.kill('SIGKILL');
      await dev.ended;
      for (const pid of await processesWith(directory)) process.kill(pid, 'SIGKILL');
    });
    return dev;
  };
  return { directory, start };
}

test('dev seals and reports sectors; Ctrl-C ends all that it started, the same command resumes them; --keep keeps it up', async () => {
  const { directory, start } = await createDev();
  const hold = join(directory, 's-t01000-1-P2.hold');
  await writeFile(hold, '');
  const dev = start('--sectors', '2');
  await eventually(async () => (await engineRuns(directory)).some(({ at }) => at.includes('P2')));
  const engines = await engineRuns(directory);
  dev.kill('SIGINT');
  const { code, stdout, stderr } = await dev.ended;
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toContain('stopped; the same command goes on with its sectors\n');
  for (const { pid } of engines) expect(await isAlive(pid)).toBe(false);
  expect(await processesWith(directory)).toEqual([]);

  await rm(hold);
  const resumed = start('--sectors', '3', '--keep');
  await resumed.until('Ctrl-C ends it');
  const said = resumed.said.stdout;
  expect(said).toMatch(/Temporal server: done in .*, Web UI http:\/\/127\.0\.0\.1:\d+\n/);
  for (const number of [1, 2, 3]) expect(said).toContain(`t01000/${number} is sealed\n`);
  expect(said).toMatch(/proof {5}192 bytes, verified by a separate process from the receipt alone\n/);
  expect(await readdir(join(directory, 'storage', 'node-1', 'receipts'))).toEqual(
    [1, 2, 3].map((number) => `s-t01000-${number}.json`),
  );
  const starts = (await engineRuns(directory)).filter(({ what }) => what === 'start');
  expect(starts.filter(({ at, sector }) => at.includes('P1') && sector === 's-t01000-1')).toHaveLength(1);

  const ui = /Web UI {4}(http:\S+)/.exec(said)?.[1] ?? '';
  expect((await fetch(ui)).status).toBe(200);
  resumed.kill('SIGINT');
  expect(await resumed.ended).toMatchObject({ code: 0, stderr: '' });
  expect(await processesWith(directory)).toEqual([]);
  await expect(fetch(ui)).rejects.toThrow();
});

test('a killed dev leaves only its engine, which the next dev adopts; that says why a phase waits', async () => {
  const { directory, start } = await createDev();
  const hold = (phase: string): string => join(directory, `s-t01000-1-${phase}.hold`);
  for (const phase of ['P1', 'P2']) await writeFile(hold(phase), '');
  const dev = start('--time-scale', '0.1');
  await eventually(async () => (await engineRuns(directory)).length > 0);
  const [engine] = await engineRuns(directory);
  const others = (await processesWith(directory)).filter((pid) => pid !== engine?.pid);
  dev.kill('SIGKILL');
  await dev.ended;
  for (const pid of others) await untilGone(pid);
  expect(await processesWith(directory)).toEqual([engine?.pid]);

  const again = start();
  await again.until('t01000/1');
  await rm(hold('P1'));
  await eventually(async () => (await engineRuns(directory)).some(({ at }) => at.includes('P2')));
  const node = join(directory, 'storage', 'node-1');
  await rename(node, `${node}.away`);
  await rm(hold('P2'));
  await again.until('P5 waits');
  expect(again.said.stdout).toMatch(/^\[.*\] seal: t01000\/1 done P1 P2.*; .*P5 waits.*: .*node-1/m);
  await rename(`${node}.away`, node);
  expect(await again.ended).toMatchObject({ code: 0, stderr: '' });
  expect(again.said.stdout).toContain('t01000/1 is sealed\n');
  const starts = (await engineRuns(directory)).filter(
    ({ what, at, sector }) => what === 'start' && at.includes('P1') && sector === 's-t01000-1',
  );
  expect(starts).toEqual([engine]);
});
