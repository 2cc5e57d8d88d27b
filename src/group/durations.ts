/**
 * What P1 and P2 took on the hosts of a group: a ticket must last so long. Kept in the group's directory, as what a sector's own
 * directory tells of it is deleted by P6, and as its P2 may run on another host.
 */
import { join } from 'node:path';
import { z } from 'zod';
import { CONTRACT_VERSION, readable } from '../contract.js';
import { ifPresent, isErrno, readJson, writeJson } from '../files.js';
import { mkdir, readdir } from '../mounts/remote-fs.js';
import { durationsDir, type GroupDirectory } from '../paths.js';
import type { SectorSize } from '../phases.js';
import { usual, type Needs, type TicketPhase, type Took } from '../ticket.js';

const noteSchema = z.object({
  v: z.int().refine((v) => readable(v)),
  /** The newest last. */
  took: z.array(z.object({ work: z.string(), seconds: z.number().min(0) })),
});
type Note = z.infer<typeof noteSchema>['took'];

/** So many are kept: the host may have got other cores or disks since. */
const KEPT = 15;

export class Durations {
  /** When last looked at. */
  latest: Needs | undefined;
  private last: Promise<unknown> = Promise.resolve();

  /** @param ip of this host */
  constructor(private readonly ip: string) {}

  /**
   * Notes what a phase took from its very beginning on this host; once, however often it is noted.
   * @param work the sector and its attempt: `t01000/7 1/P1-1`
   */
  async record(
    group: GroupDirectory,
    size: SectorSize,
    phase: TicketPhase,
    work: string,
    seconds: number,
  ): Promise<void> {
    // Only this worker writes the file (`workers/only-worker.ts`), one after the other.
    const recorded = this.last.then(async () => {
      const path = join(durationsDir(group), `${this.ip}${suffixOf(size, phase)}`);
      const before = await read(path);
      if (before.some((one) => one.work === work)) return;
      await make(group);
      await writeJson(path, { v: CONTRACT_VERSION, took: [...before, { work, seconds }].slice(-KEPT) });
    });
    this.last = recorded.catch(() => undefined);
    await recorded;
  }

  /** The median of what was noted: one sector that a full disk held up for a day must not keep all others from beginning. */
  async needs(group: GroupDirectory, size: SectorSize): Promise<Needs> {
    const [P1, P2] = await Promise.all([this.took(group, size, 'P1'), this.took(group, size, 'P2')]);
    return (this.latest = { P1, P2 });
  }

  /** Of this host, else of the group's others, else by the table. */
  private async took(group: GroupDirectory, size: SectorSize, phase: TicketPhase): Promise<Took> {
    const directory = durationsDir(group);
    const suffix = suffixOf(size, phase);
    const own = await read(join(directory, `${this.ip}${suffix}`));
    if (own.length > 0) return median(own);
    const names = (await ifPresent(readdir(directory))) ?? [];
    const notes = names.filter((name) => name.endsWith(suffix)).map((name) => read(join(directory, name)));
    const others = (await Promise.all(notes)).flat();
    return others.length > 0 ? median(others) : usual(size, phase);
  }
}

const suffixOf = (size: SectorSize, phase: TicketPhase): string => `-${size}-${phase}.json`;

function median(note: Note): Took {
  const seconds = note.map((one) => one.seconds).sort((a, b) => a - b);
  return { ms: (seconds[Math.floor(seconds.length / 2)] ?? 0) * 1000, of: seconds.length };
}

/** One that cannot be understood counts as missing: it is only learned from, and written anew by the next sector. */
async function read(path: string): Promise<Note> {
  const note = await readJson(path).catch((error: unknown) => {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  });
  return noteSchema.safeParse(note).data?.took ?? [];
}

/** `setup` makes it; a group from before has none. */
const make = (group: GroupDirectory): Promise<unknown> =>
  mkdir(durationsDir(group)).catch((error: unknown) => {
    if (!isErrno(error, 'EEXIST')) throw error;
  });
