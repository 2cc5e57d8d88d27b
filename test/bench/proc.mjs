/** What the kernel tells of processes (proc(5)), read without waiting so that a look is one moment. */
import { readdirSync, readFileSync } from 'node:fs';

const PAGE_BYTES = 4096;

/** A process may end between two reads. */
function readIfPresent(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (['ENOENT', 'ESRCH'].includes(error.code)) return '';
    throw error;
  }
}

export const pids = () => readdirSync('/proc').filter((name) => /^[0-9]+$/.test(name));

export const commandOf = (pid) => readIfPresent(`/proc/${pid}/cmdline`).split('\0');

/** The process and all that descend from it. */
export function treeOf(root) {
  const children = new Map();
  for (const pid of pids()) {
    const stat = readIfPresent(`/proc/${pid}/stat`);
    const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
    children.set(parent, [...(children.get(parent) ?? []), Number(pid)]);
  }
  const tree = [root];
  for (const pid of tree) tree.push(...(children.get(pid) ?? []));
  return tree;
}

/** Resident bytes; pages that processes share count for each of them. */
export const rssOf = (pid) => Number(readIfPresent(`/proc/${pid}/statm`).split(' ')[1] ?? 0) * PAGE_BYTES;

/** Of these the bytes that are no file's: what the process itself has made. */
export const anonymousOf = (pid) =>
  Number(/^RssAnon:\s+([0-9]+) kB/m.exec(readIfPresent(`/proc/${pid}/status`))?.[1] ?? 0) * 1024;

export function openFilesOf(pid) {
  try {
    return readdirSync(`/proc/${pid}/fd`).length;
  } catch (error) {
    if (error.code === 'ENOENT') return 0;
    throw error;
  }
}

export const openFilesLimit = (pid) =>
  Number(/^Max open files\s+([0-9]+)/m.exec(readIfPresent(`/proc/${pid}/limits`))?.[1]);

/** CPU seconds that the process has used; its children's are not in it. */
export function cpuSecondsOf(pid) {
  const stat = readIfPresent(`/proc/${pid}/stat`);
  const [user, system] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 13);
  return (Number(user) + Number(system)) / 100;
}

/** Calls `look` each `everyMs` while `work` goes on. */
export async function lookingAt(everyMs, look, work) {
  const timer = setInterval(look, everyMs);
  try {
    return await work();
  } finally {
    clearInterval(timer);
  }
}
