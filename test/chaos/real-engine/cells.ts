/** The moments of the matrix with the real engine: P1 to P3 at 8 MiB, hit at what the engine logs. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Moment } from '../matrix/cells.js';
import type { Met } from './log.js';

export const REAL_PHASES = ['P1', 'P2', 'P3'] as const;
export type RealPhase = (typeof REAL_PHASES)[number];

interface Line {
  /** Beginnings of lines, logged one after the other; at the last one the fault is done. */
  logged: readonly string[];
  /** What must hold besides. */
  when?: (met: Met) => boolean;
}

const LINES: Record<RealPhase, Partial<Record<Moment, Line>>> = {
  P1: {
    start: { logged: ['looking for finished layers'] },
    // Layer 1 is recorded within a second, and layer 2 takes longer: it is what a second engine goes on from.
    middle: { logged: ['generating layer: 2'], when: (met) => recordedLabels(met) >= 2 },
    // Of layer 2: it is computed, and nothing of it is recorded.
    end: { logged: ['generating layer: 2', '  storing labels on disk'] },
  },
  P2: {
    start: { logged: ['checking the layers'] },
    middle: { logged: ['tree_c done'] },
    end: { logged: ['trial P3'] },
  },
  P3: {
    start: { logged: ['proving'] },
    // The phase takes 30 ms, and after this line it logs nothing until the proofs are written: its middle and its end are one.
    end: { logged: ['generating interactive vanilla proofs'] },
  },
};

/** Where an engine of the phase is hit; undefined when the phase has no such moment. */
export const lineOf = (phase: RealPhase, moment: Moment): Line | undefined => LINES[phase][moment];

/** What P1 has recorded so far: tree-d, then layers. */
function recordedLabels({ directory }: Met): number {
  try {
    const text = readFileSync(join(directory, 'layers.json'), 'utf8');
    return (JSON.parse(text) as { files: unknown[] }).files.length;
  } catch {
    return 0; // Not there yet. It is never half written.
  }
}
