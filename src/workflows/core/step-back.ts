/** Going back to an earlier phase: which results are dropped and which are invalidated. */
import { ENGINE_PHASE_IDS, PHASE_IDS } from '../../phases.js';
import { showCommR } from './attention.js';
import { hasChangedCommR, takenBack, type SectorState, type StepBack } from './state.js';

/** Applies the pending step backs. Called when the pass has ended. */
export function rewind(state: SectorState, now: number): void {
  const stepBacks = state.pendingStepBacks;
  state.pendingStepBacks = [];
  for (const stepBack of stepBacks) resetPhases(state, stepBack);
  state.stepsBack += stepBacks.filter(({ isDraw }) => !isDraw).length;
  // A host that is cut off may still be working for the old claim; its attempts must not count as the newest.
  state.claim += 1;
  stopAll(state);
  // Phases that run again report their problems again. A changed commR stays unaccepted until somebody accepts it.
  state.attention = {};
  if (hasChangedCommR(state)) showCommR(state, now);
}

function resetPhases(state: SectorState, stepBack: StepBack): void {
  const phases = takenBack(stepBack);
  // It was the previous proof that landed.
  if (phases.includes('P4')) state.landed = false;
  for (const phase of phases) {
    const { host: _where, seconds: _howLong, ...record } = state.phases[phase];
    state.phases[phase] = record;
    // A person, who may have mended what was wrong: faults are counted anew, as after any other retry.
    if (stepBack.invalidates !== 'one') Object.assign(record, { interruptions: 0, stepBacks: 0 });
  }
  for (const phase of ENGINE_PHASE_IDS.filter((id) => phases.includes(id))) {
    const result = state.results[phase];
    const isInvalid =
      stepBack.invalidates === 'all' || (stepBack.invalidates === 'one' && phase === stepBack.to);
    if (result && isInvalid) state.invalidated.push(result.at);
    state.results = without(state.results, phase);
  }
}

/** Records that no activity is running or due. */
export function stopAll(state: SectorState): void {
  for (const phase of PHASE_IDS) {
    state.phases[phase].active = false;
    delete state.phases[phase].workingOn;
    state.phases[phase].backingOff = false;
  }
}

export function without<T extends object>(all: T, key: keyof T): T {
  return Object.fromEntries(Object.entries(all).filter(([name]) => name !== key)) as T;
}
