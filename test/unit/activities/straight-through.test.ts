import { existsSync } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Job } from '../../../src/attempts/protocol.js';
import type { Deps } from '../../../src/activities/index.js';
import { eventually } from '../../helpers/eventually.js';
import { hold, release } from '../../helpers/gate.js';
import { createSite, HOST, NODE, type Site } from '../../helpers/site.js';

let site: Site;
beforeEach(async () => {
  site = await createSite();
});

const json = async (...path: string[]): Promise<unknown> => JSON.parse(await readFile(join(...path), 'utf8'));
const base64 = (hex: unknown): string => Buffer.from(String(hex), 'hex').toString('base64');

describe('a sector', () => {
  test('is sealed from P1 to P6', async () => {
    await site.seals('P1', 'P2', 'P3', 'P4', 'P5');
    const { P1, P2, P3, P4, P5 } = site.results;
    expect(await site.started()).toEqual(['1/P1-1', '1/P2-1', '1/P3-1', '1/P4-1', '1/P5-1']);
    expect(P1).toMatchObject({ v: 1, phase: 'P1', at: '1/P1-1', host: HOST });
    expect(Buffer.from(P2?.commR ?? '', 'base64')).toHaveLength(32);
    expect(P2?.commD).toBe(P1?.commD);
    expect(P3).not.toHaveProperty('commR', expect.anything());
    expect(Buffer.from(P4?.proof ?? '', 'base64')).toHaveLength(192);
    expect(P5?.node).toBe(NODE);
    // People see the replica under sealed/.
    const shown = join(site.group.root, 'nfs', NODE, 'sealed/s-t01000-7');
    expect((await stat(shown)).ino).toBe((await stat(site.path('1/P2-1', 'sealed'))).ino);
    const outputs = (await json(site.path('1/P2-1', 'result.json'))) as { outputs: { commR: string } };
    expect(P2?.commR).toBe(base64(outputs.outputs.commR));

    const cleaned = await site.clean();
    expect(cleaned).toMatchObject({
      v: 1,
      host: HOST,
      storage: {
        node: NODE,
        sealed: 'sealed/s-t01000-7',
        cache: 'cache/s-t01000-7',
        receipt: 'receipts/s-t01000-7.json',
      },
    });
    expect(cleaned.bytesFreed).toBeGreaterThan(0);
    expect(existsSync(site.directory)).toBe(false);
    expect(existsSync(shown)).toBe(false);
    expect(await readdir(join(site.node, 'cache/s-t01000-7'))).toEqual([
      'p_aux',
      'sc-02-data-tree-r-last.dat',
      't_aux',
    ]);
    expect(await json(site.node, 'receipts/s-t01000-7.json')).toMatchObject({
      v: 1,
      sector: 't01000/7',
      commR: outputs.outputs.commR,
      proof: P4?.proof,
      node: NODE,
    });
  });

  test('leaves its whole input on disk, with the seed once it is known', async () => {
    const { seed } = site.seal;
    site.seal = { ...site.seal, seed: undefined };
    await site.seals('P1', 'P2');
    const path = join(site.directory, 'sector.json');
    expect(await json(path)).toEqual(JSON.parse(JSON.stringify(site.seal)));
    site.seal = { ...site.seal, seed };
    await site.seals('P3');
    expect(await json(path)).toEqual(site.seal);
  });

  test('gives the same outputs when it is sealed again', async () => {
    await site.seals('P1', 'P2', 'P3');
    const first = site.results;
    for (const phase of ['P1', 'P2', 'P3'] as const) {
      site.results[phase] = await site.run(phase, { invalidated: [`1/${phase}-1`] });
      expect(site.results[phase].at).toBe(`1/${phase}-2`);
      expect(site.results[phase].digest).toBe(first[phase]?.digest);
    }
  });
});

test('with P1, and only with it, is told how busy the disk is', async () => {
  const disk = { disk: 'sdb', busy: 0.97, writeWaitMs: 214 };
  for (const phase of ['P1', 'P2'] as const) {
    await hold(site, phase);
    const { heartbeats, done } = site.begin(phase, {}, {}, { diskLoad: () => disk });
    await eventually(() => heartbeats.some(({ at }) => at !== ''));
    await release(site, phase);
    site.results[phase] = await done;
    expect(heartbeats.flatMap((beat) => beat.disk ?? [])[0]).toEqual(phase === 'P1' ? disk : undefined);
  }
});

