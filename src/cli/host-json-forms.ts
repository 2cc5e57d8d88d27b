/** What commands of hosts, groups and servers print with `--json` (`json-forms.ts` has those of sectors, and says how). */
import { z } from 'zod';
import { PHASE_IDS } from '../phases.js';

export const setUp = z.object({
  namespace: z
    .object({
      name: z.string(),
      created: z.boolean(),
      retentionRaised: z.boolean(),
      attributesAdded: z.array(z.string()),
    })
    .optional(),
  group: z
    .object({
      v: z.int(),
      group: z.int().min(0),
      namespace: z.string().optional(),
      id: z.uuid(),
      subdirectory: z.string(),
    })
    .optional(),
  engine: z.array(z.string()).optional().describe('the command that runs it'),
  parameters: z.string().optional().describe('their directory'),
});

export const finding = z.looseObject({
  check: z.string(),
  result: z.enum(['ok', 'warn', 'fail', 'skipped']),
  found: z.string(),
  wanted: z.string(),
  hint: z.string(),
});

export const health = z.looseObject({
  healthy: z.boolean(),
  queues: z.array(z.looseObject({ queue: z.string(), who: z.string(), healthy: z.boolean() })),
});

export const drained = z.object({
  host: z.string().describe("`ip` of the host's config.toml"),
  drained: z.boolean(),
  changed: z.boolean().describe('it was not so before'),
  noticed: z
    .boolean()
    .describe('a worker of this machine was told; one elsewhere notices within its wait_sec'),
});
export const draining = z.object({
  host: z.string(),
  running: z
    .array(z.object({ sector: z.string(), phase: z.enum(PHASE_IDS) }))
    .describe('what is still at work; empty: nothing, the last line'),
});

export type Drained = z.infer<typeof drained>;
export type Draining = z.infer<typeof draining>;
