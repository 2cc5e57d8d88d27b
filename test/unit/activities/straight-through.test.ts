import { existsSync } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Job } from '../../../src/engines/protocol.js';
import { eventually } from '../../helpers/eventually.js';
import { hold, release } from '../../helpers/checkpoints.js';
import { createTestHost, HOST, NODE, type TestHost, type DepsChanges } from '../../helpers/test-host.js';

let host: TestHost;
beforeEach(async () => {
  host = await createTestHost();
});

const json = async (...path: string[]): Promise<unknown> => JSON.parse(await readFile(join(...path), 'utf8'));
const base64 = (hex: unknown): string => Buffer.from(String(hex), 'hex').toString('base64');

describe('a sector', () => {
  test('is sealed from P1 to P6', async () => {
    await host.seals('P1', 'P2', 'P3', 'P4', 'P5');
    const { P1, P2, P3, P4, P5 } = host.results;
    expect(await host.started()).toEqual(['1/P1-1', '1/P2-1', '1/P3-1', '1/P4-1', '1/P5-1']);
    expect(P1).toMatchObject({ v: 1, phase: 'P1', at: '1/P1-1', host: HOST });
    expect(Buffer.from(P2?.commR ?? '', 'base64')).toHaveLength(32);
    expect(P2?.commD).toBe(P1?.commD);
    expect(P3).not.toHaveProperty('commR', expect.anything());
    expect(Buffer.from(P4?.proof ?? '', 'base64')).toHaveLength(192);
    expect(P5?.node).toBe(NODE);
    // The replica is linked under sealed/ for operators.
    const shown = join(host.group.root, 'nfs', NODE, 'sealed/s-t01000-7');
    expect((await stat(shown)).ino).toBe((await stat(host.path('1/P2-1', 'sealed'))).ino);
    const outputs = (await json(host.path('1/P2-1', 'result.json'))) as { outputs: { commR: string } };
    expect(P2?.commR).toBe(base64(outputs.outputs.commR));

    const cleaned = await host.clean();
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
    expect(existsSync(host.directory)).toBe(false);
    expect(existsSync(shown)).toBe(false);
    expect(await readdir(join(host.node, 'cache/s-t01000-7'))).toEqual([
      'p_aux',
      'sc-02-data-tree-r-last.dat',
      't_aux',
    ]);
    expect(await json(host.node, 'receipts/s-t01000-7.json')).toMatchObject({
      v: 1,
      sector: 't01000/7',
      commR: outputs.outputs.commR,
      proof: P4?.proof,
      node: NODE,
    });
  });

  test('leaves its complete input on disk, with the seed once it is known', async () => {
    const { seed } = host.seal;
    host.seal = { ...host.seal, seed: undefined };
    await host.seals('P1', 'P2');
    const path = join(host.directory, 'sector.json');
    expect(await json(path)).toEqual(JSON.parse(JSON.stringify(host.seal)));
    host.seal = { ...host.seal, seed };
    await host.seals('P3');
    expect(await json(path)).toEqual(host.seal);
  });

  test('gives the same outputs when it is sealed again', async () => {
    await host.seals('P1', 'P2', 'P3');
    const first = host.results;
    for (const phase of ['P1', 'P2', 'P3'] as const) {
      host.results[phase] = await host.run(phase, { invalidated: [`1/${phase}-1`] });
      expect(host.results[phase].at).toBe(`1/${phase}-2`);
      expect(host.results[phase].digest).toBe(first[phase]?.digest);
    }
  });
});

test('P1’s heartbeats, and no other phase’s, report how busy the disk is', async () => {
  const disk = { disk: 'sdb', busy: 0.97, writeWaitMs: 214 };
  for (const phase of ['P1', 'P2'] as const) {
    await hold(host, phase);
    const { heartbeats, done } = host.begin(phase, {}, {}, { resources: { diskLoad: () => disk } });
    await eventually(() => heartbeats.some(({ at }) => at !== ''));
    await release(host, phase);
    host.results[phase] = await done;
    expect(heartbeats.flatMap(({ disk: busiest }) => busiest ?? [])[0]).toEqual(
      phase === 'P1' ? disk : undefined,
    );
  }
});

