/**
 * What a run of tests leaves behind when it is ended in the middle, by whatever signal: engines that outlive their worker, mounts,
 * network namespaces, files. A run has one directory for all its temporary files, in TMPDIR, which its processes inherit; and a
 * process in a session of its own (reaper.mjs), which sees by the end of a pipe that the run is over, and then ends what has this
 * TMPDIR, unmounts what is mounted in it, and deletes it. Uses nothing but Node.
 */
import { spawn } from 'node:child_process';
import { appendFileSync, chmodSync, closeSync, mkdtempSync, openSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const PREFIX = 'sealflow-run-';
/** Commands for the end of the run, one JSON array a line. */
export const UNDO_FILE = 'undo';

const isRunning = () => basename(tmpdir()).startsWith(PREFIX);

/** Makes this process the head of a run, unless it is within one: the run ends when this process does. */
export function beginTestRun() {
  if (isRunning()) return;
  const directory = mkdtempSync(join(tmpdir(), PREFIX));
  // Some tests run programs as another user, who has files below.
  chmodSync(directory, 0o1777);
  writeFileSync(join(directory, UNDO_FILE), '');
  const reaper = fileURLToPath(new URL('reaper.mjs', import.meta.url));
  // Deleted with all else, if nothing fails.
  const log = openSync(join(directory, 'reaper.log'), 'w');
  const child = spawn(process.execPath, [reaper, directory], {
    cwd: '/',
    // Out of reach of signals to our process group and terminal.
    detached: true,
    stdio: ['pipe', log, log],
  });
  closeSync(log);
  child.unref();
  // Nothing is ever written: the kernel closes it when we are gone, killed or not. Our children do not inherit it.
  child.stdin.unref();
  process.env.TMPDIR = directory;
}

/** Registers a command that takes away what neither a process nor a mount in the run's directory holds. It may fail. */
export function undoAfterRun(...command) {
  if (isRunning()) appendFileSync(join(tmpdir(), UNDO_FILE), `${JSON.stringify(command)}\n`);
}
