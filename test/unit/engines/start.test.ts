import { mkdir, readdir, readFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { readProgress } from '../../../src/engines/progress.js';
import { makeAttempt } from '../../../src/sector-directory/changes/attempts.js';
import { EngineStarter } from '../../../src/engines/start.js';
import { MountHungError } from '../../../src/mounts/mounts.js';
import { parseAt } from '../../../src/paths.js';
import { jobOf, writeAttempt } from '../../helpers/attempts.js';
import { ENGINE, untilShown } from '../../helpers/engine.js';
import { eventually } from '../../helpers/eventually.js';
import { hangMount } from '../../helpers/fifo.js';
import { temporaryDirectory } from '../../helpers/temporary.js';

let sector: string;
beforeEach(async () => {
  sector = await temporaryDirectory();
  await mkdir(join(sector, '1'));
});

const make = (at: string) => makeAttempt(sector, parseAt(at), jobOf(at));

describe('an attempt', () => {
  test('is made with its job', async () => {
    const attempt = await make('1/P2-3');
    expect(attempt).toEqual({
      epoch: 1,
      phase: 'P2',
      number: 3,
      at: '1/P2-3',
      directory: join(sector, '1/P2-3'),
    });
    expect(JSON.parse(await readFile(join(sector, '1/P2-3/job.json'), 'utf8'))).toEqual(jobOf('1/P2-3'));
    expect(await readdir(join(sector, '1'))).toEqual(['P2-3']);
  });

  test('whose number is taken is not made, and leaves nothing behind', async () => {
    await writeAttempt(sector, '1/P2-3', { result: {} });
    expect(await make('1/P2-3')).toBeUndefined();
    expect(await readdir(join(sector, '1'))).toEqual(['P2-3']);
    expect(await readdir(join(sector, '1/P2-3'))).toEqual(['job.json', 'result.json']);
  });

  test('that many try to make at once is made by exactly one', async () => {
    const made = await Promise.all(Array.from({ length: 10 }, () => make('1/P2-1')));
    expect(made.filter(Boolean)).toHaveLength(1);
    expect(await readdir(join(sector, '1'))).toEqual(['P2-1']);
  });

  test('does not recreate a deleted epoch or sector', async () => {
    await expect(make('2/P2-1')).rejects.toMatchObject({ code: 'ENOENT' });
    expect(await readdir(sector)).toEqual(['1']);
    await expect(makeAttempt(join(sector, 'gone'), parseAt('1/P2-1'), jobOf('1/P2-1'))).rejects.toMatchObject(
      { code: 'ENOENT' },
    );
    expect(await readdir(sector)).toEqual(['1']);
  });
});

describe('the engine', () => {
  test('is started in its attempt, in a process group and with an environment of its own', async () => {
    const [node = ''] = ENGINE;
    const script =
      'console.log(JSON.stringify([process.cwd(), process.argv.slice(1), process.env.A, process.env.HOME]))';
    const starter = new EngineStarter({ command: [node, '-e', script, '--'], environment: { A: 'b' } });
    const attempt = await writeAttempt(sector, '1/P2-1');
    await starter.start(attempt);
    await starter.endOf(attempt);
    const logged: unknown = JSON.parse(await readFile(join(attempt.directory, 'log'), 'utf8'));
    expect(logged).toEqual([attempt.directory, ['run', attempt.directory], 'b', null]);
  });

  test('is known until it has ended', async () => {
    const starter = new EngineStarter({
      command: ENGINE,
      environment: { ...process.env, FIXTURE_HANG_P1: '1' },
    });
    const attempt = await writeAttempt(sector, '1/P1-1');
    await starter.start(attempt);
    const end = starter.endOf(attempt);
    expect(end).toBeInstanceOf(Promise);
    await untilShown(attempt.directory);
    const { pid } = (await readProgress(attempt.directory)) ?? { pid: NaN };
    onTestFinished(() => {
      try {
        process.kill(-pid, 'SIGKILL');
      } catch {
        // It has ended.
      }
    });
    // The group has its leader's ID.
    process.kill(-pid, 'SIGTERM');
    await end;
    expect(starter.endOf(attempt)).toBeUndefined();
    expect(existsSync(join(attempt.directory, 'result.json'))).toBe(false);
  });

  test('is no longer known, however soon it has ended', async () => {
    const starter = new EngineStarter({ command: ['true'], environment: process.env });
    for (let number = 1; number <= 20; number++) {
      const attempt = await writeAttempt(sector, `1/P2-${number}`);
      await starter.start(attempt);
      await starter.endOf(attempt);
      await eventually(() => starter.endOf(attempt) === undefined);
    }
  });

  test('of another attempt, or of another process, is not known', async () => {
    const attempt = await writeAttempt(sector, '1/P2-1');
    const other = await writeAttempt(sector, '1/P2-2');
    const starter = new EngineStarter({ command: ['sleep', '0.2', '--'], environment: process.env });
    await starter.start(attempt);
    expect(starter.endOf(other)).toBeUndefined();
    expect(new EngineStarter({ command: ['true'], environment: {} }).endOf(attempt)).toBeUndefined();
    await starter.endOf(attempt);
  });

  test.each([
    ['is not there', ['/nowhere/engine']],
    ['is not on PATH', ['sealflow-no-such-engine']],
    ['is a directory', ['/']],
    ['is empty', ['']],
  ])('whose program %s is reported, and nothing waits for it', async (_, command) => {
    const starter = new EngineStarter({ command, environment: process.env });
    const attempt = await writeAttempt(sector, '1/P2-1');
    await expect(starter.start(attempt)).rejects.toMatchObject({
      type: 'BadInput',
      message: expect.stringContaining(`cannot start the engine ${command[0] ?? ''}`) as string,
      details: { at: '1/P2-1' },
    });
    expect(starter.endOf(attempt)).toBeUndefined();
  });

  test('is not started on a hung mount', async () => {
    const attempt = await writeAttempt(sector, '1/P2-1');
    const comeBack = await hangMount(attempt.directory);
    const starter = new EngineStarter({ command: ['touch', 'started'], environment: process.env });
    await expect(starter.start(attempt)).rejects.toThrow(MountHungError);
    expect(starter.endOf(attempt)).toBeUndefined();
    await comeBack();
    await starter.start(attempt);
    await starter.endOf(attempt);
    expect(existsSync(join(attempt.directory, 'started'))).toBe(true);
  });

  test('whose log cannot be created fails with that error', async () => {
    const attempt = await writeAttempt(sector, '1/P2-1');
    await mkdir(join(attempt.directory, 'log'));
    const starter = new EngineStarter({ command: ['true'], environment: process.env });
    await expect(starter.start(attempt)).rejects.toMatchObject({ code: 'EISDIR' });
    expect(starter.endOf(attempt)).toBeUndefined();
  });

  test('appends to an existing log', async () => {
    const attempt = await writeAttempt(sector, '1/P2-1');
    for (const text of ['one', 'two']) {
      const starter = new EngineStarter({
        command: ['sh', '-c', `echo ${text}; echo err ${text} >&2`, '--'],
        environment: process.env,
      });
      await starter.start(attempt);
      await starter.endOf(attempt);
    }
    const log = join(attempt.directory, 'log');
    await eventually(async () => (await readFile(log, 'utf8')).endsWith('err two\n'));
    expect(await readFile(log, 'utf8')).toBe('one\nerr one\ntwo\nerr two\n');
  });
});
