/**
 * The right to change a sector's directory. All renames, deletions and writes in it go through a claim, which
 * checks the epoch immediately before each of them: a run that was overtaken or stopped meanwhile changes nothing.
 * Nothing else may import `changes/` (.dependency-cruiser.cjs). Reading needs no claim.
 */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { refuseNewer, type SealInput } from '../contract.js';
import { ifPresent, readJson, syncDirectory, writeJson } from '../files.js';
import { link, lstat, rename, rm } from '../mounts/remote-fs.js';
import {
  cacheDir,
  goneName,
  sealedLink,
  sectorDir,
  type Attempt,
  type AttemptName,
  type GroupDirectory,
} from '../paths.js';
import type { SectorId } from '../sector.js';
import { invalidateAttempt, makeAttempt, writeAdoption } from './changes/attempts.js';
import { assertClaimed, assertEnded, claimEpoch, endEpoch } from './changes/claim-epoch.js';
import { freeBefore, freeSuperseded } from './changes/free.js';
import { canonicalJson, type Job } from '../engines/protocol.js';

/** Whose claim it is. */
export interface Claimant {
  group: GroupDirectory;
  sector: SectorId;
  /** Workflow run and its claim, as {@link claimName} gives it. */
  owner: string;
  host: string;
  /** The highest epoch that the workflow knows of. */
  knownEpoch: number;
}

/** The changes that a phase and P6 may make. */
export class Claim {
  readonly directory: string;

  private constructor(private readonly claimant: Claimant) {
    this.directory = sectorDir(claimant.group, claimant.sector);
  }

  /** Claims the sector's directory, which must exist. @throws like {@link assertInForce} */
  static async take(claimant: Claimant): Promise<Claim> {
    const claim = new Claim(claimant);
    await claimEpoch(claim.directory, claimant.owner, claimant.host, claimant.knownEpoch);
    return claim;
  }

  /**
   * @returns the epoch
   * @throws failure `Overtaken` when the same run has claimed since, `ClaimedByOther` when another one has, or
   *   it was stopped
   */
  assertInForce = (): Promise<number> => assertClaimed(this.directory, this.claimant.owner);

  /** Writes sector.json: enough to restart the sector without Temporal's data. */
  async writeSectorFile(seal: SealInput): Promise<void> {
    const path = join(this.directory, 'sector.json');
    const known = await readJson(path).catch((error: unknown) => {
      if (!(error instanceof SyntaxError)) throw error;
    });
    refuseNewer(path, known);
    if (canonicalJson(known ?? null) === canonicalJson(seal)) return;
    await this.write(path, seal);
  }

  /** Writes one of sealflow's own files next to the epochs. */
  async writeNote(name: string, note: unknown): Promise<void> {
    await this.write(join(this.directory, name), note);
  }

  /** Checks the claim again before the rename: an fsync may take minutes. */
  private async write(path: string, value: unknown): Promise<void> {
    await this.assertInForce();
    await writeJson(path, value, this.assertInForce);
  }

  /** @returns undefined when the number is taken: another task was faster, so list the attempts again */
  async makeAttempt(name: AttemptName, job: Job): Promise<Attempt | undefined> {
    await this.assertInForce();
    return await makeAttempt(this.directory, name, job);
  }

  /**
   * Records which worker waits for an engine that it has not started. Only helps other workers: without it they
   * count the engine as unattended, and take one sector less.
   */
  async adopt(attempt: Attempt, worker: string): Promise<void> {
    await this.assertInForce()
      .then(() => writeAdoption(attempt, worker))
      .catch(() => undefined);
  }

  /** Invalidates an attempt's result; does nothing if it already is. */
  async invalidate(at: string): Promise<void> {
    await this.assertInForce();
    await invalidateAttempt(this.directory, at);
  }

  /** Frees the other attempts of a phase that now has a result. Best effort: P6 deletes what is left. */
  async freeSuperseded(counts: Attempt): Promise<void> {
    const epoch = await this.assertInForce();
    await freeSuperseded(this.directory, counts, epoch).catch(() => undefined);
  }

  /** Frees the attempts before the one just made. Best effort, too. */
  async freeBefore(made: Attempt): Promise<void> {
    await this.assertInForce();
    await freeBefore(this.directory, made).catch(() => undefined);
  }

  /** Links the replica of the P2 attempt that counts under `sealed/`. For operators only: errors are ignored. */
  async linkReplica(attempt: Attempt): Promise<void> {
    await this.assertInForce();
    const { group, sector } = this.claimant;
    const name = sealedLink(group, sector);
    const temporary = `${name}.${randomUUID()}`;
    try {
      await link(join(attempt.directory, 'sealed'), temporary);
      await rename(temporary, name);
    } catch {
      // Nothing depends on it.
    } finally {
      // rename() of two links to one inode does nothing and leaves both (rename(2)).
      await rm(temporary, { force: true }).catch(() => undefined);
    }
  }

  /** Deletes files of attempts; missing ones are ignored. */
  async deleteFiles(paths: readonly string[]): Promise<void> {
    await this.assertInForce();
    for (const path of paths) await rm(path, { force: true });
  }

  /**
   * Renames the whole directory away, the last change of a sector's directory. Does nothing if it is already gone.
   */
  async renameAway(): Promise<void> {
    if (!(await ifPresent(lstat(this.directory)))) return;
    await this.assertInForce();
    await renameAway(this.claimant);
  }
}

/**
 * The changes that a stop and an abort may make: their run's claim has ended, and the run can start nothing more.
 */
export class EndedClaim {
  private constructor(
    private readonly claimant: Claimant,
    /** Engines of lower epochs exit by themselves. */
    readonly epoch: number,
  ) {}

  /**
   * Raises the sector's epoch.
   * @param why for operators, and for late tasks of the run
   * @throws failure `ClaimedByOther` when the sector is another run's
   */
  static async take(claimant: Claimant, why: string): Promise<EndedClaim> {
    const directory = sectorDir(claimant.group, claimant.sector);
    return new EndedClaim(claimant, await endEpoch(directory, claimant.owner, why, claimant.host));
  }

  /** @throws failure `ClaimedByOther` when another run has claimed the sector since */
  assertInForce = (): Promise<void> =>
    assertEnded(sectorDir(this.claimant.group, this.claimant.sector), this.epoch);

  /** @throws like {@link assertInForce} */
  async renameAway(): Promise<void> {
    if (!(await ifPresent(lstat(sectorDir(this.claimant.group, this.claimant.sector))))) return;
    await this.assertInForce();
    await renameAway(this.claimant);
  }
}

async function renameAway({ group, sector }: Claimant): Promise<void> {
  await ifPresent(rename(sectorDir(group, sector), join(cacheDir(group), goneName(sector, randomUUID()))));
  await syncDirectory(cacheDir(group));
}
