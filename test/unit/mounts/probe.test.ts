/** What a FIFO cannot show: statfs and writing that hang. */
import * as fs from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, expect, test, vi } from 'vitest';
import { allMountsIdle, MountHungError, onMountOf, registerMount } from '../../../src/mounts/mounts.js';
import { readdir, writeNewFile } from '../../../src/mounts/remote-fs.js';
import { eventually } from '../../helpers/eventually.js';
import { temporaryDirectory } from '../../helpers/temporary.js';

const checkpoint = vi.hoisted(() => ({ closed: false, looks: 0 }));
vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof fs>();
  const opened = async (): Promise<void> => {
    while (checkpoint.closed) await new Promise((resolve) => setTimeout(resolve, 5));
  };
  const statfs = async (path: string): Promise<unknown> => {
    checkpoint.looks += 1;
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
  checkpoint.closed = false;
  checkpoint.looks = 0;
});

/** A deletion that takes until `end` is called. */
function slowCall(): { done: Promise<void>; end: () => void } {
  let end: () => void = () => undefined;
  const ending = new Promise<void>((resolve) => (end = resolve));
  const done = onMountOf(root, 'slow', () => ending);
  done.catch(() => undefined);
  return { done, end };
}

test('a slow call whose mount answers goes on, however often that is looked at', async () => {
  // Long enough for a busy machine to answer in.
  registerMount(root, { quickMs: 300, slowMs: 3_600_000 });
  const { done, end } = slowCall();
  await eventually(() => checkpoint.looks > 3);
  end();
  await done;
});

test('a slow call whose mount does not answer is told long before its own deadline', async () => {
  // A busy machine must be able to answer in time when it is open again.
  registerMount(root, { quickMs: 100, slowMs: 3_600_000 });
  checkpoint.closed = true;
  const { done, end } = slowCall();
  await expect(done).rejects.toThrow(MountHungError);
  await expect(readdir(root)).rejects.toThrow(MountHungError);
  expect(checkpoint.looks).toBe(1);
  checkpoint.closed = false;
  end();
  await eventually(allMountsIdle);
  expect(await readdir(root)).toEqual([]);
});

test('a file whose writer has been told so does not stay behind', async () => {
  // A busy machine must be able to answer in time when it is open again.
  registerMount(root, { quickMs: 100, slowMs: 3_600_000 });
  checkpoint.closed = true;
  await expect(writeNewFile(join(root, 'a.json'), '{}')).rejects.toThrow(MountHungError);
  checkpoint.closed = false;
  await eventually(allMountsIdle);
  expect(await fs.readdir(root)).toEqual([]);
});
