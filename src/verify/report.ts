/** What is found of a stored sector. */
import { z } from 'zod';
import type { SectorSize } from '../phases.js';

const checkResultSchema = z.object({
  /** `proof`, `p_aux`, `challenges`, or a file's name relative to the storage node. */
  name: z.string(),
  ok: z.boolean(),
  /** False for a check that an I/O error has prevented: `found` says which. Absent otherwise. */
  checked: z.literal(false).optional(),
  /** One line for people, of good checks too. */
  found: z.string(),
});
export type CheckResult = z.infer<typeof checkResultSchema>;

/** How far an engine has read, as `check-copy --json` reports it about once a second. */
export const readProgressSchema = z.object({ sector: z.string(), bytes: z.number(), total: z.number() });
export type ReadProgress = z.infer<typeof readProgressSchema>;

/** The last line of `check-copy --json`. */
export const copyReportSchema = z.object({
  v: z.literal(1),
  sector: z.string(),
  ok: z.boolean(),
  bytes: z.number(),
  checks: z.array(checkResultSchema),
});
export type CopyReport = z.infer<typeof copyReportSchema>;

export interface SectorReport {
  /** `t01000/7` */
  sector: string;
  /** The storage node's directory; undefined when none of those given has a receipt. */
  node?: string;
  /** `not checked`: neither good nor wrong is known, since something stood in the way. */
  result: 'good' | 'wrong' | 'not checked';
  /** Of the receipt, where that can be read. */
  size?: SectorSize;
  quick: boolean;
  /** Bytes that were read of the sector's files. */
  bytes: number;
  seconds: number;
  checks: CheckResult[];
  /** What stood in the way. */
  why?: string;
  /** The storage node of the receipt, where that has another name. */
  writtenOn?: string;
}
