/**
 * Data of other sealflow versions: the previous one is read; a newer one is neither read nor treated as missing.
 */
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ApplicationFailureCategory } from '@temporalio/common';
import { beforeEach, describe, expect, test } from 'vitest';
import { CONTRACT_VERSION, type StopInput } from '../../../src/contract.js';
import { doneFile, goneName, markerFile } from '../../../src/paths.js';
import { ENGINE_PHASE_IDS, TIMES } from '../../../src/phases.js';
import { sectorOf } from '../../../src/sector.js';
import { NotOfGroupError, readMarker } from '../../../src/group/marker.js';
import { progressBlock, progressOf } from '../../helpers/attempts.js';
import {
  createTestHost,
  failureFrom,
  HOST,
  RUN_ID,
  snapshot,
  type TestHost,
} from '../../helpers/test-host.js';

const NEXT = CONTRACT_VERSION + 1;
const BEFORE = CONTRACT_VERSION - 1;
const SECTOR = sectorOf('t01000/7');

let host: TestHost;
beforeEach(async () => {
  host = await createTestHost();
});

const stopInput = (v: number = CONTRACT_VERSION): StopInput => ({
  v: v as never,
  seal: host.seal,
  claim: 1,
  run: RUN_ID,
  why: 'cancelled',
});

/** Runs a task that must be handed back as too new, and without a trace. */
async function expectTooNew(run: () => Promise<unknown>, what: string): Promise<void> {
  const before = await snapshot(host.root);
  const thrown = await failureFrom(run());
  expect(thrown).toMatchObject({
    type: 'TooNew',
    nonRetryable: false,
    category: ApplicationFailureCategory.BENIGN,
  });
  expect(thrown.message).toContain(`${what} has version ${NEXT}, this sealflow knows ${CONTRACT_VERSION}`);
  expect(thrown.nextRetryDelay).toBeLessThanOrEqual(TIMES.noSlotMax);
  expect(await snapshot(host.root)).toEqual(before);
}

/** Gives a JSON file another version number and another form, as newer ones may have. */
async function renumber(path: string, v: number): Promise<void> {
  const value = JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>;
  await writeFile(path, JSON.stringify(v > CONTRACT_VERSION ? { v, all: value } : { ...value, v }));
}

describe('a task', () => {
  const asNewer = { v: NEXT as never };

  test.each(ENGINE_PHASE_IDS)('of %s that is newer is handed back', async (phase) => {
    host.results = { P1: none, P2: none, P3: none } as never;
    await expectTooNew(() => host.run(phase, asNewer), 'job');
  });

  test('with a newer input of the workflow in it is handed back', async () => {
    const seal = { ...host.seal, v: NEXT } as never;
    await expectTooNew(() => host.run('P1', { seal }), 'input of the workflow');
  });

  test('that cleans or stops and is newer is handed back', async () => {
    host.results = Object.fromEntries(ENGINE_PHASE_IDS.map((id) => [id, none]));
    await expectTooNew(() => host.clean(asNewer), 'job');
    await expectTooNew(() => host.offer('stopSector', stopInput(NEXT)).done, 'job');
  });

  test('of the previous version is done', async () => {
    const v = BEFORE as never;
    for (const phase of ENGINE_PHASE_IDS) {
      host.results[phase] = await host.run(phase, { v, seal: { ...host.seal, v } });
      expect(host.results[phase]).toMatchObject({ v: CONTRACT_VERSION, at: `1/${phase}-1` });
    }
    await host.offer('stopSector', stopInput(BEFORE)).done;
    expect(await host.clean({ v }, { runId: 'another' })).toMatchObject({ v: CONTRACT_VERSION });
  });

  test('of a version that is too old needs an operator', async () => {
    expect(await failureFrom(host.run('P1', { v: -1 as never }))).toMatchObject({
      type: 'BadInput',
      nonRetryable: true,
    });
  });
});

const none = { at: '1/P1-1', digest: '' };

