/**
 * Which hosts are drained. The note lies in the group's directory: it outlives restarts of worker, container and host, and does
 * not depend on who runs `sealflow drain`, or where. Where that directory is missing, a host takes nothing anyway.
 */
import { join } from 'node:path';
import { z } from 'zod';
import type { Config } from '../config.js';
import { CONTRACT_VERSION, readable, refuseNewer } from '../contract.js';
import { isErrno, readJson, writeJson } from '../files.js';
import { mkdir, rm } from '../mounts/remote-fs.js';
import { drainedDir, type GroupDirectory } from '../paths.js';

/** The configs of one `ip` may each serve some phases of some sector size: since when each was drained. */
const noteSchema = z.object({
  v: z.int().refine((v) => readable(v)),
  since: z.record(z.string(), z.iso.datetime()),
});

type Host = Pick<Config, 'ip' | 'size' | 'pools'>;

const noteOf = (group: GroupDirectory, { ip }: Host): string => join(drainedDir(group), `${ip}.json`);
const keysOf = ({ size, pools }: Host): string[] =>
  pools.flatMap(({ phases }) => phases.map((phase) => `${size} ${phase}`));

/**
 * Since when a host is drained; undefined when it is not. One of its phases is enough: a config that was given another
 * phase since stays drained.
 * @throws TooNewError; MountHungError; Error when the note cannot be read
 */
export async function drainedSince(group: GroupDirectory, host: Host): Promise<Date | undefined> {
  const since = await read(group, host);
  const own = keysOf(host).flatMap((key) => since[key] ?? []);
  return own.length > 0 ? new Date(own.sort()[0] as string) : undefined;
}

/** Notes that a host is drained; one that is drained already stays so since then. @returns whether anything of it was not */
export async function drain(group: GroupDirectory, host: Host): Promise<boolean> {
  const now = new Date().toISOString();
  const before = await read(group, host);
  const drained = Object.fromEntries(keysOf(host).map((key) => [key, now]));
  const since = { ...drained, ...before };
  // `setup` makes it; a group from before has none.
  await mkdir(drainedDir(group)).catch((error: unknown) => {
    if (!isErrno(error, 'EEXIST')) throw error;
  });
  await writeJson(noteOf(group, host), { v: CONTRACT_VERSION, since });
  return keysOf(host).some((key) => before[key] === undefined);
}

/** @returns whether it was drained */
export async function undrain(group: GroupDirectory, host: Host): Promise<boolean> {
  const since = await read(group, host);
  const own = keysOf(host);
  const others = Object.entries(since).filter(([key]) => !own.includes(key));
  const note = noteOf(group, host);
  if (others.length === 0) await rm(note, { force: true });
  else await writeJson(note, { v: CONTRACT_VERSION, since: Object.fromEntries(others) });
  return own.some((key) => since[key] !== undefined);
}

async function read(group: GroupDirectory, host: Host): Promise<Record<string, string>> {
  const path = noteOf(group, host);
  const note = await readJson(path);
  if (note === undefined) return {};
  refuseNewer(path, note);
  const parsed = noteSchema.safeParse(note);
  if (!parsed.success) throw new Error(`${path} is no note of sealflow drain: delete it`);
  return parsed.data.since;
}
