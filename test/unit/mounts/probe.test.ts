/** Cases that a FIFO cannot simulate: statfs and writes that hang. */
import * as fs from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, expect, test, vi } from 'vitest';
import { allMountsIdle, MountHungError, onMountOf, registerMount } from '../../../src/mounts/mounts.js';
import { readdir, writeNewFile } from '../../../src/mounts/remote-fs.js';
import { eventually } from '../../helpers/eventually.js';
import { temporaryDirectory } from '../../helpers/temporary.js';

const gate = vi.hoisted(() => ({ closed: false, calls: 0 }));
vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof fs>();
  const opened = async (): Promise<void> => {
    while (gate.closed) await new Promise((resolve) => setTimeout(resolve, 5));
  };
  const statfs = async (path: string): Promise<unknown> => {
    gate.calls += 1;
    await opened();
    return real.statfs(path);
  };
  const open = async (path: string, flags: string, mode: number): Promise<unknown> => {
    await opened();
    return real.open(path, flags, mode);
  };
  return { ...real, statfs, open };
});

let root: string;
beforeEach(async () => {
  root = await temporaryDirectory();
  gate.closed = false;
  gate.calls = 0;
});

/** A slow call that runs until `end` is called. */
function slowCall(): { done: Promise<void>; end: () => void } {
  let end: () => void = () => undefined;
  const ending = new Promise<void>((resolve) => (end = resolve));
  const done = onMountOf(root, 'slow', () => ending);
  done.catch(() => undefined);
  return { done, end };
}

test('a slow call continues while its mount answers, however often that is probed', async () => {
  // Long enough for a busy machine to answer.
  registerMount(root, { quickMs: 300, slowMs: 3_600_000 });
  const { done, end } = slowCall();
  await eventually(() => gate.calls > 3);
  end();
  await done;
});

test('a slow call whose mount does not answer is rejected long before its own deadline', async () => {
  // Long enough for a busy machine to answer once the gate is open again.
  registerMount(root, { quickMs: 100, slowMs: 3_600_000 });
  gate.closed = true;
  const { done, end } = slowCall();
  await expect(done).rejects.toThrow(MountHungError);
  await expect(readdir(root)).rejects.toThrow(MountHungError);
  expect(gate.calls).toBe(1);
  gate.closed = false;
  end();
  await eventually(allMountsIdle);
  expect(await readdir(root)).toEqual([]);
});

test('a file whose write was abandoned is removed', async () => {
  // Long enough for a busy machine to answer once the gate is open again.
  registerMount(root, { quickMs: 100, slowMs: 3_600_000 });
  gate.closed = true;
  await expect(writeNewFile(join(root, 'a.json'), '{}')).rejects.toThrow(MountHungError);
  gate.closed = false;
  await eventually(allMountsIdle);
  expect(await fs.readdir(root)).toEqual([]);
});
