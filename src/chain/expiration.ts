/** Which expirations a pre-commit may ask for, reckoned from the ticket's epoch alone. */
import {
  EPOCHS_IN_DAY,
  MAX_PROVE_COMMIT_DURATION,
  MAX_SECTOR_EXPIRATION,
  MAX_TICKET_AGE,
  MIN_SECTOR_LIFETIME,
} from './policy.js';

/**
 * Of sectors without data, where nothing else is asked for: it can be extended later, and ending a sector early costs a fee.
 * lotus takes the longest, 1,278 days.
 */
export const DEFAULT_LIFETIME_DAYS = 540;

/**
 * Epochs from the ticket's to the expiration, at least and at most. The actor (`validate_expiration`) reckons from the epoch at
 * which the pre-commit lands, which nobody knows yet: these are right for every one at which the ticket is still good. lotus has
 * the same minimum (storage/pipeline/states_sealing.go `preCommitInfo`).
 */
export const MIN_LIFETIME = MAX_TICKET_AGE + MAX_PROVE_COMMIT_DURATION + MIN_SECTOR_LIFETIME;
export const MAX_LIFETIME = MAX_SECTOR_EXPIRATION;

/** Whole days that are within the bounds. */
export const MIN_LIFETIME_DAYS = Math.ceil(MIN_LIFETIME / EPOCHS_IN_DAY);
export const MAX_LIFETIME_DAYS = Math.floor(MAX_LIFETIME / EPOCHS_IN_DAY);

/** First and last epoch at which a sector may expire. */
export const expirationBounds = (ticketEpoch: number): { min: number; max: number } => ({
  min: ticketEpoch + MIN_LIFETIME,
  max: ticketEpoch + MAX_LIFETIME,
});
