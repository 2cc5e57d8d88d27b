/** The query and the updates of a running sector. Usable in workflows. */
import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import { z } from 'zod';
import {
  CONTRACT_VERSION,
  randomnessSchema,
  seedSchema,
  ticketLifeSchema,
  type StorageLocation,
  type TicketLife,
} from './contract.js';
import { PHASE_IDS, type PhaseId, type SectorSize } from './phases.js';

export type SealState =
  /** A task waits for a host. */
  | 'queued'
  /** An engine is at work. */
  | 'working'
  /** The next try waits for its time. */
  | 'backoff'
  | 'waiting-for-ticket'
  | 'waiting-for-seed'
  | 'waiting-for-landed'
  | 'needs-attention'
  | 'stopping'
  | 'stopped'
  | 'failed'
  | 'aborting'
  | 'aborted'
  | 'sealed';

export interface Attention {
  phase: PhaseId;
  type: string;
  message: string;
  hint: string;
  /** Milliseconds since 1970, workflow time. */
  since: number;
}

/** What must be on chain by then: the pre-commit, while the ticket lasts; then the proof. */
export interface Deadline {
  what: 'ticket' | 'proof';
  /** ISO 8601 */
  at: string;
}

export interface PhaseStatus {
  /** `waiting`: its turn has not come; `queued`: a task waits for a host; `working`: an engine is at work on `host`. */
  state: 'waiting' | 'queued' | 'working' | 'backoff' | 'needs-attention' | 'done';
  /** Activities scheduled for it so far, hand-backs not counted. */
  tries: number;
  /** Where it works, or was done. */
  host?: string;
  seconds?: number;
  /** The last failure, shown until the phase is done. */
  failure?: string;
}

export interface SealStatus {
  v: typeof CONTRACT_VERSION;
  sector: string;
  size: SectorSize;
  group: number;
  /** It goes before sectors without it. */
  priority?: true;
  state: SealState;
  phases: Record<PhaseId, PhaseStatus>;
  /** How often an earlier phase had to run again. */
  stepsBack: number;
  attention: Attention[];
  /** hex; absent until it is drawn */
  ticket?: string;
  /** Chain epoch at which the ticket was drawn, where that is known. */
  ticketEpoch?: number;
  /** When that epoch began and when the ticket ends, where that is known. */
  ticketLife?: TicketLife;
  /** How often it was drawn from the chain: anew when P1 came too late to begin with the one before. */
  draws?: number;
  /** Until when the chain waits for it, where that is known. */
  deadline?: Deadline;
  /** Why it will miss its ticket, once a host has foreseen it. */
  late?: string;
  /** Ticket, seed and landing come from the chain. */
  chain?: boolean;
  /** Epoch at which the pre-commit landed, once the chain has told. */
  preCommitEpoch?: number;
  /** hex */
  seed?: string;
  /** base64, as in the workflow's result; so are commR and proof. */
  commD?: string;
  commR?: string;
  proof?: string;
  storage?: StorageLocation;
  bytesFreed?: number;
}

export const statusQuery = defineQuery<SealStatus>('status');

/** Sent by a host: the workflow does not see when a task has begun, nor that the server will retry it. */
export interface Working {
  phase: PhaseId;
  /** Where work goes on; without it, it has ended without a result and waits for its next try. */
  host?: string;
}
export const workingSignal = defineSignal<[Working]>('working');
const workingSchema = z.strictObject({ phase: z.enum(PHASE_IDS), host: z.string().max(255).optional() });

/** Sent by a host that foresees it: the ticket will end before P1 and P2 are done. */
export interface Late {
  phase: PhaseId;
  /** Without it, it will not. */
  why?: string;
}
export const lateSignal = defineSignal<[Late]>('late');
const lateSchema = z.strictObject({ phase: z.enum(PHASE_IDS), why: z.string().max(1000).optional() });

export interface ProvideSeed {
  /** 64 hex digits. */
  seed: string;
  /** Replaces a seed that was given before: P3 and P4 run again. */
  replace?: boolean;
}
export const provideSeedUpdate = defineUpdate<string, [ProvideSeed]>('provideSeed');
const provideSeedSchema = z.strictObject({ seed: seedSchema(), replace: z.boolean().optional() });

export interface Retry {
  /** Runs this phase and all after it again, even if they have results. */
  from?: PhaseId;
  /** A new ticket (64 hex): P1 runs again. */
  ticket?: string;
  /** With `ticket`: the chain epoch at which it was drawn, and how long it lasts. */
  ticketEpoch?: number;
  ticketLife?: TicketLife;
  /** Of a sector that follows the chain: a new ticket is drawn from there, and P1 runs again. */
  drawTicket?: boolean;
  /** Accepts the commR of a repeated P2 that differs from the published one. */
  acceptCommR?: boolean;
}
export const retryUpdate = defineUpdate<string, [Retry]>('retry');
const retrySchema = z.strictObject({
  from: z.enum(PHASE_IDS).optional(),
  ticket: randomnessSchema().optional(),
  ticketEpoch: z.int().min(0).optional(),
  ticketLife: ticketLifeSchema().optional(),
  drawTicket: z.boolean().optional(),
  acceptCommR: z.boolean().optional(),
});

export interface Abort {
  /** Reason, for the workflow's history and the group's `done/`. */
  why?: string;
}
export const abortUpdate = defineUpdate<string, [Abort | undefined]>('abort');
const abortSchema = z.strictObject({ why: z.string().max(1000).optional() });

export interface LandedNotice {
  /** Note for the workflow's history, such as the message's CID. */
  message?: string;
}
export const landedUpdate = defineUpdate<string, [LandedNotice | undefined]>('landed');
const landedSchema = z.strictObject({ message: z.string().max(1000).optional() });

export interface SetPriority {
  /** Whether the sector goes before those without it. */
  priority: boolean;
}
export const setPriorityUpdate = defineUpdate<string, [SetPriority]>('setPriority');
const setPrioritySchema = z.strictObject({ priority: z.boolean() });

// As in the contract: schemas do not leave the module.
export const parseWorking = (given: unknown): Parsed<Working> => workingSchema.safeParse(given);
export const parseLate = (given: unknown): Parsed<Late> => lateSchema.safeParse(given);
export const parseProvideSeed = (given: unknown): Parsed<ProvideSeed> => provideSeedSchema.safeParse(given);
export const parseRetry = (given: unknown): Parsed<Retry> => retrySchema.safeParse(given);
export const parseAbort = (given: unknown): Parsed<Abort> => abortSchema.safeParse(given);
export const parseLanded = (given: unknown): Parsed<LandedNotice> => landedSchema.safeParse(given);

export const parseSetPriority = (given: unknown): Parsed<SetPriority> => setPrioritySchema.safeParse(given);

export type Parsed<T> = z.ZodSafeParseResult<T>;
