/** A FIFO that nobody writes to: whoever opens it for reading hangs in a real thread, as on a mount whose server is gone. */
import { execFile } from 'node:child_process';
import { closeSync, constants, openSync, writeSync } from 'node:fs';
import { promisify } from 'node:util';
import { onTestFinished } from 'vitest';
import { isErrno } from '../../src/files.js';
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
