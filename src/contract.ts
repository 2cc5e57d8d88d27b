/**
 * The contract between the parts, over Temporal: IDs, queues, inputs, results. Usable in workflows. The query and updates
 * of a sector are in `messages.ts`.
 *
 * Everything that is stored or sent carries a version `v`. A reader accepts its own version and the one before; a newer
 * one is handed back (`TooNew`), so that workers of two versions can serve one queue during an upgrade.
 */
import { z } from 'zod';
import { PHASES, SECTOR_SIZE_NAMES, type EnginePhaseId, type PhaseId, type SectorSize } from './phases.js';
import { parseSector, parseSectorFileName, sectorFileName, sectorName, type SectorId } from './sector.js';

export const CONTRACT_VERSION = 1;

/** Whether a reader that knows `known` understands what is of version `v`: its own, and the one before. */
export const readable = (v: unknown, known: number = CONTRACT_VERSION): boolean =>
  v === known || v === known - 1;

/** Written by a newer sealflow: it cannot be understood, and must not be ignored either. */
export class TooNewError extends Error {
  constructor(what: string, v: number, known: number) {
    super(`${what} has version ${v}, this sealflow knows ${known}`);
    this.name = 'TooNewError';
  }
}

/**
 * To be called before anything else is read of a value that came from outside, even before its form is checked: a newer
 * one may have another.
 * @throws TooNewError naming `what`
 */
export function refuseNewer(what: string, value: unknown, known: number = CONTRACT_VERSION): void {
  const v = typeof value === 'object' && value !== null && 'v' in value ? value.v : undefined;
  if (typeof v === 'number' && v > known) throw new TooNewError(what, v, known);
}

// ---- names ----

export const WORKFLOW_TYPE = 'sealSector';
/** By which a command asks the chain, which only orchestrators see. */
export const NUMBERS_WORKFLOW_TYPE = 'freeNumbers';
export const WORKFLOW_QUEUE = 'sealflow';
export const workflowId = (sector: SectorId): string => `seal-${sectorFileName(sector).slice(2)}`;
/** @returns undefined if it is the ID of no sector's workflow */
export const sectorOfWorkflow = (id: string): SectorId | undefined =>
  parseSectorFileName(id.replace(/^seal-/, 's-'));
export const phaseQueue = (group: number, size: SectorSize, phase: PhaseId): string =>
  `sealflow/${group}/${size}/${PHASES[phase].queueName}`;
/** Priority keys (1 comes first): what was begun goes before what an operator prefers, and that before the rest. */
export const BEGUN = 1;
export const PREFERRED = 2;
export const NORMAL = 3;

/** Served by every worker of a group outside of its pools: stopping engines must not wait for a slot. */
export const controlQueue = (group: number): string => `sealflow/${group}/control`;

/** Served by orchestrators that watch a chain (`[chain]`). */
export const CHAIN_QUEUE = 'sealflow/chain';

/** Polled by every worker of a group under a name that says what it serves (`host-statement.ts`); it never has tasks. */
export const hostsQueue = (group: number): string => `sealflow/${group}/hosts`;

// ---- the workflow's input and result ----

// All workflows of a worker share this module (`workers/bundle-options.ts`), and what such a module exports is frozen, but
// schemas are completed when they are first used. So they leave it only through functions.

const hex32 = z.string().regex(/^[0-9a-f]{64}$/, 'must be 32 bytes as 64 lower-case hex digits');
const nonZero = hex32.refine((hex) => !/^0+$/.test(hex), 'must not be all zeros');

/** Schema of chain randomness as 64 hex digits. */
export const randomnessSchema = (): typeof hex32 => hex32;

/**
 * Actor-field element bound: the proofs read seeds and tickets as they are, but reject a seed of zeros
 * (rust-fil-proofs `seal_commit_phase2`).
 */
export const seedSchema = (): typeof nonZero => nonZero;

const moment = z.iso.datetime({ offset: true, error: 'must be a time like 2026-11-30T03:00:00Z' });
const ticketLife = z
  .strictObject({ from: moment, until: moment })
  .refine(({ from, until }) => Date.parse(from) < Date.parse(until), 'must end after it has begun');

/** Of a ticket's epoch, and of the last one at which its pre-commit can land. */
export const ticketLifeSchema = (): typeof ticketLife => ticketLife;

