/**
 * The right to change a sector's directory. Whoever renames, deletes or writes in it, or makes an attempt there, does it through a
 * claim, which asks the epoch each time, last thing before the act: a run that was overtaken or stopped meanwhile changes nothing.
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
}

/** What a phase and P6 may do. */
export class Claim {
  readonly directory: string;

  private constructor(private readonly claimant: Claimant) {
    this.directory = sectorDir(claimant.group, claimant.sector);
  }

  /** Claims the sector's directory, which must be there. @throws like {@link assertInForce} */
  static async take(claimant: Claimant): Promise<Claim> {
    const claim = new Claim(claimant);
    await claimEpoch(claim.directory, claimant.owner, claimant.host);
    return claim;
  }

  /**
   * @returns the epoch
   * @throws failure `Overtaken` when the same run has claimed since, `ClaimedByOther` when another one has, or it was stopped
   */
  assertInForce = (): Promise<number> => assertClaimed(this.directory, this.claimant.owner);

  /** sector.json: enough to start the sector anew without Temporal. */
  async writeSectorFile(seal: SealInput): Promise<void> {
    const path = join(this.directory, 'sector.json');
    const known = await readJson(path).catch((error: unknown) => {
      if (!(error instanceof SyntaxError)) throw error;
    });
    refuseNewer(path, known);
    if (canonicalJson(known ?? null) === canonicalJson(seal)) return;
    await this.write(path, seal);
  }

  /** Writes a file of sealflow's own beside the epochs. */
  async writeNote(name: string, note: unknown): Promise<void> {
    await this.write(join(this.directory, name), note);
  }

  /** Asked twice: an fsync may take minutes. */
  private async write(path: string, value: unknown): Promise<void> {
    await this.assertInForce();
    await writeJson(path, value, this.assertInForce);
  }

  /** @returns undefined when the number is taken: someone else was faster, so look again */
  async makeAttempt(name: AttemptName, job: Job): Promise<Attempt | undefined> {
    await this.assertInForce();
    return await makeAttempt(this.directory, name, job);
  }

  /**
   * Says which worker waits for an engine that it has not started. Helps only other workers: without it they count the engine as
   * nobody's, and take one sector less.
   */
  async adopt(attempt: Attempt, worker: string): Promise<void> {
    await this.assertInForce()
      .then(() => writeAdoption(attempt, worker))
      .catch(() => undefined);
  }

  /** Takes an attempt's result out of the count; does nothing when that was done before. */
  async invalidate(at: string): Promise<void> {
    await this.assertInForce();
    await invalidateAttempt(this.directory, at);
  }

  /** Gives back what other attempts of a phase have left that has a result now. A favour: what fails of it, P6 does. */
  async freeSuperseded(counts: Attempt): Promise<void> {
    const epoch = await this.assertInForce();
    await freeSuperseded(this.directory, counts, epoch).catch(() => undefined);
  }

  /** Gives back what attempts before the one that was just made have left. A favour too. */
  async freeBefore(made: Attempt): Promise<void> {
    await this.assertInForce();
    await freeBefore(this.directory, made).catch(() => undefined);
  }

  /** Shows the replica of the P2 attempt that counts under `sealed/`. For people only: a failure is no failure. */
  async linkReplica(attempt: Attempt): Promise<void> {
    await this.assertInForce();
    const { group, sector } = this.claimant;
    const name = sealedLink(group, sector);
    const temporary = `${name}.${randomUUID()}`;
    try {
      await link(join(attempt.directory, 'sealed'), temporary);
      await rename(temporary, name);
    } catch {
      // Nothing reads it.
    } finally {
      // rename() of two links to one inode does nothing and leaves both (rename(2)).
      await rm(temporary, { force: true }).catch(() => undefined);
    }
  }

  /** Deletes files of attempts. */
  async deleteFiles(paths: readonly string[]): Promise<void> {
    await this.assertInForce();
    for (const path of paths) await rm(path, { force: true });
  }

  /** Takes the whole directory's name away, which is the last that a sector knows of it. Does nothing when that was done before. */
  async renameAway(): Promise<void> {
    if (!(await ifPresent(lstat(this.directory)))) return;
    await this.assertInForce();
    await renameAway(this.claimant);
  }
}

/** What a stop and an abort may do: their run's claim has ended, and nothing of it can start any more. */
export class EndedClaim {
  private constructor(
    private readonly claimant: Claimant,
    /** Engines of lower epochs end by themselves. */
    readonly epoch: number,
  ) {}

  /**
   * Raises the sector's epoch.
   * @param why for people, and for what comes late
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
