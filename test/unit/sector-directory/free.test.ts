import type { Attempt } from '../../../src/paths.js';
import { existsSync } from 'node:fs';
import { mkdir, readdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { invalidateAttempt } from '../../../src/sector-directory/changes/attempts.js';
import { freeBefore, freeSuperseded } from '../../../src/sector-directory/changes/free.js';
import { writeAttempt, type Written } from '../../helpers/attempts.js';
import { temporaryDirectory } from '../../helpers/temporary.js';

const BYTES = 16_384;

let sector: string;
beforeEach(async () => {
  sector = await temporaryDirectory();
});

/** An attempt with the files of two layers, and a log. */
async function made(at: string, written: Written = {}): Promise<Attempt> {
  const attempt = await writeAttempt(sector, at, { layers: ['layer-1'], ...written });
  for (const name of ['layer-1', 'layer-2'])
    await writeFile(join(attempt.directory, name), Buffer.alloc(BYTES, 1));
  await writeFile(join(attempt.directory, 'log'), 'output');
  return attempt;
}

const files = async (...names: string[]): Promise<string[]> => (await readdir(join(sector, ...names))).sort();

describe('before the next attempt', () => {
  test('P1 retains recorded layers, and frees the one in progress', async () => {
    await made('1/P1-1');
    expect(await freeBefore(sector, await made('1/P1-2'))).toBe(BYTES);
    expect(await files('1/P1-1')).toEqual(['job.json', 'layer-1', 'layers.json', 'log']);
    expect(await files('1/P1-2')).toContain('layer-2');
  });

  test('other phases retain only job, log and outcome', async () => {
    await made('1/P2-1', { error: {} });
    await freeBefore(sector, await made('1/P2-2'));
    expect(await files('1')).toEqual(['P2-2', 'gone-P2-1']);
    expect(await files('1/gone-P2-1')).toEqual(['error.json', 'job.json', 'log']);
  });

  test('earlier epochs are freed too, later ones and higher numbers are another’s', async () => {
    for (const at of ['1/P2-5', '2/P2-2', '3/P2-1']) await made(at);
    await freeBefore(sector, await made('2/P2-1'));
    expect(existsSync(join(sector, '1/gone-P2-5'))).toBe(true);
    for (const at of ['2/P2-1', '2/P2-2', '3/P2-1']) expect(await files(at)).toContain('layer-2');
  });

  test('an attempt with a result retains its files, whatever its input was', async () => {
    for (const phase of ['P1', 'P2']) {
      await made(`1/${phase}-1`, { result: {} });
      await freeBefore(sector, await made(`1/${phase}-2`));
      expect(await files(`1/${phase}-1`)).toContain('layer-2');
    }
  });

  test('other phases are left alone', async () => {
    await made('1/P3-1');
    await freeBefore(sector, await made('1/P2-1'));
    expect(await files('1/P3-1')).toContain('layer-2');
  });
});

describe('when a result counts', () => {
  test('all other attempts of its phase are freed, with and without results', async () => {
    for (const at of ['1/P1-1', '1/P1-3', '2/P1-1']) await made(at);
    const counts = await made('1/P1-2', { result: {} });
    expect(await freeSuperseded(sector, counts, 2)).toBe(6 * BYTES + 3 * 4096);
    expect(await files('1')).toEqual(['P1-2', 'gone-P1-1', 'gone-P1-3']);
    expect(await files('1/P1-2')).toContain('layer-2');
  });

  test('invalidated ones keep their name', async () => {
    await made('1/P1-1', { result: {} });
    await invalidateAttempt(sector, '1/P1-1');
    await freeSuperseded(sector, await made('1/P1-2', { result: {} }), 1);
    expect(await files('1/invalidated-P1-1')).toEqual(['job.json', 'log', 'result.json']);
  });

  test('a later epoch is another run’s', async () => {
    await made('2/P1-1');
    await freeSuperseded(sector, await made('1/P1-1', { result: {} }), 1);
    expect(await files('2/P1-1')).toContain('layer-2');
  });

  test('only regular files are deleted', async () => {
    const { directory } = await made('1/P1-1');
    await mkdir(join(directory, 'sub'));
    await symlink('/', join(directory, 'link'));
    await freeSuperseded(sector, await made('1/P1-2', { result: {} }), 1);
    expect(await files('1/gone-P1-1')).toEqual(['job.json', 'link', 'log', 'sub']);
  });
});
