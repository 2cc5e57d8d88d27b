/** A FIFO that nobody writes to: whoever opens it for reading hangs in a real thread, as on a mount whose server is gone. */
import { randomUUID } from 'node:crypto';
import { execFile } from 'node:child_process';
import { closeSync, constants, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { onTestFinished } from 'vitest';
import { isErrno } from '../../src/files.js';
import { MountHungError, registerMount } from '../../src/mounts/mounts.js';
import { lstat, readFile } from '../../src/mounts/remote-fs.js';
import { eventually } from './eventually.js';

export interface Fifo {
  path: string;
  /** Waits for a reader and lets it go, with this text. */
  release(text?: string): Promise<void>;
}

/** Makes one; whoever hangs in it when the test ends is let go. */
export async function makeFifo(path: string): Promise<Fifo> {
  await promisify(execFile)('mkfifo', [path]);
  const tryRelease = (text: string): boolean => {
    try {
      const fd = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
      writeSync(fd, text);
      closeSync(fd);
      return true;
    } catch (error) {
      // ENXIO: nobody has it open for reading.
      if (isErrno(error, 'ENXIO', 'ENOENT')) return false;
      throw error;
    }
  };
  onTestFinished(() => void tryRelease(''));
  return { path, release: (text = '') => eventually(() => tryRelease(text)) };
}

/** Makes a directory a mount, and lets that hang. @returns what brings it back */
export async function hangMount(root: string): Promise<() => Promise<void>> {
  // Long enough for a busy machine to answer all other calls in time.
  registerMount(root, { quickMs: 200, slowMs: 3_600_000 });
  const fifo = await makeFifo(join(root, `.hangs-${randomUUID()}`));
  const error = await readFile(fifo.path).catch((reason: unknown) => reason);
  if (!(error instanceof MountHungError)) throw new Error(`${root} does not hang`);
  return async () => {
    await fifo.release();
    await eventually(() =>
      lstat(root).then(
        () => true,
        () => false,
      ),
    );
  };
}