describe('in the sector’s directory', () => {
  beforeEach(() => host.seals('P1'));

  test.each([
    ['1/epoch.json', []],
    ['sector.json', []],
    ['1/P1-1/result.json', []],
    // Without its result it appears to be an attempt that is running, or has failed.
    ['1/P1-1/job.json', ['result.json']],
    ['1/P1-1/error.json', ['result.json']],
    ['1/P1-1/progress.json', ['result.json']],
  ])('a newer %s starts no second engine', async (name, removed) => {
    for (const file of removed) await rm(host.path('1/P1-1', file));
    const path = join(host.directory, name);
    const error = { exit: 4, type: 'StepBack', message: 'x' };
    if (name.endsWith('error.json')) await writeFile(path, JSON.stringify({ v: NEXT, ...error }));
    else if (name.endsWith('progress.json')) await writeFile(path, progressBlock({ v: NEXT, process: 1 }));
    else await renumber(path, NEXT);
    // Long after every timeout.
    const observed = { at: '1/P1-1', counter: -1, since: 0 };
    const heartbeatDetails = { phase: 'P1', host: HOST, at: '', step: '', fraction: null, observed } as const;
    await expectTooNew(() => host.run('P1', {}, { heartbeatDetails }), name.split('/').at(-1) ?? '');
    expect(await host.started()).toEqual(['1/P1-1']);
  });

  test.each(['1/epoch.json', '1/P1-1/result.json'])(
    'a newer %s is not overridden by a stop',
    async (name) => {
      const path = join(host.directory, name);
      await renumber(path, NEXT);
      if (name.endsWith('epoch.json'))
        await expectTooNew(() => host.offer('stopSector', stopInput()).done, path);
      else
        expect(await failureFrom(host.offer('stopSector', stopInput()).done)).toMatchObject({
          type: 'TooNew',
        });
    },
  );

  test('a newer result does not count as a missing input: P1 is not invalidated for it', async () => {
    const path = host.path('1/P1-1', 'result.json');
    await renumber(path, NEXT);
    await expectTooNew(() => host.run('P2'), path);
  });

  test('files of the previous version are read: nothing is done again', async () => {
    for (const name of ['sector.json', '1/epoch.json', '1/P1-1/job.json', '1/P1-1/result.json'])
      await renumber(join(host.directory, name), BEFORE);
    expect(await host.run('P1')).toEqual(host.results.P1);
    await host.seals('P2');
    expect(await host.started()).toEqual(['1/P1-1', '1/P2-1']);
  });

  test('an engine of the previous version is waited for', async () => {
    await rm(host.path('1/P1-1', 'result.json'));
    const progress = progressBlock({ ...(await progressOf()), v: BEFORE });
    await writeFile(host.path('1/P1-1', 'progress.json'), progress);
    const { env, done, heartbeats } = host.begin('P1');
    await expect.poll(() => heartbeats.at(-1)?.at).toBe('1/P1-1');
    env.cancel();
    await failureFrom(done);
    expect(await host.started()).toEqual(['1/P1-1']);
  });
});

describe('when the sector is cleaned', () => {
  beforeEach(() => host.seals(...ENGINE_PHASE_IDS));

  test('a newer receipt is not overwritten, and nothing is deleted', async () => {
    await mkdir(join(host.node, 'receipts'));
    const receipt = join(host.node, 'receipts/s-t01000-7.json');
    await writeFile(receipt, JSON.stringify({ v: NEXT, sector: 't01000/7' }));
    await expectTooNew(() => host.clean(), receipt);
  });

  test('a newer `done` is not treated as missing', async () => {
    const done = doneFile(host.group, SECTOR);
    await writeFile(done, JSON.stringify({ v: NEXT, sector: 't01000/7' }));
    await expectTooNew(() => host.clean(), done);
    await rm(host.directory, { recursive: true });
    await expectTooNew(() => host.clean(), done);
  });

  test('what a newer P6 is deleting is left to it', async () => {
    const gone = join(host.directory, '..', goneName(SECTOR, '11111111-2222-4333-8444-555555555555'));
    await rename(host.directory, gone);
    const journal = join(gone, 'clean.json');
    await writeFile(journal, JSON.stringify({ v: NEXT, sector: 't01000/7' }));
    await expectTooNew(() => host.clean(), journal);
  });

  test('a clean-up that the previous version began is finished', async () => {
    const cleaned = await host.clean();
    const done = doneFile(host.group, SECTOR);
    await renumber(done, BEFORE);
    expect(await host.clean()).toMatchObject({ storage: cleaned.storage });
    expect(existsSync(done)).toBe(true);
  });
});

test('with a newer marker the group is not served', async () => {
  await writeFile(markerFile(host.group.root), JSON.stringify({ v: NEXT, group: 1 }));
  await expect(readMarker(host.group.root)).rejects.toThrow(`has version ${NEXT}`);
  await expect(readMarker(host.group.root)).rejects.toThrow(NotOfGroupError);
});
