/** Engines at work, looked at from outside by process: how many at once, and from when to when each. */
import { readFileSync } from 'node:fs';
import { sep } from 'node:path';
import { commandOf, pids } from './proc.mjs';

const TICKS_PER_SECOND = 100;

export class EngineLog {
  /** The most that was seen at once, for each pool. */
  most;
  /** By sector (`s-t01000-7`) and phase: `[start, end]` in ms since 1970 of each engine. */
  runs = new Map();
  #root;
  #pools;
  #alive = new Map();
  #looked = Date.now();

  constructor(localDir, pools) {
    this.#root = localDir + sep;
    this.#pools = pools.map(([, ...phases]) => phases);
    this.most = pools.map(() => 0);
  }

  look = () => {
    const now = Date.now();
    const seen = this.#enginesNow();
    for (const [pid, run] of this.#alive) {
      if (seen.has(pid)) continue;
      // It ended between two looks.
      run.times[1] = (this.#looked + now) / 2;
      this.#alive.delete(pid);
    }
    for (const [pid, name] of seen) {
      if (this.#alive.has(pid)) continue;
      const times = [startedAt(pid, now), Infinity];
      this.#alive.set(pid, { name, times });
      this.runs.set(name, [...(this.runs.get(name) ?? []), times]);
    }
    const phases = [...seen.values()].map((name) => name.slice(-2));
    this.most = this.#pools.map((pool, i) =>
      Math.max(this.most[i], phases.filter((phase) => pool.includes(phase)).length),
    );
    this.#looked = now;
  };

  /** By process ID: `s-t01000-7 P1`. A process is the engine from its first moment on, when it still is a shell. */
  #enginesNow() {
    const seen = new Map();
    for (const pid of pids()) {
      const command = commandOf(pid);
      const directory = command[command.lastIndexOf('run') + 1] ?? '';
      if (!command.includes('run') || !directory.startsWith(this.#root)) continue;
      const [sector, , attempt] = directory.split(sep).slice(-3);
      seen.set(pid, `${sector} ${attempt.slice(0, 2)}`);
    }
    return seen;
  }
}

/** A process's start, from the clock ticks since boot (proc(5)). */
function startedAt(pid, now) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const ticks = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]);
    const [uptime] = readFileSync('/proc/uptime', 'utf8').split(' ');
    return Math.min(now, Date.now() - (Number(uptime) - ticks / TICKS_PER_SECOND) * 1000);
  } catch (error) {
    if (error.code !== 'ENOENT' && error.code !== 'ESRCH') throw error;
    return now;
  }
}
