/** What a sector brings into a message, or why it cannot be in one. */
import { DEFAULT_LIFETIME_DAYS, expirationBounds } from '../../chain/expiration.js';
import type { PreCommit, ProveCommit } from '../../chain/miner-messages.js';
import { EPOCHS_IN_DAY } from '../../chain/policy.js';
import type { PhaseId, SectorSize } from '../../phases.js';
import { sectorOf } from '../../sector.js';
import { askedFor, type SectorStatus } from '../../temporal/ask/sector-status.js';
import { UserError } from '../../user-error.js';

/** When a sector expires: at an epoch, or so many epochs after its ticket's. */
export type Expiration = { epoch: number } | { lifetime: number };

export interface PreCommitOptions {
  expiration: Expiration;
  /** Epoch of the tickets of sectors that were started without one. */
  ticketEpoch?: number | undefined;
}

/** @throws UserError (exit 1) when it has no commR yet, or its expiration is none that the chain would take */
export function toPreCommit(
  status: SectorStatus,
  { expiration: wanted, ticketEpoch: given }: PreCommitOptions,
): PreCommit {
  refuseEnded(status);
  refuseUnlessDone(status, 'P2', 'commR');
  const { sector, size, commR = '' } = status;
  const ticketEpoch = ticketEpochOf(status, given);
  const expiration = 'epoch' in wanted ? wanted.epoch : ticketEpoch + wanted.lifetime;
  const { min, max } = expirationBounds(ticketEpoch);
  if (expiration < min || expiration > max) {
    throw refusal(
      `${sector} cannot expire at epoch ${expiration}: with a ticket of epoch ${ticketEpoch} it must be from ${min} to ${max}`,
      `--lifetime ${DEFAULT_LIFETIME_DAYS}d is epoch ${ticketEpoch + DEFAULT_LIFETIME_DAYS * EPOCHS_IN_DAY} for it`,
    );
  }
  const { number } = sectorOf(sector);
  return { number, size, commR: Buffer.from(commR, 'base64'), ticketEpoch, expiration };
}

/** @throws UserError (exit 1) when it has no proof yet */
export function toProveCommit(status: SectorStatus): ProveCommit & { size: SectorSize } {
  refuseEnded(status);
  refuseUnlessDone(status, 'P4', 'proof');
  const { sector, size, proof = '' } = status;
  return { number: sectorOf(sector).number, size, proof: Buffer.from(proof, 'base64') };
}

/** What is on chain must be stored in the end: nobody goes on with a sector whose workflow has ended before. */
function refuseEnded({ sector, state, workflow }: SectorStatus): void {
  if (state === 'aborting' || state === 'aborted') throw refusal(`${sector} was aborted`);
  if (workflow === 'RUNNING' || state === 'sealed') return;
  throw refusal(
    `nobody seals ${sector} any more: its workflow has ended (${workflow})`,
    'sealflow start with the same ticket goes on with it',
  );
}

/** A step back takes a result away until its phase is done again. */
function refuseUnlessDone(status: SectorStatus, phase: PhaseId, result: 'commR' | 'proof'): void {
  const { sector, phases } = status;
  const { state } = phases[phase];
  if (state === 'done' && status[result] !== undefined) return;
  throw refusal(
    `${sector} has no ${result} yet: its ${phase} is ${state}`,
    askedFor(status) ?? `sealflow status ${sector} shows how far it is`,
  );
}

function ticketEpochOf({ sector, ticketEpoch }: SectorStatus, given: number | undefined): number {
  if (ticketEpoch === undefined && given === undefined)
    throw refusal(
      `${sector} was started without its ticket's epoch, which the pre-commit must name`,
      '--ticket-epoch EPOCH gives it; for the next sector, sealflow start --ticket HEX@EPOCH',
    );
  if (ticketEpoch !== undefined && given !== undefined && given !== ticketEpoch)
    throw refusal(`${sector} was started with a ticket of epoch ${ticketEpoch}, not ${given}`);
  return (ticketEpoch ?? given) as number;
}

const refusal = (message: string, hint?: string): UserError =>
  new UserError(message, { exitCode: 1, ...(hint !== undefined && { hint }) });
