import * as fs from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { allMountsIdle, MountHungError, onMountOf, registerMount } from '../../../src/mounts/mounts.js';
import { lstat, readdir, readFile, syncDirectory, writeNewFile } from '../../../src/mounts/remote-fs.js';
import { eventually } from '../../helpers/eventually.js';
import { makeFifo, type Fifo } from '../../helpers/fifo.js';
import { temporaryDirectory } from '../../helpers/temporary.js';

const HOUR = 3_600_000;
/** Deadlines: calls count as hung soon; calls never count as hung. */
const SOON = { quickMs: 100, slowMs: HOUR };
const NEVER = { quickMs: HOUR, slowMs: HOUR };

let root: string;
let fifo: Fifo;
beforeEach(async () => {
  root = await temporaryDirectory();
  fifo = await makeFifo(join(root, 'fifo'));
  await fs.writeFile(join(root, 'file'), 'text');
});

const hung = async (call: Promise<unknown>): Promise<MountHungError> => {
  const error = await call.then(
    (value) => new Error(`the call returned: ${JSON.stringify(value)}`),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(MountHungError);
  return error as MountHungError;
};

/** Whether the call has settled by the time that 20 unrelated calls have returned. */
async function hasSettled(call: Promise<unknown>): Promise<boolean> {
  let settled = false;
  call.then(
    () => (settled = true),
    () => (settled = true),
  );
  for (let i = 0; i < 20; i++) await fs.lstat('/');
  return settled;
}

describe('a mount that hangs', () => {
  test('is reported after the deadline, with its name and start time', async () => {
    registerMount(root, SOON);
    const before = Date.now();
    const error = await hung(readFile(fifo.path));
    expect(error.mount).toBe(root);
    expect(error.since.getTime()).toBeGreaterThanOrEqual(before);
    expect(error.since.getTime()).toBeLessThanOrEqual(Date.now());
    expect(error.message).toBe(`${root} is hung: no answer since ${error.since.toISOString()}`);
    expect(error.progress).toMatch(new RegExp(`^${root} hung for \\d+ s$`));
  });

  test('fails all later calls, quick and slow, with the same message, without running them', async () => {
    registerMount(root, SOON);
    const first = await hung(readFile(fifo.path));
    const calls = [readFile(join(root, 'file')), readdir(root), syncDirectory(root), lstat(root)];
    for (const call of calls) expect((await hung(call)).message).toBe(first.message);
    await hung(writeNewFile(join(root, 'new'), ''));
    expect(await fs.readdir(root)).toEqual(['fifo', 'file']);
  });

  test('fails the calls queued behind the one that hangs', async () => {
    registerMount(root, SOON);
    const [first, ...queued] = [readFile(fifo.path), readdir(root), lstat(root)];
    for (const call of queued) call.catch(() => undefined);
    const { message } = await hung(first);
    for (const call of queued) expect((await hung(call)).message).toBe(message);
  });

  test('is usable again when the call returns', async () => {
    registerMount(root, SOON);
    await hung(readFile(fifo.path));
    await fifo.release();
    await eventually(() =>
      lstat(root).then(
        () => true,
        () => false,
      ),
    );
    expect(await readFile(join(root, 'file'), 'utf8')).toBe('text');
    await writeNewFile(join(root, 'new'), 'x');
    // It can hang again, and is then reported again.
    const again = await hung(readFile(fifo.path));
    expect(again.mount).toBe(root);
  });

  test('does not affect other mounts or paths on no mount', async () => {
    const [other, none] = [await temporaryDirectory(), await temporaryDirectory()];
    registerMount(root, SOON);
    registerMount(other, NEVER);
    await hung(readFile(fifo.path));
    expect(await readdir(other)).toEqual([]);
    expect(await readdir(none)).toEqual([]);
    // A common name prefix does not make it the same directory.
    const beside = `${root}-beside`;
    await expect(lstat(beside)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  test('counts as not idle until the call returns', async () => {
    registerMount(root, SOON);
    // Calls of tests before this one, in the same process, may be on their way back.
    await eventually(allMountsIdle);
    await hung(readFile(fifo.path));
    expect(allMountsIdle()).toBe(false);
    await fifo.release();
    await eventually(allMountsIdle);
  });
});

describe('calls on one mount', () => {
  test('run one at a time', async () => {
    registerMount(root, NEVER);
    const reading = readFile(fifo.path, 'utf8');
    const behind = readdir(root);
    expect(await hasSettled(behind)).toBe(false);
    await fifo.release('released');
    expect(await reading).toBe('released');
    expect(await behind).toEqual(['fifo', 'file']);
  });

  test('that are slow neither block quick ones nor count as hung', async () => {
    registerMount(root, { quickMs: 500, slowMs: HOUR });
    const deleting = onMountOf(root, 'slow', () => fs.readFile(fifo.path, 'utf8'));
    const second = syncDirectory(root);
    expect(await readdir(root)).toEqual(['fifo', 'file']);
    expect(await hasSettled(deleting)).toBe(false);
    expect(await hasSettled(second)).toBe(false);
    await fifo.release('deleted');
    expect(await deleting).toBe('deleted');
    await second;
  });

  test('that are quick do not block slow ones', async () => {
    registerMount(root, NEVER);
    const reading = readFile(fifo.path);
    await writeNewFile(join(root, 'new'), 'x');
    await fifo.release();
    await reading;
  });

  test('that are slow have a deadline too, which does not affect quick ones', async () => {
    registerMount(root, { quickMs: 500, slowMs: 1_000 });
    const { message } = await hung(onMountOf(root, 'slow', () => fs.readFile(fifo.path)));
    expect((await hung(syncDirectory(root))).message).toBe(message);
    expect(await readdir(root)).toEqual(['fifo', 'file']);
    await fifo.release();
    await eventually(() =>
      syncDirectory(root).then(
        () => true,
        () => false,
      ),
    );
  });

  test('can check whether they were abandoned', async () => {
    registerMount(root, SOON);
    const turns: boolean[] = [];
    const slow = onMountOf(root, 'slow', async (turn) => {
      turns.push(turn.abandoned);
      await fs.readFile(fifo.path);
      turns.push(turn.abandoned);
    });
    slow.catch(() => undefined);
    const other = await makeFifo(join(root, 'other'));
    const first = await hung(readFile(other.path));
    // If quick calls hang, slow ones are rejected too.
    expect((await hung(slow)).message).toBe(first.message);
    await fifo.release();
    await eventually(() => turns.length === 2);
    expect(turns).toEqual([false, true]);
  });

  test('belong to the mount with the longest root', async () => {
    const inner = join(root, 'nfs', '10.10.4.23');
    await fs.mkdir(inner, { recursive: true });
    registerMount(`${inner}/`, SOON);
    registerMount(root, SOON);
    await hung(readFile(fifo.path));
    expect(await readdir(join(inner, '..', '10.10.4.23'))).toEqual([]);
    await hung(readdir(join(inner, '..')));
  });

  test('use the times of the first registration of a root', async () => {
    registerMount(root, SOON);
    registerMount(root, NEVER);
    await hung(readFile(fifo.path));
  });
});
