/** One stored sector, checked by an engine of its own (`check-copy`, docs/engine-protocol.md). */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Engine } from '../engines/engine.js';
import { describeEnd, runBound, type RunResult } from '../machine/run-bound.js';
import { MountHungError } from '../mounts/mounts.js';
import { statfs } from '../mounts/remote-fs.js';
import { UserError } from '../user-error.js';
import {
  copyReportSchema,
  readProgressSchema,
  type CopyReport,
  type ReadProgress,
  type SectorReport,
} from './report.js';

export interface CheckCopyOptions {
  /** Leave the large files unread. */
  quick: boolean;
  /** Interval at which the node is polled while the engine reads, in ms. */
  pollEveryMs: number;
  /** Ends the engine. */
  signal?: AbortSignal | undefined;
  onProgress?: ((progress: ReadProgress) => void) | undefined;
}

/** Exit codes of an engine that has made all checks. */
const GOOD = 0;
const WRONG = 6;
const BAD_INPUT = 2;

/** The outcome; with `not checked` also the checks that were made, if the engine reported them. */
export type CopyResult = Pick<SectorReport, 'result' | 'bytes' | 'checks' | 'why'>;

/**
 * Checks a sector from its receipt.
 * @param receipt path of a receipt on `node`
 * @throws MountHungError, without waiting for the engine; UserError when the engine cannot do this at all; the signal's reason, when
 *   the engine is gone
 */
export async function checkCopy(
  engine: Engine,
  receipt: string,
  node: string,
  { quick, pollEveryMs, signal, onProgress }: CheckCopyOptions,
): Promise<CopyResult> {
  const [program, ...first] = engine.command;
  const args = [...first, 'check-copy', receipt, node, '--json', ...(quick ? ['--quick'] : [])];
  let report: CopyReport | undefined;
  const onStdout = (line: string): void => {
    const message = parse(line);
    const progress = readProgressSchema.safeParse(message).data;
    if (progress) onProgress?.(progress);
    else report = copyReportSchema.safeParse(message).data ?? report;
  };
  const [over, hung] = [new AbortController(), new AbortController()];
  const abort = signal ? AbortSignal.any([signal, hung.signal]) : hung.signal;
  const run = runBound(program, args, { env: engine.environment, signal: abort, onStdout });
  try {
    const end = await Promise.race([run, untilHung(node, pollEveryMs, over.signal)]);
    return resultOf(engine, end, report);
  } catch (error) {
    if (error instanceof MountHungError) {
      // It ends when the mount is back, and not before: nothing can wait for that.
      run.catch(() => undefined);
      hung.abort();
    }
    throw error;
  } finally {
    over.abort();
  }
}

function resultOf(engine: Engine, end: RunResult, report: CopyReport | undefined): CopyResult {
  const { bytes, checks } = report ?? { bytes: 0, checks: [] };
  if (report?.ok && end.code === GOOD) return { result: 'good', bytes, checks };
  if (report && !report.ok && end.code === WRONG) return { result: 'wrong', bytes, checks };
  // Not in the protocol, but better reported once than for each sector.
  if (end.code === BAD_INPUT && end.tail.some((line) => /usage:|no such command/.test(line))) {
    throw new UserError(`${engine.command.join(' ')} is of an older version: it has no check-copy`, {
      hint: `it comes from ${engine.source}; \`sealflow setup --engine\` builds the one that belongs to this sealflow`,
    });
  }
  const done = end.code === GOOD || end.code === WRONG;
  const why = done ? `the engine gave no report: ${describeEnd(end)}` : describeEnd(end);
  return { result: 'not checked', bytes, checks, why };
}

/** @throws MountHungError */
async function untilHung(node: string, everyMs: number, over: AbortSignal): Promise<never> {
  for (;;) {
    await sleep(everyMs, undefined, { signal: over });
    // The engine detects any other problem of the node itself.
    await statfs(node).catch((error: unknown) => {
      if (error instanceof MountHungError) throw error;
    });
  }
}

/** @returns undefined where the line is not JSON */
function parse(line: string): unknown {
  try {
    return JSON.parse(line) as unknown;
  } catch {
    return undefined;
  }
}
