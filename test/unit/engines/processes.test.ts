import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { describe, expect, onTestFinished, test } from 'vitest';
import { hostIdentity, isAlive, isLocal, terminate } from '../../../src/engines/processes.js';
import { progressOf, startTimeOf } from '../../helpers/attempts.js';
import { eventually, isAlive as lives } from '../../helpers/eventually.js';

interface Child {
  pid: number;
  startTime: number;
  ended: Promise<number | string>;
  /** The first line of its stdout. */
  line: string;
}

/** A shell script in a process group of its own that has printed a line. */
async function start(script: string, program = 'sh', flag = '-c'): Promise<Child> {
  const child: ChildProcess = spawn(program, [flag, script], {
    detached: true,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const ended = once(child, 'exit').then(([code, signal]) => (signal ?? code) as number | string);
  const lines = createInterface({ input: child.stdout as Readable });
  const [line] = (await once(lines, 'line')) as [string];
  const pid = child.pid as number;
  onTestFinished(async () => {
    try {
      process.kill(-pid, 'SIGKILL');
    } catch {
      // It has ended.
    }
    await ended;
  });
  return { pid, startTime: await startTimeOf(pid), ended, line };
}

const isStopped = async (pid: number): Promise<boolean> =>
  (await readFile(`/proc/${pid}/stat`, 'utf8')).includes(') T ');

const SLEEP = 'echo ready; exec sleep 1000';
const DEAF = 'trap "" TERM; echo ready; while :; do sleep 0.05; done';

describe('alive is', () => {
  test('a child of ours, until it ends', async () => {
    const child = await start(SLEEP);
    expect(isAlive(child)).toBe(true);
    process.kill(child.pid, 'SIGKILL');
    await child.ended;
    expect(isAlive(child)).toBe(false);
  });

  test('not another process of the same ID', async () => {
    const { pid, startTime } = await start(SLEEP);
    expect(isAlive({ pid, startTime: startTime + 1 })).toBe(false);
    expect(isAlive({ pid, startTime: startTime - 1 })).toBe(false);
  });

  test('not a process that was never there', () => {
    // Above the max PID of Linux.
    expect(isAlive({ pid: 2 ** 22 + 1, startTime: 0 })).toBe(false);
  });

  test('not a zombie', async () => {
    // The shell becomes a program that never waits for its child.
    const { line } = await start('sleep 0.01 & echo $!; exec sleep 1000');
    const pid = Number(line);
    await eventually(async () => (await readFile(`/proc/${pid}/stat`, 'utf8')).includes(') Z '));
    expect(isAlive({ pid, startTime: await startTimeOf(pid) })).toBe(false);
  });

  test('a stopped process', async () => {
    const child = await start(SLEEP);
    process.kill(child.pid, 'SIGSTOP');
    await eventually(() => isStopped(child.pid));
    expect(isAlive(child)).toBe(true);
  });

  test('a process whatever its name is', async () => {
    const script = 'process.title = ") Z 1 (("; console.log("ready"); setInterval(() => {}, 1000)';
    const child = await start(script, process.execPath, '-e');
    expect(await readFile(`/proc/${child.pid}/comm`, 'utf8')).toBe(') Z 1 ((\n');
    expect(isAlive(child)).toBe(true);
  });
});

describe('an engine is local', () => {
  test('when host, boot and pid namespace are ours', async () => {
    const self = await hostIdentity('10.0.0.1');
    expect(isLocal(await progressOf(), self)).toBe(true);
    for (const change of [{ host: '10.0.0.2' }, { bootId: 'another' }, { pidNs: 'pid:[1]' }]) {
      expect(isLocal(await progressOf(change), self)).toBe(false);
    }
  });
});

describe('terminate', () => {
  test('ends a process by TERM', async () => {
    const child = await start(SLEEP);
    expect(await terminate(child, 10_000)).toBe(true);
    expect(await child.ended).toBe('SIGTERM');
  });

  test('kills one that ignores TERM', async () => {
    const child = await start(DEAF);
    expect(await terminate(child, 200)).toBe(true);
    expect(await child.ended).toBe('SIGKILL');
  });

  test('kills one that is stopped', async () => {
    const child = await start(SLEEP);
    process.kill(child.pid, 'SIGSTOP');
    await eventually(() => isStopped(child.pid));
    expect(await terminate(child, 200)).toBe(true);
    expect(await child.ended).toBe('SIGKILL');
  });

  test('ends the whole process group', async () => {
    const child = await start('sleep 1000 & echo $!; wait');
    expect(await terminate(child, 10_000)).toBe(true);
    await eventually(async () => !(await lives(Number(child.line))));
  });

  test('reports a process that has already ended as gone', async () => {
    const child = await start(SLEEP);
    process.kill(child.pid, 'SIGKILL');
    await child.ended;
    expect(await terminate(child, 100)).toBe(true);
  });

  test('does nothing to another process of the same ID', async () => {
    const child = await start(SLEEP);
    expect(await terminate({ ...child, startTime: child.startTime + 1 }, 100)).toBe(true);
    expect(isAlive(child)).toBe(true);
  });
});
