/** The sector's birth certificate: readable without sealflow, and all that is needed to check the sector again. */
import type { EngineResult, FileDigest } from '../attempts/protocol.js';
import { stored } from '../paths.js';
import { ENGINE_PHASE_IDS, type EnginePhaseId, type SectorSize } from '../phases.js';
import type { SectorId } from '../sector.js';
import type { SealInput } from '../contract.js';

export interface Receipt {
  v: 1;
  sector: string;
  size: SectorSize;
  /** 32 bytes each, hex. */
  ticket: string;
  ticketEpoch?: number;
  seed: string;
  commD: string;
  commR: string;
  /** base64 */
  proof: string;
  /** Name of the storage node at the time. */
  node: string;
  /** Names are relative to the storage node. */
  files: FileDigest[];
  versions: { sealflow: string; engine: string; proofs?: string };
  phases: Record<EnginePhaseId, { host: string; startedAt: string; endedAt: string; seconds: number }>;
}

export type Results = Record<EnginePhaseId, EngineResult>;

/** @throws TypeError when a result lacks what it must have. */
export function receiptOf(seal: SealInput, sector: SectorId, results: Results, version: string): Receipt {
  const { commR, commD } = results.P2.outputs;
  return {
    v: 1,
    sector: seal.sector,
    size: seal.size,
    ticket: seal.ticket,
    ticketEpoch: seal.ticketEpoch,
    seed: required(seal.seed, 'seed'),
    commD: required(commD, 'commD'),
    commR: required(commR, 'commR'),
    proof: required(results.P4.outputs.proof, 'proof'),
    node: required(results.P5.facts.node, 'node'),
    files: copiedFiles(results).map((file) => ({ ...file, name: finalName(sector, file.name) })),
    versions: { sealflow: version, engine: results.P4.facts.engine, proofs: results.P4.facts.proofs },
    phases: Object.fromEntries(
      ENGINE_PHASE_IDS.map((id) => {
        const { host, startedAt, endedAt, seconds } = results[id].facts;
        return [id, { host, startedAt, endedAt, seconds }];
      }),
    ) as Receipt['phases'],
  };
}

/** The files that P5 copied, with the digests that it read back. */
export const copiedFiles = ({ P5 }: Pick<Results, 'P5'>): FileDigest[] => required(P5.outputs.files, 'files');

/** Where a file of the copy belongs, relative to the storage node. */
export const finalName = (sector: SectorId, name: string): string =>
  name === 'sealed' ? stored.sealed(sector) : `${stored.cache(sector)}/${name}`;

function required<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new TypeError(`the results have no ${what}`);
  return value;
}
