/**
 * What commands print with `--json`, one value a line. docs/schemas has each as JSON Schema, made from here. Times are ISO
 * 8601, sizes are bytes, hashes and randomness are hex; a field that is absent is not known, or does not apply.
 */
import { z } from 'zod';
import { ENGINE_PHASE_IDS, PHASE_IDS, SECTOR_SIZE_NAMES } from '../phases.js';
import { drained, draining, finding, health, setUp } from './host-json-forms.js';
import { messageForm } from './message/form.js';

const sector = z.string().describe('`t01000/7`');
const size = z.enum(SECTOR_SIZE_NAMES);
const phase = z.enum(PHASE_IDS);
const hex = z.string().regex(/^([0-9a-f]{2})+$/);
const hex32 = z.string().regex(/^[0-9a-f]{64}$/);
const time = z.iso.datetime();
const bytes = z.int().min(0);
const group = z.int().min(0);
const workflow = z.string().describe("Temporal's: RUNNING, COMPLETED, FAILED, CANCELLED, TERMINATED, …");
const state = z
  .string()
  .describe("the sector's: queued, working, waiting-for-seed, needs-attention, sealed, …");
const storage = z.object({
  node: z.string().describe("last component of the node's directory"),
  sealed: z.string(),
  cache: z.string(),
  receipt: z.string(),
});

/** Of a sector that is sealed, or under way. */
const commitments = {
  commD: hex32.optional(),
  pieceCid: z.string().optional().describe('commD as a CID'),
  commR: hex32.optional(),
  sectorCid: z.string().optional().describe('commR as a CID'),
  proof: hex.optional(),
};

const answer = z.object({ sector, answer: z.string() });

const started = z.object({
  sector,
  workflowId: z.string(),
  freeAt: z
    .int()
    .optional()
    .describe('with --count: epoch at which its number was free on chain, if that was asked'),
});
const sealed = z.object({ sector, ...commitments, storage, bytesFreed: bytes });

const listed = z.object({
  sector,
  workflow,
  state: state.optional(),
  phase: z.string().optional().describe('`P4+P5` while both run'),
  host: z.array(z.string()).optional().describe('where engines are at work'),
  deadline: time.optional().describe('until when the chain waits; those that end first are listed first'),
  late: z.string().optional().describe('`ticket`: it will miss it'),
  started: time,
  ended: time.optional(),
  waits: z.array(z.string()).optional().describe('what nobody serves'),
});

/** The last line of a list: counts of all sectors, whether listed or not. */
const summary = z.object({
  summary: z.object({
    total: z.int(),
    listed: z.int(),
    needAttention: z.int(),
    byWorkflow: z.record(z.string(), z.int()).describe("by Temporal's status"),
  }),
});

const shown = z.object({
  sector,
  size,
  group,
  priority: z.literal(true).optional(),
  workflow,
  runId: z.string(),
  state,
  phases: z.record(
    phase,
    z.object({
      state: z.string(),
      tries: z.int(),
      host: z.string().optional(),
      seconds: z.number().optional(),
      failure: z.string().optional().describe('the last one, until the phase is done'),
    }),
  ),
  stepsBack: z.int(),
  attention: z.array(
    z.object({ phase, type: z.string(), message: z.string(), hint: z.string(), since: time }),
  ),
  ticket: hex32.optional(),
  ticketEpoch: z.int().optional(),
  ticketLife: z
    .object({ from: time, until: time })
    .optional()
    .describe('when its epoch began, and the last moment at which its pre-commit can land'),
  draws: z.int().optional().describe('tickets that were drawn from the chain'),
  deadline: z
    .object({ what: z.enum(['ticket', 'proof']), at: time })
    .optional()
    .describe('until when the chain waits: for the pre-commit while the ticket lasts, then for the proof'),
  late: z.string().optional().describe('why it will miss its ticket, as a host foresees it'),
  needsMs: z.number().optional().describe('what P1 and P2 still take, while the ticket runs'),
  chain: z.boolean().optional().describe('ticket, seed and landing come from the chain'),
  preCommitEpoch: z.int().optional(),
  seed: hex32.optional(),
  ...commitments,
  storage: storage.optional(),
  bytesFreed: bytes.optional(),
  engines: z
    .array(
      z.object({
        phase,
        host: z.string(),
        at: z.string().describe("`1/P2-3`, below the sector's directory; empty before one is chosen"),
        step: z.string(),
        fraction: z.number().optional(),
        disk: z.object({ disk: z.string(), busy: z.number(), writeWaitMs: z.number() }).optional(),
        copy: z
          .object({
            bytes,
            total: bytes,
            bytesPerSec: z.number().optional(),
            passedOver: z.array(z.string()).optional(),
          })
          .optional(),
      }),
    )
    .describe('what each phase under way last reported'),
  handedBack: z.array(
    z.object({
      phase: phase.optional(),
      type: z.string(),
      why: z.string(),
      nextTry: time.optional().describe('when the server offers it again'),
    }),
  ),
  waits: z.array(z.object({ phase: phase.optional(), queue: z.string(), why: z.string() })),
  inQueue: z
    .array(
      z.object({
        phase,
        since: time,
        tasks: z.int(),
        hosts: z.array(z.string()),
        busy: z
          .object({ slots: z.int(), freeAbout: time.optional() })
          .optional()
          .describe('all their slots are taken; when the first is expected to be free'),
        noRoom: z.string().optional().describe('why none of them takes a new sector'),
      }),
    )
    .describe('tasks that wait for a free host, with how many there are and who serves them'),
});