describe('the job of a phase', () => {
  const jobAt = async (at: string): Promise<Job> => (await json(site.path(at, 'job.json'))) as Job;

  test('has what decides its outcome, and relative paths only', async () => {
    await site.seals('P1', 'P2', 'P3', 'P4');
    expect(await jobAt('1/P1-1')).toMatchObject({
      v: 1,
      phase: 'P1',
      sector: 't01000/7',
      size: '2KiB',
      inputs: {},
      earlier: [],
    });
    expect(await jobAt('1/P2-1')).toMatchObject({
      inputs: { P1: '../P1-1' },
      earlier: [],
      madeBy: { host: HOST },
    });
    expect((await jobAt('1/P4-1')).inputs).toEqual({ P2: '../P2-1', P3: '../P3-1' });
    expect((await jobAt('1/P1-1')).seed).toBeUndefined();
    expect((await jobAt('1/P3-1')).seed).toBe(site.seal.seed);
  });

  test('finds a inputs in another epoch', async () => {
    await site.seals('P1');
    await site.run('P2', {}, { runId: 'another' });
    expect((await jobAt('2/P2-1')).inputs).toEqual({ P1: '../../1/P1-1' });
  });

  test('runs each phase on the cores of its own', async () => {
    const cores: Partial<Deps> = { coresOf: (phase) => (phase === 'P2' ? [0, 1] : undefined) };
    for (const phase of ['P1', 'P2', 'P3', 'P4'] as const)
      site.results[phase] = await site.run(phase, {}, {}, cores);
    const jobs = await Promise.all(['P1', 'P2', 'P3', 'P4'].map((phase) => jobAt(`1/${phase}-1`)));
    expect(jobs.map((job) => job.cores)).toEqual([undefined, [0, 1], undefined, undefined]);
  });

  test('is scaled by the factor of times', async () => {
    await site.seals('P1');
    expect(await jobAt('1/P1-1')).toMatchObject({ progressEveryMs: 250, leaseEveryMs: 100 });
  });

  test('copies into a directory of its own on the node, as fast as it may', async () => {
    await site.seals('P1', 'P2');
    site.results.P5 = await site.run('P5', {}, {}, { copyLimits: { each: 5e8 } });
    const { copy } = await jobAt('1/P5-1');
    expect(copy).toMatchObject({ node: site.node, limitBytesPerSec: 5e8 });
    expect(copy?.into).toMatch(/^\.sealflow\/s-t01000-7\.[0-9a-f-]{36}$/);
    expect((await readdir(join(site.node, copy?.into ?? ''))).length).toBe(5);
  });

  test('is not the same work with another ticket, seed or inputs', async () => {
    await site.seals('P1', 'P2', 'P3');
    const hashes = new Set([(await jobAt('1/P3-1')).inputHash]);
    // One after the other: what counts last has the room of those before it.
    for (const change of [{ ticket: 'cc'.repeat(32) }, { seed: 'cc'.repeat(32) }]) {
      const { at } = await site.run('P3', { seal: { ...site.seal, ...change } });
      hashes.add((await jobAt(at)).inputHash);
    }
    expect(hashes.size).toBe(3);
  });
});

describe('heartbeats', () => {
  test('tell where the phase is at work, and how far', async () => {
    await hold(site, 'P1');
    const { done, heartbeats } = site.begin('P1');
    await eventually(() => heartbeats.length > 1);
    await release(site, 'P1');
    await done;
    for (const beat of heartbeats) expect(beat).toMatchObject({ phase: 'P1', host: HOST });
    expect(heartbeats.some(({ at, step }) => at === '1/P1-1' && step !== '')).toBe(true);
    const fractions = heartbeats.map(({ fraction }) => fraction ?? 0);
    expect(fractions).toEqual([...fractions].sort((a, b) => a - b));
  });
});

test('a replica that somebody has shown under sealed/ before is replaced', async () => {
  await site.seals('P1', 'P2');
  const shown = join(site.group.root, 'nfs', NODE, 'sealed/s-t01000-7');
  await site.run('P2', { invalidated: ['1/P2-1'] });
  expect((await stat(shown)).ino).toBe((await stat(site.path('1/P2-2', 'sealed'))).ino);
  // The same link again leaves nothing beside it.
  await site.run('P2');
  expect(await readdir(join(site.group.root, 'nfs', NODE, 'sealed'))).toEqual(['s-t01000-7']);
});
