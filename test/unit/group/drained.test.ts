/** The note of a drained host, in the directory of its group. */
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { drain, drainedSince, undrain } from '../../../src/group/drained.js';
import { drainedDir, type GroupDirectory } from '../../../src/paths.js';
import type { PhaseId, SectorSize } from '../../../src/phases.js';
import { temporaryDirectory } from '../../helpers/temporary.js';

const [FIRST, LATER] = [new Date('2026-11-01T06:30:00Z'), new Date('2026-11-02T06:30:00Z')];
/** A host of this config.toml. */
const host = (ip: string, size: SectorSize, ...phases: PhaseId[]) => ({
  ip,
  size,
  pools: phases.map((phase) => ({ slots: 1, phases: [phase], waitMs: 1 })),
});
const own = host('10.0.0.1', '32GiB', 'P1', 'P2');
const other = host('10.0.0.1', '32GiB', 'P4');

let group: GroupDirectory;
let directory: string;
beforeEach(async () => {
  group = { root: await temporaryDirectory(), subdirectory: '10.10.4.23' };
  directory = drainedDir(group);
  await mkdir(directory, { recursive: true });
  return () => vi.useRealTimers();
});

const at = (now: Date): void => void vi.useFakeTimers({ now, toFake: ['Date'] });

test('a host is drained since it was first told so, until it no longer is', async () => {
  expect(await drainedSince(group, own)).toBeUndefined();
  for (const now of [FIRST, LATER]) {
    at(now);
    await drain(group, own);
    expect(await drainedSince(group, own)).toEqual(FIRST);
  }
  expect([await undrain(group, own), await undrain(group, own)]).toEqual([true, false]);
  expect(await drainedSince(group, own)).toBeUndefined();
  expect(await readdir(directory)).toEqual([]);
});

test('a phase that its config was given since is drained too, and since the first', async () => {
  at(LATER);
  await drain(group, host('10.0.0.1', '32GiB', 'P2'));
  expect(await drainedSince(group, own)).toEqual(LATER);
  at(FIRST);
  await drain(group, host('10.0.0.1', '32GiB', 'P1'));
  expect(await drainedSince(group, own)).toEqual(FIRST);
});

test('other configs are not: of other phases or another size, and those of other hosts', async () => {
  await drain(group, own);
  const others = [other, host('10.0.0.1', '2KiB', 'P1', 'P2'), host('10.0.0.2', '32GiB', 'P1', 'P2')];
  for (const one of others) {
    expect(await drainedSince(group, one)).toBeUndefined();
    expect(await undrain(group, one)).toBe(false);
  }
  expect(await drainedSince(group, own)).toBeDefined();
});

test('one config of a host that is drained no more leaves the others drained', async () => {
  for (const one of [own, other]) await drain(group, one);
  expect(await undrain(group, own)).toBe(true);
  expect([await drainedSince(group, own), await drainedSince(group, other)]).toEqual([
    undefined,
    expect.any(Date),
  ]);
});

test('a group from before has no directory for it: it is made', async () => {
  await rm(directory, { recursive: true });
  expect(await drainedSince(group, own)).toBeUndefined();
  await drain(group, own);
  expect(existsSync(directory)).toBe(true);
  expect(await drainedSince(group, own)).toBeDefined();
});

describe('a note that cannot be read', () => {
  const note = (): string => join(directory, '10.0.0.1.json');
  const all = [drainedSince, drain, undrain];

  test.each([
    ['is damaged', '{"v":1,"since":{"32GiB P1":"yesterday"}}', 'is no note of sealflow drain: delete it'],
    ['is of a newer sealflow', '{"v":99,"since":{}}', 'has version 99, this sealflow knows'],
  ])('as it %s, is left as it is', async (_, text, why) => {
    await writeFile(note(), text);
    for (const act of all) await expect(act(group, own)).rejects.toThrow(why);
    expect(await readFile(note(), 'utf8')).toBe(text);
  });
});