const onDisk = z.object({
  sector: sector
    .optional()
    .describe('absent where a name is no sector’s: then `path` and `problem` say more'),
  path: z.string(),
  state: z.enum(['begun', 'deleting', 'unknown']),
  workflow: z.enum(['RUNNING', 'none', 'unknown']).describe('`unknown`: Temporal does not answer'),
  runId: z.string().optional(),
  seal: z.looseObject({ ticket: hex32.optional(), size, group }).optional().describe("the workflow's input"),
  done: z.array(z.enum(ENGINE_PHASE_IDS)),
  engines: z.array(
    z.object({ at: z.string(), host: z.string(), step: z.string(), alive: z.boolean().optional() }),
  ),
  usedBytes: bytes.optional(),
  problem: z.string().optional(),
});

const verified = z.object({
  sector,
  node: z.string().optional().describe("the storage node's directory"),
  result: z.enum(['good', 'wrong', 'not checked']),
  size: size.optional(),
  quick: z.boolean(),
  bytes,
  seconds: z.number(),
  checks: z.array(
    z.object({ name: z.string(), ok: z.boolean(), checked: z.literal(false).optional(), found: z.string() }),
  ),
  why: z.string().optional(),
  writtenOn: z.string().optional().describe("the receipt's storage node, where it has another name"),
});
const verifySummary = z.object({
  summary: z.object({
    sectors: z.int(),
    stopped: z.boolean(),
    good: z.int(),
    wrong: z.int(),
    notChecked: z.int(),
    nodes: z.array(
      z.object({
        node: z.string(),
        problem: z.string().optional(),
        noReceipt: z.array(z.string()).optional(),
        unfinished: z.array(z.string()).optional(),
        noName: z.array(z.string()).optional(),
        writtenOn: z.record(z.string(), z.int()),
      }),
    ),
  }),
});

/** By command: each line that it prints has one of these forms. */
export const JSON_FORMS = {
  abort: [answer],
  cancel: [answer],
  doctor: [finding],
  /** With `--wait` the second too. */
  drain: [drained, draining],
  health: [health],
  landed: [answer],
  message: [messageForm],
  priority: [answer],
  retry: [answer],
  seed: [answer],
  setup: [setUp],
  /** With `--wait` the second. */
  start: [started, sealed],
  /** Without arguments, of one sector, with `--on-disk`. */
  status: [listed, summary, shown, onDisk],
  undrain: [drained],
  verify: [verified, verifySummary],
} as const satisfies Record<string, readonly z.ZodType[]>;

export type Answer = z.infer<typeof answer>;
export type Started = z.infer<typeof started>;
export type Sealed = z.infer<typeof sealed>;
export type Listed = z.infer<typeof listed>;
export type ListSummary = z.infer<typeof summary>;
export type Shown = z.infer<typeof shown>;
export type OnDisk = z.infer<typeof onDisk>;

/** JSON Schema of a command's lines: docs/schemas. Open, so that a new field breaks no reader. */
export const jsonSchemaOf = (command: keyof typeof JSON_FORMS): object => {
  const line = z.union([...JSON_FORMS[command]]).meta({ title: `a line of sealflow ${command} --json` });
  return z.toJSONSchema(line, { reused: 'inline', io: 'input' });
};
