import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { claimEpoch, endEpoch } from '../../../src/sector-directory/changes/claim-epoch.js';
import { listEpochs } from '../../../src/sector-directory/epochs.js';
import { temporaryDirectory } from '../../helpers/temporary.js';

const HOST = '10.0.0.1';
let directory: string;
beforeEach(async () => {
  directory = await temporaryDirectory();
});

const claim = (owner: string): Promise<number> => claimEpoch(directory, owner, HOST);
const raise = (owner: string, why = 'cancelled'): Promise<number> => endEpoch(directory, owner, why, HOST);
const owners = async (): Promise<string[]> =>
  (await listEpochs(directory)).map(({ number, owner, why }) => `${number} ${owner} ${why}`);

describe('a claim', () => {
  test('of the first run is epoch 1', async () => {
    expect(await claim('run-a#1')).toBe(1);
    expect(await listEpochs(directory)).toEqual([
      { number: 1, v: 1, owner: 'run-a#1', why: 'claimed', host: HOST, at: expect.any(String) as string },
    ]);
    expect(await readdir(directory)).toEqual(['1']);
  });

  test('in a directory that was lost is above those that the workflow knows of', async () => {
    expect(await claimEpoch(directory, 'run-a#3', HOST, 2)).toBe(3);
    expect(await claimEpoch(directory, 'run-a#3', HOST, 2)).toBe(3);
    expect(await claimEpoch(directory, 'run-b#1', HOST, 1)).toBe(4);
  });

  test('when repeated gives the same epoch', async () => {
    for (let i = 0; i < 3; i++) expect(await claim('run-a#1')).toBe(1);
    expect(await readdir(directory)).toEqual(['1']);
  });

  test('of another run is the next epoch', async () => {
    await claim('run-a#1');
    expect(await claim('run-b#1')).toBe(2);
  });

  test('of a run that another has overtaken is refused, and names the other', async () => {
    await claim('run-a#1');
    await claim('run-b#1');
    const refused = {
      type: 'ClaimedByOther',
      message: expect.stringContaining('run-b#1') as string,
    };
    await expect(claim('run-a#1')).rejects.toMatchObject(refused);
    expect(await readdir(directory)).toEqual(['1', '2']);
  });

  test('after a retry takes the sector back', async () => {
    await claim('run-a#1');
    await claim('run-b#1');
    expect(await claim('run-a#2')).toBe(3);
    await expect(claim('run-b#1')).rejects.toMatchObject({ type: 'ClaimedByOther' });
  });

  test('of an earlier claim of the same run is refused, and the failure names the one in force', async () => {
    await claim('run-a#1');
    await claim('run-a#3');
    await expect(claim('run-a#1')).rejects.toMatchObject({ type: 'Overtaken', details: { claim: 3 } });
    await expect(claim('run-a#2')).rejects.toMatchObject({ type: 'Overtaken', details: { claim: 3 } });
    expect(await claim('run-a#3')).toBe(2);
  });

  test('of a run that was stopped is refused', async () => {
    await claim('run-a#1');
    await raise('run-a#1');
    await expect(claim('run-a#1')).rejects.toMatchObject({
      type: 'ClaimedByOther',
      message: expect.stringContaining('cancelled') as string,
    });
  });

  test('of a run that was stopped before it began is refused', async () => {
    await raise('run-a#1');
    await expect(claim('run-a#1')).rejects.toMatchObject({ type: 'ClaimedByOther' });
  });

  test('of the next run after a stop is the next epoch', async () => {
    await claim('run-a#1');
    await raise('run-a#1');
    expect(await claim('run-b#1')).toBe(3);
  });

  test('counts by number, not by name', async () => {
    for (let i = 1; i <= 12; i++) expect(await claim(`run-${i}#1`)).toBe(i);
  });

  test('considers numbers only', async () => {
    for (const name of ['.new-1', 'invalidated-9', '07', '0', 'x']) await mkdir(join(directory, name));
    await writeFile(join(directory, 'sector.json'), '{}');
    expect(await claim('run-a#1')).toBe(1);
  });

  test('does not recreate a deleted sector', async () => {
    const gone = join(directory, 'gone');
    await expect(claimEpoch(gone, 'run-a#1', HOST)).rejects.toMatchObject({ code: 'ENOENT' });
    await expect(endEpoch(gone, 'run-a#1', 'cancelled', HOST)).rejects.toMatchObject({ code: 'ENOENT' });
    expect(await readdir(directory)).toEqual([]);
  });
});

describe('at once', () => {
  test('two tasks of one run get one epoch', async () => {
    expect(await Promise.all(Array.from({ length: 8 }, () => claim('run-a#1')))).toEqual(Array(8).fill(1));
    expect(await readdir(directory)).toEqual(['1']);
  });

  test('ten runs get ten epochs, each its own', async () => {
    const runs = Array.from({ length: 10 }, (_, i) => `run-${i}#1`);
    const numbers = await Promise.all(runs.map(claim));
    expect([...numbers].sort((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    const epochs = await listEpochs(directory);
    for (const [i, owner] of runs.entries()) expect(epochs[(numbers[i] ?? 0) - 1]?.owner).toBe(owner);
    expect((await readdir(directory)).filter((name) => name.startsWith('.'))).toEqual([]);
  });

  test('a stop and a claim of the same run end with the run stopped', async () => {
    await Promise.allSettled([claim('run-a#1'), raise('run-a#1'), claim('run-a#1'), raise('run-a#1')]);
    await expect(claim('run-a#1')).rejects.toMatchObject({ type: 'ClaimedByOther' });
  });
});

describe('a stop', () => {
  test('raises the epoch once', async () => {
    await claim('run-a#1');
    for (let i = 0; i < 3; i++) await raise('run-a#1', 'aborted');
    expect(await owners()).toEqual(['1 run-a#1 claimed', '2 run-a#1 aborted']);
  });

  test('of a run that does not own the sector changes nothing', async () => {
    await claim('run-b#1');
    await expect(raise('run-a#1')).rejects.toMatchObject({ type: 'ClaimedByOther' });
    expect(await owners()).toEqual(['1 run-b#1 claimed']);
  });

  test('stops the run, whatever it has claimed since', async () => {
    await claim('run-a#1');
    await claim('run-a#2');
    await raise('run-a#1');
    await expect(claim('run-a#2')).rejects.toMatchObject({ type: 'ClaimedByOther' });
  });
});
