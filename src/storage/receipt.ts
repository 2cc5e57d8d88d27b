/** A sealed sector's receipt: readable without sealflow, with everything needed to verify the sector. */
import { z } from 'zod';
import { readable, type SealInput } from '../contract.js';
import { ENGINE_PROTOCOL, fileSchema, type EngineResult, type FileDigest } from '../engines/protocol.js';
import { stored } from '../paths.js';
import { ENGINE_PHASE_IDS, SECTOR_SIZE_NAMES, type EnginePhaseId } from '../phases.js';
import { parseSector, type SectorId } from '../sector.js';

/** 32 bytes. */
const hex = z.string().regex(/^[0-9a-f]{64}$/, 'must be 64 hex digits');

export const receiptSchema = z.object({
  v: z.int().refine((v) => readable(v, ENGINE_PROTOCOL), `must be ${ENGINE_PROTOCOL}`),
  sector: z.string().refine((text) => parseSector(text) !== undefined, 'must be like t01000/7'),
  size: z.enum(SECTOR_SIZE_NAMES),
  ticket: hex,
  ticketEpoch: z.number().optional(),
  seed: hex,
  commD: hex,
  commR: hex,
  proof: z.base64(),
  /** Name of the storage node at the time. */
  node: z.string(),
  /** Names are relative to the storage node. */
  files: z.array(fileSchema),
  versions: z.object({ sealflow: z.string(), engine: z.string(), proofs: z.string().optional() }),
  phases: z.record(
    z.enum(ENGINE_PHASE_IDS),
    z.object({ host: z.string(), startedAt: z.string(), endedAt: z.string(), seconds: z.number() }),
  ),
});
export type Receipt = z.infer<typeof receiptSchema>;

export type Results = Record<EnginePhaseId, EngineResult>;

/** Builds the receipt from the results of all phases. @throws TypeError when a result lacks a required value */
export function receiptOf(seal: SealInput, sector: SectorId, results: Results, version: string): Receipt {
  const { commR, commD } = results.P2.outputs;
  return {
    v: 1,
    sector: seal.sector,
    size: seal.size,
    ticket: required(seal.ticket, 'ticket'),
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

/** The files that P5 copied, with the digests computed when reading them back. */
export const copiedFiles = ({ P5 }: Pick<Results, 'P5'>): FileDigest[] => required(P5.outputs.files, 'files');

/** Final name of a file of the copy, relative to the storage node. */
export const finalName = (sector: SectorId, name: string): string =>
  name === 'sealed' ? stored.sealed(sector) : `${stored.cache(sector)}/${name}`;

function required<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new TypeError(`the results have no ${what}`);
  return value;
}
