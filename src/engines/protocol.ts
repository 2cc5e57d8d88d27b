/** The files shared with the engine (`docs/engine-protocol.md`): what a worker writes and what it reads. */
import { createHash } from 'node:crypto';
import { stringify } from 'safe-stable-stringify';
import { z } from 'zod';
import { readable } from '../contract.js';
import { ENGINE_PHASE_IDS, SECTOR_SIZE_NAMES, type EnginePhaseId, type SectorSize } from '../phases.js';

export const ENGINE_PROTOCOL = 1;

const version = z.int().refine((v) => readable(v, ENGINE_PROTOCOL));
const hex = z.string().regex(/^[0-9a-f]{64}$/);

/** A file that a phase made; `name` is relative to its attempt, `blake3` 64 hex digits. */
export const fileSchema = z.object({ name: z.string(), size: z.int().min(0), blake3: hex });
export type FileDigest = z.infer<typeof fileSchema>;

export interface Job {
  v: typeof ENGINE_PROTOCOL;
  phase: EnginePhaseId;
  sector: string;
  size: SectorSize;
  inputHash: string;
  ticket: string;
  seed?: string;
  inputs: Partial<Record<EnginePhaseId, string>>;
  earlier: string[];
  copy?: {
    node: string;
    /** The reservation, made by the worker. */
    staging: string;
    /** Rate limit of this copy; 0: no limit. */
    limitBytesPerSec: number;
    /** Rate limit of all copies on the host, which share it through the file at `path`. */
    shared?: { limitBytesPerSec: number; path: string };
    /** Why other nodes were passed over; for display only. */
    passedOver: string[];
  };
  cores?: readonly number[] | undefined;
  /** P1: threads that gather parents beside the one that hashes; 0: none. */
  producers?: number | undefined;
  progressEveryMs: number;
  leaseEveryMs: number;
  hangMs?: number;
  madeBy: { host: string; worker: string; version: string };
  at: string;
}

/** The fields of a job that sealflow reads back; the engine reads the rest. */
export const jobSchema = z.object({
  v: version,
  inputHash: hex,
  earlier: z.array(z.string()).optional(),
  hangMs: z.number().positive().optional(),
  copy: z
    .object({ node: z.string(), staging: z.string(), passedOver: z.array(z.string()).optional() })
    .optional(),
  madeBy: z.object({ host: z.string(), worker: z.string().optional() }),
});

export const progressSchema = z.object({
  v: version,
  pid: z.int().positive(),
  startTime: z.int().min(0),
  bootId: z.string(),
  pidNs: z.string(),
  host: z.string(),
  counter: z.int().min(0),
  step: z.string(),
  fraction: z.number().min(0).max(1).nullable(),
  bytes: z.number().min(0),
  /** Total bytes that a copy moves: written, and read back. */
  total: z.number().min(0).nullish(),
  cpuSeconds: z.number().min(0),
  rssBytes: z.number().min(0),
});
export type Progress = z.infer<typeof progressSchema>;

export const resultSchema = z.object({
  v: version,
  phase: z.enum(ENGINE_PHASE_IDS as [EnginePhaseId, ...EnginePhaseId[]]),
  sector: z.string(),
  size: z.enum(SECTOR_SIZE_NAMES),
  inputHash: hex,
  outputs: z.looseObject({
    commD: hex.optional(),
    commR: hex.optional(),
    proof: z.base64().optional(),
    files: z.array(fileSchema).optional(),
  }),
  facts: z.looseObject({
    seconds: z.number(),
    host: z.string(),
    startedAt: z.string(),
    endedAt: z.string(),
    engine: z.string(),
    proofs: z.string().optional(),
    node: z.string().optional(),
    staging: z.string().optional(),
    bytes: z.number().optional(),
  }),
});
export type EngineResult = z.infer<typeof resultSchema>;

export const errorSchema = z.object({
  v: version,
  exit: z.int(),
  type: z.string(),
  message: z.string(),
  from: z.enum(ENGINE_PHASE_IDS as [EnginePhaseId, ...EnginePhaseId[]]).optional(),
});
export type EngineError = z.infer<typeof errorSchema>;

export const layersSchema = z.object({ v: version, files: z.array(fileSchema) });

/** Values that JSON can represent; not `undefined`. */
type Value = object | string | number | boolean | null;

/** JSON with sorted keys and no spaces: equal values give equal strings. */
export const canonicalJson = (value: Value): string => stringify(value);

/** SHA-256 of the canonical JSON, as hex: digests of results, hashes of inputs. */
export const digestOf = (value: Value): string =>
  createHash('sha256').update(canonicalJson(value)).digest('hex');
