/** This host's processes: whether an engine is alive, and how to end it. */
import { readFileSync, readlinkSync } from 'node:fs';
import { readFile, readlink } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { isErrno } from '../files.js';
import type { Progress } from './protocol.js';

/** The scope in which a process ID is unique: host, boot and PID namespace. */
export interface HostIdentity {
  /** `ip` of config.toml. */
  host: string;
  bootId: string;
  pidNs: string;
}

export async function hostIdentity(host: string): Promise<HostIdentity> {
  return {
    host,
    bootId: (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim(),
    pidNs: await readlink('/proc/self/ns/pid'),
  };
}

/** A process; the start time distinguishes it from a later one with the same ID. */
export type EngineProcess = Pick<Progress, 'pid' | 'startTime'>;

/** Whether the process IDs of an engine are those of this host and container. */
export const isLocal = (engine: Pick<Progress, 'host' | 'bootId' | 'pidNs'>, self: HostIdentity): boolean =>
  engine.host === self.host && engine.bootId === self.bootId && engine.pidNs === self.pidNs;

/** Whether a local engine's process exists: same ID, same start time, not a zombie. */
export function isAlive({ pid, startTime }: EngineProcess): boolean {
  const stat = readStat(pid);
  return stat !== undefined && stat.state !== 'Z' && stat.startTime === startTime;
}

/** Whether it is in state D, waiting for a disk or a mount: not even KILL ends it before that answers. */
export const isUninterruptible = ({ pid, startTime }: EngineProcess): boolean => {
  const stat = readStat(pid);
  return stat?.startTime === startTime && stat.state === 'D';
};

/** A worker's name in its jobs, from host, process ID and start time: `10.10.19.17#4711.183264`. */
export const workerName = (host: string, { pid, startTime }: EngineProcess): string =>
  `${host}#${pid}.${startTime}`;

/** The process of a worker of this host, from its name; undefined if the name has another form. */
export function workerProcess(name: string): EngineProcess | undefined {
  const [, pid, startTime] = /#([0-9]+)\.([0-9]+)$/.exec(name) ?? [];
  return pid && startTime ? { pid: Number(pid), startTime: Number(startTime) } : undefined;
}

/** Start time of a process in clock ticks since boot; -1 when there is no such process. */
export const startTimeOf = (pid: number): number => readStat(pid)?.startTime ?? -1;

/** The process's PID namespace; undefined when it is gone or another user's. */
export const pidNsOf = (pid: number): string | undefined =>
  ofProcess(() => readlinkSync(`/proc/${pid}/ns/pid`), 'EACCES', 'EPERM');

function readStat(pid: number): { state: string; startTime: number } | undefined {
  const stat = ofProcess(() => readFileSync(`/proc/${pid}/stat`, 'utf8'));
  if (stat === undefined) return undefined;
  // The name in parentheses may contain spaces and parentheses; count fields after its end (proc(5)).
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return { state: fields[0] ?? '', startTime: Number(fields[19]) };
}

/**
 * Reads /proc synchronously: the kernel answers from memory, and even with hundreds of engines only one file is
 * open.
 * @param hidden errors that also mean that there is nothing to read
 * @throws any other error: if too many files are open, a process must not pass for ended
 */
function ofProcess<T>(read: () => T, ...hidden: string[]): T | undefined {
  try {
    return read();
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ESRCH', ...hidden)) return undefined;
    throw error;
  }
}

/**
 * Ends an engine's process group: TERM, and KILL when it has not ended after `graceMs`.
 * @returns whether it is gone. A process in uninterruptible sleep is not, and never counts as dead.
 */
export async function terminate(engine: EngineProcess, graceMs: number): Promise<boolean> {
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    if (!isAlive(engine)) return true;
    try {
      process.kill(-engine.pid, signal);
    } catch (error) {
      if (!isErrno(error, 'ESRCH')) throw error;
    }
    const deadline = Date.now() + graceMs;
    while (Date.now() < deadline) {
      if (!isAlive(engine)) return true;
      await sleep(Math.min(50, graceMs));
    }
  }
  return !isAlive(engine);
}
