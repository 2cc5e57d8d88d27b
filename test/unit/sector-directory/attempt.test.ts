import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { invalidateAttempt } from '../../../src/sector-directory/changes/attempts.js';
import {
  inputHashOf,
  listAttempts,
  readError,
  readResult,
  recordedFiles,
} from '../../../src/sector-directory/attempt.js';
import { HASH, writeAttempt } from '../../helpers/attempts.js';
import { temporaryDirectory } from '../../helpers/temporary.js';

let sector: string;
beforeEach(async () => {
  sector = await temporaryDirectory();
});
const list = async (): Promise<string[]> => (await listAttempts(sector, 'P2')).all.map(({ at }) => at);

describe('attempts', () => {
  test('are listed by epoch and number, of their phase alone', async () => {
    for (const at of ['10/P2-1', '9/P2-10', '9/P2-9', '9/P1-11', '1/P2-1']) await writeAttempt(sector, at);
    expect(await list()).toEqual(['1/P2-1', '9/P2-9', '9/P2-10', '10/P2-1']);
  });

  test('of a sector that does not exist are none', async () => {
    const { all, nextNumber } = await listAttempts(join(sector, 'none'), 'P2');
    expect(all).toEqual([]);
    expect(nextNumber(1)).toBe(1);
  });

  test('do not include other names', async () => {
    await writeAttempt(sector, '1/P2-1');
    for (const name of [
      '1/.new-x',
      '1/invalidated-P2-2',
      '1/gone-P2-3',
      '1/P2-4x',
      'x/P2-5',
      '.new-1/P2-6',
    ]) {
      await mkdir(join(sector, name), { recursive: true });
    }
    expect(await list()).toEqual(['1/P2-1']);
  });

  test('that are invalidated or gone keep their numbers', async () => {
    for (const at of ['1/P2-1', '1/P2-2', '1/P2-3']) await writeAttempt(sector, at);
    await mkdir(join(sector, '1/gone-P2-12'));
    await mkdir(join(sector, '1/invalidated-P1-30'));
    const { nextNumber } = await listAttempts(sector, 'P2');
    expect(nextNumber(1)).toBe(13);
    expect(nextNumber(2)).toBe(1);
  });

  test('are invalidated once', async () => {
    await writeAttempt(sector, '1/P2-1', { result: {} });
    await writeAttempt(sector, '1/P2-2');
    for (let i = 0; i < 2; i++) await invalidateAttempt(sector, '1/P2-1');
    expect(await list()).toEqual(['1/P2-2']);
    expect(await readdir(join(sector, '1'))).toEqual(['P2-2', 'invalidated-P2-1']);
  });

  test.each(['../x', '1/..', '', '1/invalidated-P2-1'])('%j cannot be invalidated', async (at) => {
    await expect(invalidateAttempt(sector, at)).rejects.toThrow(RangeError);
  });
});

describe('the files of an attempt', () => {
  test('are read', async () => {
    const attempt = await writeAttempt(sector, '1/P2-1', {
      result: {},
      error: { exit: 4, from: 'P1' },
      layers: ['a', 'b'],
    });
    expect(await inputHashOf(attempt)).toBe(HASH);
    expect(await readResult(attempt)).toMatchObject({ phase: 'P2', inputHash: HASH });
    expect(await readError(attempt)).toMatchObject({ exit: 4, from: 'P1' });
    expect(await recordedFiles(attempt)).toHaveLength(2);
  });

  test('that do not exist read as undefined', async () => {
    const directory = join(sector, '1/P2-1');
    await mkdir(directory, { recursive: true });
    expect(await readResult({ directory })).toBeUndefined();
    expect(await readError({ directory })).toBeUndefined();
    expect(await recordedFiles({ directory })).toEqual([]);
    expect(await inputHashOf({ epoch: 1, phase: 'P2', number: 1, at: '1/P2-1', directory })).toBeUndefined();
  });

  test.each(['', '{', 'null', '[]', '{"v":1}', '"x"'])('that contain %j read as undefined', async (text) => {
    const attempt = await writeAttempt(sector, '1/P2-1');
    for (const name of ['job.json', 'result.json', 'error.json', 'layers.json']) {
      await writeFile(join(attempt.directory, name), text);
    }
    expect(await inputHashOf(attempt)).toBeUndefined();
    expect(await readResult(attempt)).toBeUndefined();
    expect(await readError(attempt)).toBeUndefined();
    expect(await recordedFiles(attempt)).toEqual([]);
  });
});
