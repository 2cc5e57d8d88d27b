/**
 * Epochs record which workflow run a sector's directory belongs to. The highest epoch is in force; engines and
 * activities of lower ones exit by themselves. Epochs are made in `changes/claim-epoch.ts`.
 */
import { join } from 'node:path';
import { z } from 'zod';
import { CONTRACT_VERSION, readable, refuseNewer } from '../contract.js';
import { readJson } from '../files.js';
import { readdir } from '../mounts/remote-fs.js';
import { epochDir, parseEpoch } from '../paths.js';

const epochSchema = z.object({
  v: z.int().refine((v) => readable(v)),
  /** Workflow run and its claim: `<runId>#<claim>`. */
  owner: z.string(),
  /** `claimed`, or the reason why the epoch was raised without an owner. */
  why: z.string(),
  host: z.string(),
  at: z.string(),
});
export type EpochFile = z.infer<typeof epochSchema>;

export interface Epoch extends EpochFile {
  number: number;
}

/** An epoch directory made by hand or by another program: it counts, and belongs to nobody. */
const UNOWNED: EpochFile = {
  v: CONTRACT_VERSION,
  owner: 'nobody',
  why: 'epoch.json is missing or not valid',
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
      return { number, ...(epochSchema.safeParse(file).data ?? UNOWNED) };
    }),
  );
}

/**
 * Owner of an epoch: the first run of a workflow's chain, and the number of its claim (each step back makes the
 * next).
 */
export const claimName = (runId: string, claim: number): string => `${runId}#${claim}`;

export const parseOwner = (owner: string): { runId: string; claim: number } => {
  const [runId = '', claim = ''] = owner.split('#');
  return { runId, claim: Number(claim) };
};

export const isOfSameRun = (a: string, b: string): boolean => parseOwner(a).runId === parseOwner(b).runId;

/** Whether the directory belongs to another run than `owner`'s, by its highest epoch. */
export async function isOfAnotherRun(sectorDirectory: string, owner: string): Promise<boolean> {
  const inForce = (await listEpochs(sectorDirectory)).at(-1);
  return inForce !== undefined && !isOfSameRun(inForce.owner, owner);
}
