/** Takes away what a run of tests has left (test-run.mjs), when its standard input ends: `reaper.mjs <directory of the run>`. */
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { UNDO_FILE } from './test-run.mjs';

/** Processes may start others while they are ended, and take a moment to be gone. */
const TRIES = 100;
const BETWEEN_TRIES_MS = 100;

const directory = process.argv[2] ?? '';

await once(process.stdin.resume(), 'end');
await untilNone(processes, (pid) => process.kill(pid, 'SIGKILL'));
await untilNone(mounts, (path) => void spawnSync('umount', ['--lazy', path]));
for (const [program, ...args] of commands().reverse()) spawnSync(program, args);
// Else it would delete what is mounted.
if (mounts().length === 0) rmSync(directory, { recursive: true, force: true });

async function untilNone(list, end) {
  for (let tries = 0; tries < TRIES; tries++) {
    const left = list();
    if (left.length === 0) return;
    for (const one of left) attempt(() => end(one));
    await sleep(BETWEEN_TRIES_MS);
  }
}

/** Those that have inherited the run's TMPDIR, a name that is given once, or have one within it; zombies have no environment. */
function processes() {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 0 && pid !== process.pid)
    .filter((pid) => {
      const environment = attempt(() => readFileSync(`/proc/${pid}/environ`, 'latin1')) ?? '';
      const value = environment.split('\0').find((entry) => entry.startsWith('TMPDIR='));
      return value !== undefined && `${value}/`.startsWith(`TMPDIR=${directory}/`);
    });
}

/** Mounts in the run's directory, the last one first. */
function mounts() {
  return readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map((line) => unescaped(line.split(' ')[4] ?? ''))
    .filter((path) => path.startsWith(`${directory}/`))
    .reverse();
}

/** The kernel writes spaces and the like as `\040`. */
function unescaped(path) {
  return path.replace(/\\([0-7]{3})/g, (_, code) => String.fromCharCode(parseInt(code, 8)));
}

function commands() {
  const text = attempt(() => readFileSync(join(directory, UNDO_FILE), 'utf8')) ?? '';
  return text
    .split('\n')
    .filter(Boolean)
    .flatMap((line) => attempt(() => [JSON.parse(line)]) ?? []);
}

function attempt(act) {
  try {
    return act();
  } catch {
    return undefined;
  }
}
