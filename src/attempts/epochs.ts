/**
 * Epochs: which workflow run a sector's directory belongs to. The highest epoch is in force; engines and activities of
 * lower ones end by themselves. Making the next number's directory is the claim; it is one atomic rename.
 */
import { join } from 'node:path';
import { z } from 'zod';
import { CONTRACT_VERSION, readable, refuseNewer } from '../contract.js';
import { failure } from '../errors.js';
import { readJson } from '../files.js';
import { readdir } from '../mounts/remote-fs.js';
import { epochDir, parseEpoch } from '../paths.js';
import { makeByRename } from './make-by-rename.js';

const epochSchema = z.object({
  v: z.int().refine((v) => readable(v)),
  /** Workflow run and its claim: `<runId>#<claim>`. */
  owner: z.string(),
  /** `claimed`, or why it was raised without anyone owning it. */
  why: z.string(),
  host: z.string(),
  at: z.string(),
});
type EpochFile = z.infer<typeof epochSchema>;

export interface Epoch extends EpochFile {
  number: number;
}

/** A directory that a person has made, or another program: it counts, and belongs to nobody. */
const NOBODYS: EpochFile = {
  v: CONTRACT_VERSION,
  owner: 'nobody',
  why: 'epoch.json says nothing',
  host: '',
  at: '',
};

/** All epochs of a sector, lowest first. @throws TooNewError */
export async function listEpochs(sectorDirectory: string): Promise<Epoch[]> {
  const numbers = (await readdir(sectorDirectory)).map(parseEpoch).filter((number) => number !== undefined);
  numbers.sort((a, b) => a - b);
  return await Promise.all(
    numbers.map(async (number) => {
      const path = join(epochDir(sectorDirectory, number), 'epoch.json');
      const file = await readJson(path);
      refuseNewer(path, file);
      return { number, ...(epochSchema.safeParse(file).data ?? NOBODYS) };
    }),
  );
}

/** Who claims: the first run of a workflow's chain, and which of its claims (each step back makes the next). */
export const claimName = (runId: string, claim: number): string => `${runId}#${claim}`;

const parseOwner = (owner: string): { runId: string; claim: number } => {
  const [runId = '', claim = ''] = owner.split('#');
  return { runId, claim: Number(claim) };
};

export const isOfSameRun = (a: string, b: string): boolean => parseOwner(a).runId === parseOwner(b).runId;

/**
 * The epoch of `owner`, claimed now if it has none yet.
 * @throws failure `Overtaken` (with the claim in force) when the same run has claimed since: this is an old task, or the run's
 *   database an old one; `ClaimedByOther` when the run was stopped, or another run has claimed the sector since.
 */
export async function claimEpoch(sectorDirectory: string, owner: string, host: string): Promise<number> {
  for (;;) {
    const epochs = await listEpochs(sectorDirectory);
    const inForce = epochs.at(-1);
    if (inForce?.owner === owner && inForce.why === 'claimed') return inForce.number;
    if (inForce) refuseOvertaken(inForce, epochs, owner);
    const number = (inForce?.number ?? 0) + 1;
    if (await makeEpoch(sectorDirectory, number, { owner, why: 'claimed', host })) return number;
  }
}

function refuseOvertaken(inForce: Epoch, epochs: Epoch[], owner: string): void {
  const [mine, theirs] = [parseOwner(owner), parseOwner(inForce.owner)];
  if (inForce.owner === owner) {
    throw failure('ClaimedByOther', `this run was stopped at ${inForce.at}: ${inForce.why}`);
  }
  if (mine.runId === theirs.runId && mine.claim < theirs.claim) {
    throw failure('Overtaken', `epoch ${inForce.number} is this run's claim ${theirs.claim}`, {
      claim: theirs.claim,
    });
  }
  if (epochs.some((epoch) => epoch.owner === owner)) {
    const message = `epoch ${inForce.number} belongs to run ${inForce.owner} since ${inForce.at}`;
    throw failure('ClaimedByOther', message);
  }
}

/**
 * Ends the claim of `owner`'s run by an epoch that nobody owns: nothing of it can start any more. Done again it changes nothing.
 * @returns the epoch in force; engines of lower ones end by themselves.
 * @throws failure `ClaimedByOther` when the sector is another run's, which must be left alone
 */
export async function endEpoch(
  sectorDirectory: string,
  owner: string,
  why: string,
  host: string,
): Promise<number> {
  for (;;) {
    const inForce = (await listEpochs(sectorDirectory)).at(-1);
    if (inForce && !isOfSameRun(inForce.owner, owner)) throw ofAnother(inForce);
    if (inForce && inForce.why !== 'claimed') return inForce.number;
    const number = (inForce?.number ?? 0) + 1;
    if (await makeEpoch(sectorDirectory, number, { owner, why, host })) return number;
  }
}

/** Whether the epoch that {@link endEpoch} has made is still in force. @throws failure `ClaimedByOther` when it is not */
export async function assertEnded(sectorDirectory: string, epoch: number): Promise<void> {
  const inForce = (await listEpochs(sectorDirectory)).at(-1);
  if (inForce?.number !== epoch) throw ofAnother(inForce);
}

const ofAnother = (inForce: Epoch | undefined): Error =>
  failure(
    'ClaimedByOther',
    inForce
      ? `epoch ${inForce.number} belongs to run ${inForce.owner} since ${inForce.at}; nothing was changed`
      : 'the sector is another one than a moment ago; nothing was changed',
  );

/** @returns false when someone else was faster. */
const makeEpoch = (
  sectorDirectory: string,
  number: number,
  epoch: Pick<EpochFile, 'owner' | 'why' | 'host'>,
): Promise<boolean> =>
  makeByRename(epochDir(sectorDirectory, number), 'epoch.json', {
    v: CONTRACT_VERSION,
    ...epoch,
    at: new Date().toISOString(),
  });
