/**
 * Messages to a miner actor, encoded as go-state-types encodes them: structs are CBOR arrays (cbor-gen's tuples), numbers as short as
 * they can be, a CID is tag 42. test/vectors has what Go makes of the same values.
 */
import { encode } from '@ipld/dag-cbor';
import type { SectorSize } from '../phases.js';
import { sealedCid } from './cids.js';
import { SEAL_PROOFS } from './policy.js';

/** A method of the miner actor with its parameters. */
export interface MinerMessage {
  method: number;
  /** The actor's name for it. */
  methodName: string;
  /** CBOR: what goes into the message. */
  params: Uint8Array;
  /** The same as Go writes it in JSON: what `lotus send --params-json` and RPC methods read. */
  decoded: Record<string, unknown>;
}

export interface PreCommit {
  number: number;
  size: SectorSize;
  /** 32 bytes */
  commR: Uint8Array;
  /** Epoch of the ticket, the chain's SealRandEpoch. */
  ticketEpoch: number;
  /** Epoch */
  expiration: number;
}

/** A sector without data has no deals, and null for commD: the actor takes the one of zeros (`CompactCommD`). */
export const preCommitInfo = (sector: PreCommit): Record<string, unknown> => ({
  SealProof: SEAL_PROOFS[sector.size],
  SectorNumber: sector.number,
  SealedCID: { '/': sealedCid(sector.commR).toString() },
  SealRandEpoch: sector.ticketEpoch,
  DealIDs: [],
  Expiration: sector.expiration,
  UnsealedCid: null,
});

/** Pre-commits sectors without data (go-state-types `PreCommitSectorBatchParams2`). */
export const preCommitSectorBatch2 = (sectors: readonly PreCommit[]): MinerMessage => ({
  method: 28,
  methodName: 'PreCommitSectorBatch2',
  params: encode([
    sectors.map(({ number, size, commR, ticketEpoch, expiration }) => [
      ...[SEAL_PROOFS[size], number, sealedCid(commR), ticketEpoch],
      ...[[], expiration, null],
    ]),
  ]),
  decoded: { Sectors: sectors.map(preCommitInfo) },
});

export interface ProveCommit {
  number: number;
  proof: Uint8Array;
}

/**
 * Whether one sector, or one notification, that fails fails the message: lotus's defaults (`RequireActivationSuccess`,
 * `RequireNotificationSuccess` in its config). What fails is left out, and the message's return value says so.
 */
const REQUIRE_ACTIVATION_SUCCESS = false;
const REQUIRE_NOTIFICATION_SUCCESS = false;

/** Proves sectors without data, each by its own proof (go-state-types `ProveCommitSectors3Params`). */
export const proveCommitSectors3 = (sectors: readonly ProveCommit[]): MinerMessage => ({
  method: 34,
  methodName: 'ProveCommitSectors3',
  params: encode([
    sectors.map(({ number }) => [number, []]),
    sectors.map(({ proof }) => proof),
    // No aggregate: Go writes a nil slice as no bytes, and a nil pointer as null.
    ...[new Uint8Array(), null],
    ...[REQUIRE_ACTIVATION_SUCCESS, REQUIRE_NOTIFICATION_SUCCESS],
  ]),
  decoded: {
    SectorActivations: sectors.map(({ number }) => ({ SectorNumber: number, Pieces: [] })),
    SectorProofs: sectors.map(({ proof }) => Buffer.from(proof).toString('base64')),
    AggregateProof: null,
    AggregateProofType: null,
    RequireActivationSuccess: REQUIRE_ACTIVATION_SUCCESS,
    RequireNotificationSuccess: REQUIRE_NOTIFICATION_SUCCESS,
  },
});
