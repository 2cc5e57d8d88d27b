/**
 * What the chaos tests have done and found, for the table at the end of `npm run chaos`: lines of JSON in the file that
 * SEALFLOW_CHAOS_TALLY names, summed by test file in scripts/tally.mjs. Without the variable nothing is written.
 */
import { appendFileSync } from 'node:fs';
import { expect } from 'vitest';

export interface Figures {
  /** Things broken on purpose: a process killed, a byte flipped, a cable cut. */
  faults: number;
  /** Sectors whose workflow was started. What is begun and not sealed when all is over counts as lost. */
  begun: number;
  /** Sectors that were meant to end otherwise, and did: aborted, cancelled. */
  ended: number;
  sealed: number;
  /** Sectors of 8 MiB that went through P3 with the real engine, where they end: they are not lost, and not sealed. */
  throughP3: number;
  /** Sealed (or through P3), but not as the undisturbed sector: commR, a digest or the proof. */
  wrong: number;
  /** Engines that live when their sector is sealed (or aborted), scratch or parts of copies that are left. */
  orphans: number;
  /** Layers (and trees-d) of P1 that were computed more than once. */
  layersAgain: number;
  /** Engines of P2 to P5 beyond the first one of each. */
  phasesAgain: number;
}

/** Adds to the figures. Call it before the assertion that may end the test, not behind it. */
export function tally(figures: Partial<Figures>): void {
  const path = process.env['SEALFLOW_CHAOS_TALLY'];
  const file = expect.getState().testPath;
  // One small append is atomic: test files run side by side.
  if (path) appendFileSync(path, `${JSON.stringify({ file, ...figures })}\n`);
}
