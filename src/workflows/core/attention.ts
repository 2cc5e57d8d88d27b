/** When a phase needs a person's attention. */
import { FAILURES, type Failure, type FailureKind } from '../../failures.js';
import type { PhaseId } from '../../phases.js';
import { commROf, hasChangedCommR, type SectorState } from './state.js';

export function needAttention(
  state: SectorState,
  phase: PhaseId,
  type: Failure['type'],
  message: string,
  now: number,
  /** In place of the table's. */
  ownHint?: string,
): void {
  const { hint, repeatedHint }: FailureKind = FAILURES[type];
  const isRepeated = state.phases[phase].stepBacks > 0;
  state.attention[phase] = {
    phase,
    type,
    message,
    hint: withRetry(ownHint ?? (isRepeated ? repeatedHint : undefined) ?? hint, state.seal.sector),
    since: now,
  };
}

/** It goes on only when somebody says so: each hint says how. */
const withRetry = (hint: string, sector: string): string =>
  hint.includes('retry') ? hint : `${hint}; then sealflow retry ${sector}`;

/** commR is published after the first P2; a person must accept a different one. */
export function showCommR(state: SectorState, now: number): void {
  const commR = commROf(state);
  if (hasChangedCommR(state))
    needAttention(state, 'P2', 'ChangedCommR', `commR was ${state.shownCommR}, now it is ${commR}`, now);
  else state.shownCommR = commR;
}
