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

vi.setConfig({ testTimeout: 300_000 });

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

test('dev seals and reports sectors and leaves no process; with --keep it runs until Ctrl-C', async () => {
  const { directory, start } = await createDev();
  const { code, stdout, stderr } = await start('--sectors', '2').ended;
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toMatch(/Temporal server: done in .*, Web UI http:\/\/127\.0\.0\.1:\d+\n/);
  for (const sector of ['t01000/1', 't01000/2']) expect(stdout).toContain(`${sector} is sealed\n`);
  expect(stdout).toMatch(/proof {5}192 bytes, verified by a separate process from the receipt alone\n/);
  expect(await readdir(join(directory, 'storage', 'node-1', 'receipts'))).toEqual([
    's-t01000-1.json',
    's-t01000-2.json',
  ]);
  expect(await processesWith(directory)).toEqual([]);

  const again = start('--keep');
  await again.until('Ctrl-C ends it');
  expect(again.said.stdout).toContain('t01000/3 is sealed\n');
  const ui = /Web UI {4}(http:\S+)/.exec(again.said.stdout)?.[1] ?? '';
  expect((await fetch(ui)).status).toBe(200);
  again.kill('SIGINT');
  expect(await again.ended).toMatchObject({ code: 0, stderr: '' });
  expect(await processesWith(directory)).toEqual([]);
  await expect(fetch(ui)).rejects.toThrow();
});

test('Ctrl-C ends dev and everything it started; the same command resumes the sector', async () => {
  const { directory, start } = await createDev();
  const hold = join(directory, 's-t01000-1-P2.hold');
  await writeFile(hold, '');
  const dev = start();
  await eventually(async () => (await engineRuns(directory)).some(({ at }) => at.includes('P2')));
  const engines = await engineRuns(directory);
  dev.kill('SIGINT');
  const { code, stdout, stderr } = await dev.ended;
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toContain('stopped; the same command goes on with its sectors\n');
  for (const { pid } of engines) expect(await isAlive(pid)).toBe(false);
  expect(await processesWith(directory)).toEqual([]);

  await rm(hold);
  const again = await start().ended;
  expect(again).toMatchObject({ code: 0, stderr: '' });
  expect(again.stdout).toContain('t01000/1 is sealed\n');
  expect(again.stdout).not.toContain('t01000/2');
  const starts = (await engineRuns(directory)).filter(
    ({ what, sector }) => what === 'start' && sector === 's-t01000-1',
  );
  expect(starts.filter(({ at }) => at.includes('P1'))).toHaveLength(1);
});

test('a phase that waits says why, until it goes on', async () => {
  const { directory, start } = await createDev();
  const hold = join(directory, 's-t01000-1-P2.hold');
  await writeFile(hold, '');
  const dev = start('--time-scale', '0.1');
  await eventually(async () => (await engineRuns(directory)).some(({ at }) => at.includes('P2')));
  const node = join(directory, 'storage', 'node-1');
  await rename(node, `${node}.away`);
  await rm(hold);
  await dev.until('P5 waits (');
  expect(dev.said.stdout).toMatch(/^\[.*\] seal: t01000\/1 done P1 P2.*; .*P5 waits \(\w+\): .*node-1/m);
  await rename(`${node}.away`, node);
  expect(await dev.ended).toMatchObject({ code: 0, stderr: '' });
  expect(dev.said.stdout).toContain('t01000/1 is sealed\n');
});

test('a killed dev leaves only its engine, which the next dev adopts', async () => {
  const { directory, start } = await createDev();
  const hold = join(directory, 's-t01000-1-P1.hold');
  await writeFile(hold, '');
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
  await rm(hold);
  expect(await again.ended).toMatchObject({ code: 0, stderr: '' });
  expect(again.said.stdout).toContain('t01000/1 is sealed\n');
  const starts = (await engineRuns(directory)).filter(
    ({ what, at }) => what === 'start' && at.includes('P1'),
  );
  expect(starts.filter(({ sector }) => sector === 's-t01000-1')).toEqual([engine]);
});