const sealInput = z
  .strictObject({
    /** Once it is understood it is this version's. */
    v: z
      .int()
      .refine((v) => readable(v), `must be ${CONTRACT_VERSION}`)
      .transform((): typeof CONTRACT_VERSION => CONTRACT_VERSION),
    /** `t01000/7`. */
    sector: z
      .string()
      .refine((text) => parseSector(text) !== undefined, 'must be like t01000/7 (miner / sector number)')
      .transform((text) => sectorName(parseSector(text) as SectorId)),
    size: z.enum(SECTOR_SIZE_NAMES),
    /** The group that seals it: an integer of `group_id`. */
    group: z.int().min(0),
    /** Drawn from the chain when P1 is about to be offered, if it is not given. */
    ticket: hex32.optional(),
    /** Chain epoch at which the ticket was drawn: sealing does not need it, the pre-commit does (`sealflow message`). */
    ticketEpoch: z.int().min(0).optional(),
    /** When that epoch began, and the last moment at which its pre-commit can land: known where the chain's clock is. */
    ticketLife: ticketLife.optional(),
    /** Ticket, seed and landing come from the chain that the orchestrators watch, unless somebody gives them. */
    chain: z.boolean().optional(),
    /** The seed where it is known at the start (tests); else it comes with the update `provideSeed`. */
    seed: nonZero.optional(),
    /** Before sectors without it. */
    priority: z.boolean().optional(),
    /** When P6 may delete the scratch. A host's own config (`[clean] after`) can only make it later. */
    cleanAfter: z.enum(['proof', 'landed']).optional(),
    /** Factor of all times; 1 except in tests. */
    timeScale: z.number().positive().max(1).optional(),
  })
  .refine(({ ticket, chain }) => ticket !== undefined || chain === true, {
    path: ['ticket'],
    // Beside other problems too.
    when: ({ value }) => typeof value === 'object' && value !== null,
    message: 'is missing: give it, or "chain": true where orchestrators watch the chain',
  });

export type SealInput = z.infer<typeof sealInput>;
export type TicketLife = z.infer<typeof ticketLife>;

/** Validates the input of `sealSector`. @returns zod's result: `data`, or `error` with the problems found */
export const parseSealInput = (given: unknown): z.ZodSafeParseResult<SealInput> => sealInput.safeParse(given);

/** Where a sealed sector lies on its storage node; paths are relative to the node. */
export interface StorageLocation {
  /** Last component of the node's directory, for example `10.10.4.23`. */
  node: string;
  sealed: string;
  cache: string;
  receipt: string;
}

/** Bytes are base64, as Go's JSON reads `[]byte`. */
export interface SealResult {
  v: typeof CONTRACT_VERSION;
  sector: string;
  commR: string;
  commD: string;
  proof: string;
  storage: StorageLocation;
  bytesFreed: number;
}

// ---- activities ----

/** A result on disk that counts: the attempt that made it and the digest of its outputs. */
export interface ResultRef {
  /** `1/P2-3`: epoch and attempt, below the sector's directory. */
  at: string;
  /** SHA-256 (hex) of the canonical JSON of the result's `outputs`. */
  digest: string;
}

export interface PhaseInput {
  v: typeof CONTRACT_VERSION;
  phase: EnginePhaseId;
  /** The workflow's input, with the seed once it is known. */
  seal: SealInput;
  /** How often this run has claimed the sector; a run that was overtaken claims again only after `retry`. */
  claim: number;
  /** First run of the workflow's chain of continue-as-new: the owner of its epochs. */
  run: string;
  inputs: Partial<Record<EnginePhaseId, ResultRef>>;
  /** Results that a step back or a retry has invalidated, as `at`. */
  invalidated: string[];
  /** The newest attempt (`at`) whose failure this workflow knows; a newer failure on disk is reported, not repeated. */
  lastReported?: string;
  /** The workflow was told that the sector will miss its ticket. */
  late?: true;
}

/** What the workflow retains of a phase. Large outputs stay in files. */
export interface PhaseResult extends ResultRef {
  v: typeof CONTRACT_VERSION;
  phase: EnginePhaseId;
  host: string;
  seconds: number;
  /** base64; P1 and P2. */
  commD?: string;
  /** base64; P2. */
  commR?: string;
  /** base64; P4. */
  proof?: string;
  /** Storage node that P5 copied to. */
  node?: string;
}

export interface CleanInput {
  v: typeof CONTRACT_VERSION;
  seal: SealInput;
  claim: number;
  /** First run of the workflow's chain of continue-as-new: the owner of its epochs. */
  run: string;
  results: Record<EnginePhaseId, ResultRef>;
  /** Upstream has reported that the proof is on chain. */
  landed?: boolean;
}

export interface CleanResult {
  v: typeof CONTRACT_VERSION;
  host: string;
  seconds: number;
  storage: StorageLocation;
  bytesFreed: number;
}

export interface StopInput {
  v: typeof CONTRACT_VERSION;
  seal: SealInput;
  claim: number;
  /** First run of the workflow's chain of continue-as-new: the owner of its epochs. */
  run: string;
  why: string;
}

export interface StopResult {
  v: typeof CONTRACT_VERSION;
  /** Engines that were seen to end, as `at`. */
  stopped: string[];
}

export interface AbortResult extends StopResult {
  bytesFreed: number;
}

/** The activities' types, for `proxyActivities` and for fakes; the names are those of the phase table. */
export interface SealActivities {
  preCommitPhase1: (input: PhaseInput) => Promise<PhaseResult>;
  preCommitPhase2: (input: PhaseInput) => Promise<PhaseResult>;
  commitPhase1: (input: PhaseInput) => Promise<PhaseResult>;
  commitPhase2: (input: PhaseInput) => Promise<PhaseResult>;
  copySector: (input: PhaseInput) => Promise<PhaseResult>;
  cleanSector: (input: CleanInput) => Promise<CleanResult>;
  stopSector: (input: StopInput) => Promise<StopResult>;
  abortSector: (input: StopInput) => Promise<AbortResult>;
}
