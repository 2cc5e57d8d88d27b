/** docker/entry.sh, with a program in the place of sealflow that does what the test says. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { eventually } from '../../helpers/eventually.js';
import { temporaryDirectory } from '../../helpers/temporary.js';

vi.setConfig({ testTimeout: 60_000 });

const ENTRY = fileURLToPath(new URL('../../../docker/entry.sh', import.meta.url));
/** Notes its arguments and process ID; ends with the code in the file `code`, else when it is told to, with 7. */
const SEALFLOW = `#!/bin/sh
trap 'exit 7' TERM
echo "$* $$" >> starts
[ -f code ] && exit "$(cat code)"
while :; do sleep 0.1; done
`;

let directory: string;

beforeEach(async () => {
  directory = await temporaryDirectory();
  await writeFile(join(directory, 'sealflow'), SEALFLOW, { mode: 0o755 });
});

function start(...args: string[]): { entry: ChildProcess; ended: Promise<unknown[]> } {
  const env = { PATH: `${directory}:${process.env['PATH']}` };
  const entry = spawn(ENTRY, args, { cwd: directory, env, stdio: 'ignore', detached: true });
  onTestFinished(() => {
    try {
      if (entry.pid) process.kill(-entry.pid, 'SIGKILL');
    } catch {
      // It has ended.
    }
  });
  return { entry, ended: once(entry, 'exit') };
}

/** `[arguments, process ID]` of each start so far. */
async function starts(): Promise<[string, number][]> {
  const text = await readFile(join(directory, 'starts'), 'utf8').catch(() => '');
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => [line.replace(/ \d+$/, ''), Number(/\d+$/.exec(line)?.[0])]);
}

const started = (nth: number) => eventually(async () => (await starts()).length >= nth);

test('a worker that is killed is started again, and one that is told to end is not', async () => {
  const { entry, ended } = start('worker', '--config', 'c.toml');
  await started(1);
  process.kill((await starts())[0]?.[1] as number, 'SIGKILL');
  await started(2);
  expect((await starts()).map(([args]) => args)).toEqual(Array(2).fill('worker --config c.toml'));
  entry.kill('SIGTERM');
  expect(await ended).toEqual([7, null]);
  expect(await starts()).toHaveLength(2);
});

test('wrong use ends it at the first start, and never one with engines', async () => {
  await writeFile(join(directory, 'code'), '2');
  expect(await start('worker').ended).toEqual([2, null]);
  await rm(join(directory, 'code'));
  const { entry, ended } = start('worker');
  await started(2);
  await writeFile(join(directory, 'code'), '2');
  process.kill((await starts())[1]?.[1] as number, 'SIGKILL');
  await started(4);
  await rm(join(directory, 'code'));
  await started(5);
  entry.kill('SIGTERM');
  expect(await ended).toEqual([7, null]);
});

test('other commands take its place', async () => {
  const { entry, ended } = start('orchestrator');
  await started(1);
  expect(await starts()).toEqual([['orchestrator', entry.pid]]);
  entry.kill('SIGTERM');
  expect(await ended).toEqual([7, null]);
});
