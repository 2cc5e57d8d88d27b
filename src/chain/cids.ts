/** commD and commR as the CIDs that a chain knows (go-fil-commcid). */
import { CID } from 'multiformats/cid';
import { create } from 'multiformats/hashes/digest';

const FIL_COMMITMENT_UNSEALED = 0xf101;
const FIL_COMMITMENT_SEALED = 0xf102;
const SHA2_256_TRUNC254_PADDED = 0x1012;
const POSEIDON_BLS12_381_A2_FC1 = 0xb401;

/** The CID of commR, which a pre-commit carries. */
export const sealedCid = (commR: Uint8Array): CID =>
  CID.createV1(FIL_COMMITMENT_SEALED, create(POSEIDON_BLS12_381_A2_FC1, commR));

/** `baga6ea4seaq…` */
export const pieceCid = (commD: Uint8Array): string =>
  CID.createV1(FIL_COMMITMENT_UNSEALED, create(SHA2_256_TRUNC254_PADDED, commD)).toString();

/** `bagboea4b5abc…` */
export const sectorCid = (commR: Uint8Array): string => sealedCid(commR).toString();
