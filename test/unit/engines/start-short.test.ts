import type * as childProcess from 'node:child_process';
import { beforeEach, expect, test, vi } from 'vitest';
import { EngineStarter } from '../../../src/engines/start.js';
import type * as processes from '../../../src/engines/processes.js';
import type * as remote from '../../../src/mounts/remote-fs.js';
import { writeAttempt } from '../../helpers/attempts.js';
import { errnoError } from '../../helpers/errno.js';
import { temporaryDirectory } from '../../helpers/temporary.js';

const short = vi.hoisted(() => ({ spawn: '', proc: '', access: '' }));
const errno = vi.hoisted(() => (code: string) => Object.assign(new Error(`${code}: x`), { code }));
vi.mock('node:child_process', async (original) => {
  const real = await original<typeof childProcess>();
  const spawn = (...given: Parameters<typeof real.spawn>) => {
    if (short.spawn) throw errno(short.spawn);
    return real.spawn(...given);
  };
  return { ...real, spawn };
});
vi.mock('../../../src/engines/processes.js', async (original) => {
  const real = await original<typeof processes>();
  const startTimeOf = (pid: number): number => {
    if (short.proc) throw errno(short.proc);
    return real.startTimeOf(pid);
  };
  return { ...real, startTimeOf };
});
vi.mock('../../../src/mounts/remote-fs.js', async (original) => {
  const real = await original<typeof remote>();
  const access = (path: string, mode?: number): Promise<void> =>
    short.access ? Promise.reject(errnoError(short.access, 'access')) : real.access(path, mode);
  return { ...real, access };
});
beforeEach(() => {
  Object.assign(short, { spawn: '', proc: '', access: '' });
});

test.each(['EAGAIN', 'ENOMEM', 'EMFILE', 'ENFILE'])('%s at the start is a passing fault', async (code) => {
  const attempt = await writeAttempt(await temporaryDirectory(), '1/P2-1');
  short.spawn = code;
  const starter = new EngineStarter({ command: ['true'], environment: process.env });
  await expect(starter.start(attempt)).rejects.toMatchObject({ type: 'PassingFault' });
});

test('an engine whose /proc entry cannot be read after the start has started, and is read later', async () => {
  const attempt = await writeAttempt(await temporaryDirectory(), '1/P2-1');
  short.proc = 'EMFILE';
  const starter = new EngineStarter({ command: ['sleep', '0.5', '--'], environment: process.env });
  await starter.start(attempt);
  expect(starter.processOf(attempt)?.startTime).toBe(-1);
  short.proc = '';
  expect(starter.processOf(attempt)?.startTime).toBeGreaterThan(0);
  await starter.endOf(attempt);
});

test.each(['EMFILE', 'ESTALE', 'EIO'])(
  'a program that cannot be checked (%s) is not reported as missing',
  async (code) => {
    const attempt = await writeAttempt(await temporaryDirectory(), '1/P2-1');
    short.access = code;
    const starter = new EngineStarter({ command: ['/bin/true'], environment: process.env });
    await expect(starter.start(attempt)).rejects.toMatchObject({ syscall: 'access' });
  },
);
