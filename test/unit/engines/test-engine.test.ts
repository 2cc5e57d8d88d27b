/** The test engine itself: where it deviates from docs/engine-protocol.md, other tests prove nothing. */
import { cp, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { blake3 } from '@noble/hashes/blake3.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { beforeEach, describe, expect, test } from 'vitest';
import { readError, readResult } from '../../../src/sector-directory/attempt.js';
import { readProgress } from '../../../src/engines/progress.js';
import type { EnginePhaseId } from '../../../src/phases.js';
import { writeAttempt } from '../../helpers/attempts.js';
import { computeByHand, runByHand } from '../../helpers/by-hand.js';
import { flip } from '../../helpers/damage.js';
import { ENGINE, runEngine as engine, startEngine, untilShown } from '../../helpers/engine.js';
import { eventually } from '../../helpers/eventually.js';
import { createTestHost } from '../../helpers/test-host.js';
import { temporaryDirectory } from '../../helpers/temporary.js';

let sector: string;
beforeEach(async () => {
  sector = await temporaryDirectory();
});

describe('run', () => {
  test('leaves a result, its files, and one complete progress block', async () => {
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

  test('does not change an existing result', async () => {
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

  test('does not start in an attempt that another engine has started', async () => {
    const { directory } = await writeAttempt(sector, '1/P1-1', { progress: {} });
    const before = await readdir(directory);
    expect(await engine('run', directory)).toMatchObject({ code: 3 });
    expect(await readdir(directory)).toEqual(before);
  });

  test.each(['', 'P1-1', '1/P6-1', '1/invalidated-P1-1'])('refuses the directory %j', async (name) => {
    await mkdir(join(sector, name), { recursive: true });
    expect(await engine('run', join(sector, name))).toMatchObject({ code: 2 });
  });

  test('copies to a storage node that is there, and to no other', async () => {
    const { directory } = await writeAttempt(sector, '1/P2-1', { result: { outputs: { files: [] } } });
    const copy = { node: join(sector, 'node'), staging: '.sealflow/x', limitBytesPerSec: 0, passedOver: [] };
    const job = { copy, inputs: { P2: '../P2-1' } };
    const attempt = await writeAttempt(sector, '1/P5-1', { job });
    expect(await engine('run', attempt.directory)).toMatchObject({ code: 3 });
    expect(await readError(attempt)).toMatchObject({
      exit: 3,
      type: 'PassingFault',
      message: `storage node ${copy.node} is not there: is it mounted?`,
    });
    expect((await readdir(sector)).sort()).toEqual(['1']);
    expect(directory).toContain('P2-1');
  });
});

describe('its input', () => {
  const job = { sector: 't01000/7', ticket: 'aa'.repeat(32), seed: 'bb'.repeat(32) };
  const path = (at: string, name: string): string => join(sector, '1', at, name);
  const edit = async (file: string, change: (value: Record<string, unknown>) => object): Promise<void> =>
    writeFile(
      file,
      JSON.stringify(change(JSON.parse(await readFile(file, 'utf8')) as Record<string, unknown>)),
    );
  const run = async (phase: EnginePhaseId) => {
    const { code, directory } = await runByHand(ENGINE, sector, phase, job);
    return { code, from: (await readError({ directory }))?.from };
  };
  // In the words of the real engine.
  const said = async (phase: EnginePhaseId): Promise<string | undefined> =>
    (await readError({ directory: join(sector, '1', `${phase}-1`) }))?.message;
  const differs = (name: string, by: string): RegExp =>
    RegExp(`^${name} differs: it is [0-9]+ bytes, BLAKE3 [0-9a-f]{64}; ${by} [0-9]+ bytes, [0-9a-f]{64}$`);

  test.each(['sc-02-data-tree-d.dat', 'sc-02-data-layer-1.dat', 'sc-02-data-layer-2.dat', 'phase1.json'])(
    'is checked by P2: %s, damaged or gone',
    async (name) => {
      await computeByHand(ENGINE, sector, ['P1'], job);
      await flip(path('P1-1', name));
      expect(await run('P2')).toEqual({ code: 4, from: 'P1' });
      expect(await said('P2')).toMatch(differs(name, 'P1 recorded'));
      await rm(join(sector, '1/P2-1'), { recursive: true });
      await rm(path('P1-1', name));
      expect(await run('P2')).toEqual({ code: 4, from: 'P1' });
      expect(await said('P2')).toBe(`../P1-1/${name} is not there`);
    },
  );

  test('is missed by P2: the result', async () => {
    expect(await run('P2')).toEqual({ code: 4, from: 'P1' });
    expect(await said('P2')).toBe('../P1-1/result.json is not there');
  });

  test('is copied as it was recorded', async () => {
    await computeByHand(ENGINE, sector, ['P1', 'P2'], job);
    await flip(path('P2-1', 'sealed'));
    await mkdir(join(sector, 'node/.sealflow/x'), { recursive: true });
    const copy = { node: join(sector, 'node'), staging: '.sealflow/x', limitBytesPerSec: 0, passedOver: [] };
    const attempt = await writeAttempt(sector, '1/P5-1', {
      job: { ...job, copy, inputs: { P2: '../P2-1' } },
    });
    expect(await engine('run', attempt.directory)).toMatchObject({ code: 4 });
    expect(await said('P5')).toMatch(differs('sealed', 'P2 recorded'));
  });

  test.each(['ticket', 'seed', 'commR'])('is checked by P4: another %s', async (key) => {
    await computeByHand(ENGINE, sector, ['P1', 'P2', 'P3'], job);
    const other = 'cc'.repeat(32);
    const file = path('P3-1', 'commit-phase1.json');
    await edit(file, (value) => ({ ...value, [key]: other }));
    const bytes = await readFile(file);
    const files = [{ name: 'commit-phase1.json', size: bytes.length, blake3: bytesToHex(blake3(bytes)) }];
    await edit(path('P3-1', 'result.json'), (value) => ({ ...value, outputs: { files } }));
    expect(await run('P4')).toEqual({ code: 4, from: 'P3' });
  });

  test.each([
    ['version', { v: 2 }],
    ['sector', { sector: 't01000/8' }],
    ['size', { size: '8MiB' }],
    ['phase', { phase: 'P3' }],
  ])('is no result of another %s', async (_, change) => {
    await computeByHand(ENGINE, sector, ['P1'], job);
    await edit(path('P1-1', 'result.json'), (value) => ({ ...value, ...change }));
    expect(await run('P2')).toEqual({ code: 2, from: undefined });
    expect(await said('P2')).toMatch(/^\.\.\/P1-1\/result\.json is a result v.*, not of P1 t01000\/7 2KiB$/);
  });

  test('is taken over by P1 from the attempt with the most good layers', async () => {
    await computeByHand(ENGINE, sector, ['P1'], job);
    for (const name of ['P1-2', 'P1-3'])
      await cp(join(sector, '1/P1-1'), join(sector, '1', name), { recursive: true });
    await flip(path('P1-1', 'sc-02-data-layer-1.dat'));
    await flip(path('P1-2', 'sc-02-data-layer-2.dat'));
    await flip(path('P1-3', 'sc-02-data-tree-d.dat'));
    const earlier = ['P1-3', 'P1-2', 'P1-1'].map((name) => `../../1/${name}`);
    const { directory } = await writeAttempt(sector, '2/P1-1', { job: { ...job, earlier } });
    expect(await engine('run', directory)).toMatchObject({ code: 0 });
    const inode = async (file: string): Promise<number> => (await stat(file)).ino;
    const layer = 'sc-02-data-layer-1.dat';
    expect(await inode(join(directory, layer))).toBe(await inode(path('P1-2', layer)));
    expect((await stat(join(directory, 'sc-02-data-layer-2.dat'))).nlink).toBe(1);
  });
});

describe('an engine at work ends with exit code 7', () => {
  test.each([
    ['a higher epoch is there', () => mkdir(join(sector, '2'))],
    ['a higher attempt is there', () => mkdir(join(sector, '1/P1-2'))],
    [
      'its attempt has another name',
      () => rename(join(sector, '1/P1-1'), join(sector, '1/invalidated-P1-1')),
    ],
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
    for (const name of ['1', 'x3', '.new-3', '2/P1-1', '2/P2-9', '2/invalidated-P1-9', '2/P1-9x']) {
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
    const host = await createTestHost();
    await host.seals('P1', 'P2', 'P3', 'P4', 'P5');
    await host.clean();
    const path = join(host.node, 'receipts/s-t01000-7.json');
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
      const { code, stdout, stderr } = await engine('verify', path);
      expect({ code, stdout }).toEqual({ code: 6, stdout: '' });
      expect(stderr).toMatch(/: ProofInvalid: t01000\/[78]: the proof does not verify\n$/);
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
