/**
 * The chain's rules for a sector, in epochs of 30 seconds. test/unit/chain/vectors.test.ts compares each with go-state-types; the
 * actor itself has them in builtin-actors (`runtime/src/runtime/policy.rs`, `actors/miner/src/policy.rs`).
 */
import type { SectorSize } from '../phases.js';

/** Epochs of a day (go-state-types `builtin.EpochsInDay`). */
export const EPOCHS_IN_DAY = 2880;

/** After so many epochs no reorganisation reaches back (lotus `policy.ChainFinality`). Tickets are drawn so far back. */
export const FINALITY = 900;

/** The seed is drawn so many epochs after the pre-commit's (builtin-actors `PreCommitChallengeDelay`). */
export const SEED_DELAY = 150;

/** A pre-commit must land within so many epochs of its ticket's: a day and finality (`MaxPreCommitRandomnessLookback`). */
export const MAX_TICKET_AGE = 3780;

/** A proof must land within so many epochs of its pre-commit: 30 days and the seed's delay of 150 (`MaxProveCommitDuration`). */
export const MAX_PROVE_COMMIT_DURATION = 86_550;

/** 180 days, from the last epoch at which the proof may land (`MinSectorExpiration`). */
export const MIN_SECTOR_LIFETIME = 180 * EPOCHS_IN_DAY;

/** 1,278 days, from the epoch at which the pre-commit lands (`MaxSectorExpirationExtension`). */
export const MAX_SECTOR_EXPIRATION = 1278 * EPOCHS_IN_DAY;

/** The registered seal proof of each size: StackedDrg…V1_1, the interactive PoRep that the engine makes (go-state-types `abi/sector.go`). */
export const SEAL_PROOFS: Readonly<Record<SectorSize, number>> = {
  '2KiB': 5,
  '8MiB': 6,
  '512MiB': 7,
  '32GiB': 8,
  '64GiB': 9,
};