describe('the job of a phase', () => {
  const jobAt = async (at: string): Promise<Job> => (await json(host.path(at, 'job.json'))) as Job;

  test('has what determines its outcome, and relative paths only', async () => {
    await host.seals('P1', 'P2', 'P3', 'P4');
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
    expect((await jobAt('1/P3-1')).seed).toBe(host.seal.seed);
  });

  test('finds inputs in another epoch', async () => {
    await host.seals('P1');
    await host.run('P2', {}, { runId: 'another' });
    expect((await jobAt('2/P2-1')).inputs).toEqual({ P1: '../../1/P1-1' });
  });

  test('runs each phase on the cores of its own', async () => {
    const cores: DepsChanges = {
      resources: { coresOf: (phase) => Promise.resolve(phase === 'P2' ? { cores: [0, 1] } : {}) },
    };
    for (const phase of ['P1', 'P2', 'P3', 'P4'] as const)
      host.results[phase] = await host.run(phase, {}, {}, cores);
    const jobs = await Promise.all(['P1', 'P2', 'P3', 'P4'].map((phase) => jobAt(`1/${phase}-1`)));
    expect(jobs.map((job) => job.cores)).toEqual([undefined, [0, 1], undefined, undefined]);
  });

  test('is scaled by the factor of times', async () => {
    await host.seals('P1');
    expect(await jobAt('1/P1-1')).toMatchObject({ progressEveryMs: 250, leaseEveryMs: 100 });
  });

  test('copies into a directory of its own on the node, up to the rate limit', async () => {
    await host.seals('P1', 'P2');
    host.results.P5 = await host.run('P5', {}, {}, { nodes: { copyLimits: { each: 5e8 } } });
    const { copy } = await jobAt('1/P5-1');
    expect(copy).toMatchObject({ node: host.node, limitBytesPerSec: 5e8 });
    expect(copy?.staging).toMatch(/^\.sealflow\/s-t01000-7\.[0-9a-f-]{36}$/);
    expect((await readdir(join(host.node, copy?.staging ?? ''))).length).toBe(5);
  });

  test('is not the same work with another ticket, seed or inputs', async () => {
    await host.seals('P1', 'P2', 'P3');
    const hashes = new Set([(await jobAt('1/P3-1')).inputHash]);
    // One after the other: each run frees the attempts of the one before.
    for (const change of [{ ticket: 'cc'.repeat(32) }, { seed: 'cc'.repeat(32) }]) {
      const { at } = await host.run('P3', { seal: { ...host.seal, ...change } });
      hashes.add((await jobAt(at)).inputHash);
    }
    expect(hashes.size).toBe(3);
  });
});

describe('heartbeats', () => {
  test('report where the phase runs, and how far it is', async () => {
    await hold(host, 'P1');
    const { done, heartbeats } = host.begin('P1');
    await eventually(() => heartbeats.length > 1);
    await release(host, 'P1');
    await done;
    for (const heartbeat of heartbeats) expect(heartbeat).toMatchObject({ phase: 'P1', host: HOST });
    expect(heartbeats.some(({ at, step }) => at === '1/P1-1' && step !== '')).toBe(true);
    const fractions = heartbeats.map(({ fraction }) => fraction ?? 0);
    expect(fractions).toEqual([...fractions].sort((a, b) => a - b));
  });
});

test('an earlier link under sealed/ is replaced', async () => {
  await host.seals('P1', 'P2');
  const shown = join(host.group.root, 'nfs', NODE, 'sealed/s-t01000-7');
  await host.run('P2', { invalidated: ['1/P2-1'] });
  expect((await stat(shown)).ino).toBe((await stat(host.path('1/P2-2', 'sealed'))).ino);
  // Linking the same replica again leaves no temporary link.
  await host.run('P2');
  expect(await readdir(join(host.group.root, 'nfs', NODE, 'sealed'))).toEqual(['s-t01000-7']);
});
