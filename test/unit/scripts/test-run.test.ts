/** Whatever ends a run of tests, nothing of it is left. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { eventually, isAlive } from '../../helpers/eventually.js';
import { temporaryDirectory } from '../../helpers/temporary.js';

const FIXTURE = fileURLToPath(new URL('../../fixtures/test-run.mjs', import.meta.url));

interface Run {
  head: ChildProcess;
  directory: string;
  engine: number;
}

/** A run that is no part of ours. */
async function begin(parent: string, undone: string): Promise<Run> {
  const head = spawn(process.execPath, [FIXTURE, undone], {
    env: { ...process.env, TMPDIR: parent },
    detached: true,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void head.kill('SIGKILL'));
  const lines = createInterface({ input: head.stdout })[Symbol.asyncIterator]();
  const next = async (): Promise<string> => String((await lines.next()).value);
  return { head, directory: await next(), engine: Number(await next()) };
}

test.each(['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGKILL'] as const)(
  'a run that %s ends leaves no engine, no mount and no file, and what it has registered is undone',
  async (signal) => {
    const parent = await temporaryDirectory();
    const undone = join(parent, 'undone');
    const { head, directory, engine } = await begin(parent, undone);
    const other = await begin(parent, join(parent, 'not yet'));
    expect(dirname(directory)).toBe(parent);
    expect(await isAlive(engine)).toBe(true);

    process.kill(-(head.pid as number), signal);
    await once(head, 'exit');
    await eventually(() => !existsSync(directory));
    expect(await isAlive(engine)).toBe(false);
    expect(existsSync(undone)).toBe(true);
    expect(await readFile('/proc/self/mountinfo', 'utf8')).not.toContain(directory);

    // Another one goes on.
    expect(await isAlive(other.engine)).toBe(true);
    expect(existsSync(join(other.directory, 'a mount/file'))).toBe(true);
    other.head.kill('SIGKILL');
    await eventually(() => !existsSync(other.directory));
  },
);
