/** P5 of the real engine onto file systems that are not like a local disk. */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { readError } from '../../src/sector-directory/attempt.js';
import type { Job } from '../../src/engines/protocol.js';
import type { Engine } from '../../src/engines/engine.js';
import { lacks } from '../helpers/abilities.js';
import { computeByHand, runByHand } from '../helpers/by-hand.js';
import { createRandom, hex32 } from '../helpers/random.js';
import { builtEngine, ENGINE_TIMEOUT_MS } from '../helpers/real-engine.js';
import { temporaryDirectory } from '../helpers/temporary.js';

vi.setConfig({ testTimeout: 300_000, hookTimeout: ENGINE_TIMEOUT_MS });

const STAGING = '.sealflow/s-t01000-1.test';
const FILES = ['sealed', 'p_aux', 't_aux', 'sc-02-data-tree-r-last.dat'];
const random = createRandom();

let engine: Engine;
beforeAll(async () => {
  engine = await builtEngine();
});

/** A storage node of that file system. */
async function nodeOf(type: string, options: string): Promise<string> {
  const node = await temporaryDirectory();
  execFileSync('mount', ['-t', type, '-o', options, type, node]);
  onTestFinished(() => void execFileSync('umount', [node]));
  return node;
}

/** @returns how P5 of a new sector ended, and where its P2 and P5 lie */
async function copyTo(node: string): Promise<{ code: number; p2: string; p5: string }> {
  const sector = await temporaryDirectory();
  const job: Partial<Job> = { sector: 't01000/1', ticket: hex32(random) };
  await computeByHand(engine.command, sector, ['P1', 'P2'], job, engine.environment);
  for (const path of ['.sealflow', STAGING]) await mkdir(join(node, path));
  await writeFile(join(node, STAGING, 'copy.json'), '{}');
  const copy = { node, staging: STAGING, limitBytesPerSec: 0, passedOver: [] };
  const { code } = await runByHand(engine.command, sector, 'P5', { ...job, copy }, engine.environment);
  return { code, p2: join(sector, '1/P2-1'), p5: join(sector, '1/P5-1') };
}

test.skipIf(await lacks('mount'))('a node that refuses O_DIRECT gets the same bytes', async () => {
  const node = await nodeOf('ramfs', 'mode=755');
  const { code, p2 } = await copyTo(node);
  expect(code).toBe(0);
  for (const name of FILES)
    expect(await readFile(join(node, STAGING, name))).toEqual(await readFile(join(p2, name)));
});

test.skipIf(await lacks('mount'))(
  'a node that is full is told at once, and nothing stays there',
  async () => {
    const node = await nodeOf('tmpfs', 'size=16k');
    const { code, p5 } = await copyTo(node);
    expect(code).toBe(3);
    expect(await readError({ directory: p5 })).toMatchObject({ type: 'NoSpace' });
    expect(await readdir(join(node, '.sealflow'))).toEqual([]);
  },
);
