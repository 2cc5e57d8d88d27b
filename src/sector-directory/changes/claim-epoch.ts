/** Claims a sector's directory, or ends a claim. The next epoch is made by one atomic rename. */
import { CONTRACT_VERSION } from '../../contract.js';
import { epochDir } from '../../paths.js';
import { SealError } from '../../seal-error.js';
import { isOfSameRun, listEpochs, parseOwner, type Epoch, type EpochFile } from '../epochs.js';
import { makeByRename } from './make-by-rename.js';

/**
 * Claims the next epoch for `owner`, unless it already has the one in force.
 * @param known the highest epoch that the workflow knows of. In a directory that was lost and made anew, names of attempts would
 *   otherwise come again, and what is said of the old ones (invalidated, reported) would be taken for the new ones
 * @returns the epoch
 * @throws failure `Overtaken` (with the claim in force) when the same run has claimed since: this is an old
 *   task, or the run's database was reset to an older state; `ClaimedByOther` when the run was stopped, or another
 *   run has claimed the sector since
 */
export async function claimEpoch(
  sectorDirectory: string,
  owner: string,
  host: string,
  known = 0,
): Promise<number> {
  for (;;) {
    const epochs = await listEpochs(sectorDirectory);
    const inForce = epochs.at(-1);
    if (inForce?.owner === owner && inForce.why === 'claimed') return inForce.number;
    if (inForce) refuseOvertaken(inForce, epochs, owner);
    const number = Math.max(inForce?.number ?? 0, known) + 1;
    if (await makeEpoch(sectorDirectory, number, { owner, why: 'claimed', host })) return number;
  }
}

function refuseOvertaken(inForce: Epoch, epochs: Epoch[], owner: string): void {
  const [mine, theirs] = [parseOwner(owner), parseOwner(inForce.owner)];
  if (inForce.owner === owner) {
    throw new SealError('ClaimedByOther', `this run was stopped at ${inForce.at}: ${inForce.why}`);
  }
  if (mine.runId === theirs.runId && mine.claim < theirs.claim) {
    throw new SealError('Overtaken', `epoch ${inForce.number} is this run's claim ${theirs.claim}`, {
      claim: theirs.claim,
    });
  }
  if (epochs.some((epoch) => epoch.owner === owner)) {
    const message = `epoch ${inForce.number} has belonged to run ${inForce.owner} since ${inForce.at}`;
    throw new SealError('ClaimedByOther', message);
  }
}

/**
 * Checks that the epoch that `owner` has claimed is still in force. Unlike {@link claimEpoch} it never claims: the
 * directory may have been deleted and made again since.
 * @returns the epoch
 * @throws failures `Overtaken` and `ClaimedByOther` when it is not
 */
export async function assertClaimed(sectorDirectory: string, owner: string): Promise<number> {
  const epochs = await listEpochs(sectorDirectory);
  const inForce = epochs.at(-1);
  if (inForce?.owner === owner && inForce.why === 'claimed') return inForce.number;
  if (inForce) refuseOvertaken(inForce, epochs, owner);
  throw claimedByOther(inForce);
}

/**
 * Ends the claim of `owner`'s run with an epoch that nobody owns: the run can start nothing more. Idempotent.
 * @returns the epoch in force; engines of lower ones exit by themselves
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
    if (inForce && !isOfSameRun(inForce.owner, owner)) throw claimedByOther(inForce);
    if (inForce && inForce.why !== 'claimed') return inForce.number;
    const number = (inForce?.number ?? 0) + 1;
    if (await makeEpoch(sectorDirectory, number, { owner, why, host })) return number;
  }
}

/**
 * Checks that the epoch that {@link endEpoch} has made is still in force.
 * @throws failure `ClaimedByOther` when not
 */
export async function assertEnded(sectorDirectory: string, epoch: number): Promise<void> {
  const inForce = (await listEpochs(sectorDirectory)).at(-1);
  if (inForce?.number !== epoch) throw claimedByOther(inForce);
}

const claimedByOther = (inForce: Epoch | undefined): Error =>
  new SealError(
    'ClaimedByOther',
    inForce
      ? `epoch ${inForce.number} has belonged to run ${inForce.owner} since ${inForce.at}; nothing was changed`
      : 'the sector directory was replaced a moment ago; nothing was changed',
  );

/** @returns false when another run or task was faster */
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
