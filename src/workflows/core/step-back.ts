/** Going back to an earlier phase: what that takes back. */
import { ENGINE_PHASE_IDS, PHASE_IDS } from '../../phases.js';
import { showCommR } from './attention.js';
import { hasChangedCommR, takenBack, type SectorState, type StepBack } from './state.js';

/** The pass has ended: follows what was asked for. */
export function rewind(state: SectorState, now: number): void {
  const backs = state.pendingStepBacks;
  state.pendingStepBacks = [];
  for (const back of backs) takeBack(state, back);
  state.stepsBack += backs.length;
  // Whatever a cut-off host still does for the old state of affairs must not count as the newest try.
  state.claim += 1;
  stopAll(state);
  // Phases that are asked for again report again what is wrong with them; a commR that nobody has accepted stays unaccepted.
  state.attention = {};
  if (hasChangedCommR(state)) showCommR(state, now);
}

function takeBack(state: SectorState, back: StepBack): void {
  const phases = takenBack(back);
  // What has landed was the proof before.
  if (phases.includes('P4')) state.landed = false;
  for (const phase of phases) {
    const { host: _where, seconds: _howLong, ...record } = state.phases[phase];
    state.phases[phase] = record;
    // A person, who may have mended what was wrong: faults are counted anew, as after any other retry.
    if (back.invalidates !== 'one') Object.assign(record, { interruptions: 0, stepBacks: 0 });
  }
  for (const phase of ENGINE_PHASE_IDS.filter((id) => phases.includes(id))) {
    const result = state.results[phase];
    const isInvalid = back.invalidates === 'all' || (back.invalidates === 'one' && phase === back.to);
    if (result && isInvalid) state.invalidated.push(result.at);
    state.results = without(state.results, phase);
  }
}

/** None of its activities is under way any more. */
export function stopAll(state: SectorState): void {
  for (const phase of PHASE_IDS) {
    state.phases[phase].active = false;
    state.phases[phase].backingOff = false;
  }
}

export function without<T extends object>(all: T, key: keyof T): T {
  return Object.fromEntries(Object.entries(all).filter(([name]) => name !== key)) as T;
}
