/** The test engine itself: where it departs from docs/engine-protocol.md, other tests prove nothing. */
import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeEach, describe, expect, test } from 'vitest';
import { readError, readResult } from '../../src/attempts/attempt.js';
import { readProgress } from '../../src/attempts/progress.js';
import { writeAttempt } from '../helpers/attempts.js';
import { ENGINE, startEngine, untilShown } from '../helpers/engine.js';
import { eventually } from '../helpers/eventually.js';
import { createSite } from '../helpers/site.js';
import { temporaryDirectory } from '../helpers/temporary.js';

let sector: string;
beforeEach(async () => {
  sector = await temporaryDirectory();
});

interface Ended {
  code: number;
  stdout: string;
  stderr: string;
}

async function engine(...args: string[]): Promise<Ended> {
  const [program = '', ...first] = ENGINE;
  return await promisify(execFile)(program, [...first, ...args]).then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    (error: unknown) => error as Ended,
  );
}

describe('run', () => {
  test('leaves a result, its files, and one whole block of progress', async () => {
    const { directory } = await writeAttempt(sector, '1/P1-1');
    expect(await engine('run', directory)).toMatchObject({ code: 0 });
    const result = await readResult({ directory });
    for (const { name, size } of result?.outputs.files ?? [])
      expect((await stat(join(directory, name))).size).toBe(size);
    expect((await stat(join(directory, 'progress.json'))).size).toBe(4096);
    expect(await readProgress(directory)).toMatchObject({ step: 'done', fraction: 1, host: '10.0.0.1' });
    expect(await readdir(sector)).toEqual(['1']);
    expect(await readdir(join(sector, '1'))).toEqual(['P1-1']);
  });

  test('lets a result stand that is there', async () => {
    const { directory } = await writeAttempt(sector, '1/P1-1', { result: {} });
    const before = await readFile(join(directory, 'result.json'));
    expect(await engine('run', directory)).toMatchObject({ code: 0 });
    expect(await readFile(join(directory, 'result.json'))).toEqual(before);
    expect(await readdir(directory)).toEqual(['job.json', 'result.json']);
  });

  test.each([
    ['of a newer version', { v: 2 as never }],
    ['of another phase', { phase: 'P2' as const }],
    ['without a ticket', { ticket: '' }],
  ])('refuses a job %s', async (_, job) => {
    const { directory } = await writeAttempt(sector, '1/P1-1', { job });
    const { code, stderr } = await engine('run', directory);
    expect(code).toBe(2);
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect(await readError({ directory })).toMatchObject({ exit: 2, type: 'BadInput' });
  });

  test.each(['', 'P1-1', '1/P6-1', '1/void-P1-1'])('refuses the directory %j', async (name) => {
    await mkdir(join(sector, name), { recursive: true });
    expect(await engine('run', join(sector, name))).toMatchObject({ code: 2 });
  });

  test('copies to a storage node that is there, and to no other', async () => {
    const { directory } = await writeAttempt(sector, '1/P2-1', { result: { outputs: { files: [] } } });
    const copy = { node: join(sector, 'node'), into: '.sealflow/x', limitBytesPerSec: 0 };
    const job = { copy, basis: { P2: '../P2-1' } };
    const attempt = await writeAttempt(sector, '1/P5-1', { job });
    expect(await engine('run', attempt.directory)).toMatchObject({ code: 3 });
    expect(await readError(attempt)).toMatchObject({ exit: 3, type: 'PassingFault' });
    expect((await readdir(sector)).sort()).toEqual(['1']);
    expect(directory).toContain('P2-1');
  });
});

describe('an engine at work ends with exit code 7', () => {
  test.each([
    ['a higher epoch is there', () => mkdir(join(sector, '2'))],
    ['a higher attempt is there', () => mkdir(join(sector, '1/P1-2'))],
    ['its attempt has another name', () => rename(join(sector, '1/P1-1'), join(sector, '1/void-P1-1'))],
    ['its epoch has another name', () => rename(join(sector, '1'), join(sector, 'x'))],
    ['its sector is deleted', () => rm(sector, { recursive: true })],
  ])('when %s', async (_, supersede) => {
    const { directory } = await writeAttempt(sector, '1/P1-1');
    const { ended } = await startEngine(directory, { FIXTURE_HANG_P1: '1' });
    await eventually(async () => (await readProgress(directory))?.step === 'layer 2 of 2');
    await supersede();
    expect(await ended).toBe(7);
  });

  test('and for nothing else', async () => {
    const { directory } = await writeAttempt(sector, '2/P1-2');
    const running = await startEngine(directory, { FIXTURE_HANG_P1: '1' });
    await untilShown(directory);
    for (const name of ['1', 'x3', '.new-3', '2/P1-1', '2/P2-9', '2/void-P1-9', '2/P1-9x']) {
      await mkdir(join(sector, name));
    }
    for (const name of ['3', '2/P1-9']) await writeFile(join(sector, name), 'a file is none');
    const counter = (await readProgress(directory))?.counter ?? 0;
    await eventually(async () => ((await readProgress(directory))?.counter ?? 0) > counter + 5);
    process.kill(running.pid, 'SIGTERM');
    expect(await running.ended).toBe('SIGTERM');
  });
});

describe('verify', () => {
  test('knows a receipt of a sector that it has sealed, and no other', async () => {
    const site = await createSite();
    await site.seals('P1', 'P2', 'P3', 'P4', 'P5');
    await site.clean();
    const path = join(site.node, 'receipts/s-t01000-7.json');
    expect(await engine('verify', path)).toMatchObject({ code: 0 });
    expect(JSON.parse((await engine('verify', path, '--json')).stdout)).toEqual({
      sector: 't01000/7',
      valid: true,
    });
    const receipt = JSON.parse(await readFile(path, 'utf8')) as object;
    for (const change of [
      { seed: 'cc'.repeat(32) },
      { commR: 'cc'.repeat(32) },
      { proof: 'AAAA' },
      { sector: 't01000/8' },
    ]) {
      await writeFile(path, JSON.stringify({ ...receipt, ...change }));
      expect(await engine('verify', path)).toMatchObject({ code: 6 });
    }
    await writeFile(path, '{}');
    expect(await engine('verify', path)).toMatchObject({ code: 2 });
  });
});

test('info, params and wrong commands', async () => {
  expect(JSON.parse((await engine('info')).stdout)).toMatchObject({
    v: 1,
    sizes: { '2KiB': { parameters: true } },
  });
  const lines = (await engine('params', '2KiB')).stdout.trim().split('\n');
  expect(JSON.parse(lines.at(-1) ?? '')).toMatchObject({ done: true });
  expect(await engine('params', '3KiB')).toMatchObject({ code: 2 });
  expect(await engine('toString')).toMatchObject({ code: 2 });
});
