/** What a workflow knows of its sector, and how that changes. What people see of it is in `show.ts` and `status.ts`. */
import { condition } from '@temporalio/workflow';
import {
  CONTRACT_VERSION,
  type CleanInput,
  type CleanResult,
  type PhaseInput,
  type PhaseResult,
  type ResultRef,
  type SealInput,
  type SealResult,
} from '../contract.js';
import { FAILURES } from '../errors.js';
import type { Failure } from './failure-of.js';
import type { Attention, PhaseStatus, SealState } from '../messages.js';
import {
  BASIS,
  ENGINE_PHASE_IDS,
  PHASE_IDS,
  scaledTimes,
  type EnginePhaseId,
  type PhaseId,
  type Times,
} from '../phases.js';
import { show, showPhaseDone } from './show.js';
import { StepBacks, takenBack, type StepBack } from './step-back.js';

export class Sector {
  readonly scale: number;
  readonly times: Times;
  results: Partial<Record<EnginePhaseId, PhaseResult>> = {};
  readonly phases = Object.fromEntries(PHASE_IDS.map((id) => [id, { state: 'waiting', tries: 0 }])) as Record<
    PhaseId,
    PhaseStatus
  >;
  readonly attention = new Map<PhaseId, Attention>();
  /** See PhaseInput. */
  claim = 1;
  readonly backs = new StepBacks();
  /** Upstream has told that the proof is on chain. */
  landed = false;
  waitsFor: 'seed' | 'landed' | undefined;

  private readonly voided: string[] = [];
  private readonly told = new Map<PhaseId, string>();
  private retries = 0;
  /** P6 has renamed the scratch away. */
  private stored = false;
  shownCommR: string | undefined;
  /** Why, set by the update `abort`: the pass ends, and the sector's files are deleted. */
  abortAsked: string | undefined;
  ending:
    { state: 'stopping' | 'aborting' | 'aborted' } | { state: 'sealed'; cleaned: CleanResult } | undefined;

  constructor(public seal: SealInput) {
    this.scale = seal.timeScale ?? 1;
    this.times = scaledTimes(this.scale);
  }

  // ---- phases ----

  running(phase: PhaseId): void {
    this.phases[phase].state = 'running';
    this.phases[phase].tries += 1;
    show(this);
  }

  failed(phase: PhaseId, failure: Failure): void {
    this.phases[phase].failure = `${failure.type}: ${failure.message}`;
    // The run's own later claims, from before its database was restored to an earlier state.
    this.claim = Math.max(this.claim, failure.details.claim ?? 0);
    this.stored ||= failure.details.stored === true;
    if (failure.details.at) this.told.set(phase, failure.details.at);
  }

  finished(phase: EnginePhaseId, result: PhaseResult): void {
    this.results[phase] = result;
    this.done(phase, result);
  }

  sealed(cleaned: CleanResult): SealResult {
    this.done('P6', cleaned);
    this.ending = { state: 'sealed', cleaned };
    show(this);
    return {
      v: CONTRACT_VERSION,
      sector: this.seal.sector,
      commR: this.results.P2?.commR ?? '',
      commD: this.results.P2?.commD ?? '',
      proof: this.results.P4?.proof ?? '',
      storage: cleaned.storage,
      bytesFreed: cleaned.bytesFreed,
    };
  }

  private done(phase: PhaseId, { host, seconds }: { host: string; seconds: number }): void {
    const { tries } = this.phases[phase];
    this.phases[phase] = { state: 'done', tries, host, seconds };
    this.backs.forget(phase);
    showPhaseDone(this);
  }

  phaseInput(phase: EnginePhaseId): PhaseInput {
    return {
      v: CONTRACT_VERSION,
      phase,
      seal: this.seal,
      claim: this.claim,
      basis: Object.fromEntries(BASIS[phase].map((id) => [id, this.ref(id)])),
      voided: this.voided,
      told: this.told.get(phase),
    };
  }

  cleanInput(): CleanInput {
    const results = Object.fromEntries(ENGINE_PHASE_IDS.map((id) => [id, this.ref(id)]));
    return {
      v: CONTRACT_VERSION,
      seal: this.seal,
      claim: this.claim,
      results: results as Record<EnginePhaseId, ResultRef>,
      ...(this.landed && { landed: true }),
    };
  }

  private ref(phase: EnginePhaseId): ResultRef {
    const result = this.results[phase];
    if (!result) throw new Error(`${phase} has no result yet`);
    return { at: result.at, digest: result.digest };
  }

  // ---- waiting ----

  /** Waits before another try, doubling from `backoffFirst` on; an operator's retry ends the wait. */
  async pause(phase: PhaseId, before: number): Promise<void> {
    this.phases[phase].state = 'backoff';
    show(this);
    const { backoffFirst, backoffMost } = this.times;
    const { retries } = this;
    await condition(() => this.retries > retries, Math.min(backoffFirst * 2 ** before, backoffMost));
  }

  /** Waits for `retry`, losing nothing. */
  async needsAttention(phase: PhaseId, { type, message }: Failure): Promise<void> {
    const { hint } = FAILURES[type];
    this.phases[phase].state = 'needs-attention';
    this.attention.set(phase, { phase, type, message, hint, since: Date.now() });
    show(this);
    const { retries } = this;
    try {
      await condition(() => this.retries > retries);
      this.backs.forget(phase);
      if (type === 'ClaimedByOther') this.claim += 1;
    } finally {
      this.attention.delete(phase);
    }
  }

  retryNow(): void {
    this.retries += 1;
  }

  waitsForRetry(): boolean {
    return Object.values(this.phases).some(({ state }) => state === 'needs-attention' || state === 'backoff');
  }

  /** P6 is under way: what it deletes cannot be asked back. */
  cleaning(): boolean {
    return this.stored || ['running', 'backoff', 'done'].includes(this.phases.P6.state);
  }

  abort(why: string): void {
    this.abortAsked = why;
    this.backs.endPass();
  }

  // ---- commR ----

  /** commR was shown to the world after the first P2; another one must be accepted by a person. */
  async commRAccepted(): Promise<void> {
    const commR = this.results.P2?.commR;
    this.shownCommR ??= commR;
    while (this.shownCommR !== undefined && this.shownCommR !== commR) {
      const message = `commR was ${this.shownCommR}, now it is ${commR}`;
      await this.needsAttention('P2', { type: 'ChangedCommR', message, details: {} });
    }
    this.phases.P2.state = 'done';
    this.shownCommR = commR;
  }

  asksForCommR(): boolean {
    return this.attention.get('P2')?.type === 'ChangedCommR';
  }

  acceptCommR(): void {
    this.shownCommR = undefined;
    this.retryNow();
  }

  // ---- going back ----

  /** Takes back what the step back says; {@link StepBacks} counts it. */
  stepBack(back: StepBack): void {
    this.backs.count += 1;
    // Whatever a cut-off host still does for the old state of affairs must not count as the newest try.
    this.claim += 1;
    // What has landed was the proof before.
    if (takenBack(back).includes('P4')) this.landed = false;
    for (const phase of takenBack(back)) {
      this.phases[phase].state = 'waiting';
      if (phase === 'P6') continue;
      const result = this.results[phase];
      if (result && (back.voids === 'all' || (back.voids === 'one' && phase === back.to))) {
        this.voided.push(result.at);
      }
      this.results = { ...this.results, [phase]: undefined };
    }
  }

  /** Whether there is something to take back: else the phase is still to come. */
  hasBegun(back: StepBack): boolean {
    return takenBack(back).some((phase) => this.phases[phase].state !== 'waiting');
  }

  newTicket(ticket: string): void {
    const { seed: _of, ticketEpoch: _drawnAt, ...rest } = this.seal;
    this.seal = { ...rest, ticket };
    this.shownCommR = undefined;
    this.landed = false;
  }

  // ---- to people ----

  ends(state: 'stopping' | 'aborting' | 'aborted'): void {
    this.ending = { state };
    show(this);
  }

  state(): SealState {
    if (this.ending) return this.ending.state;
    if (this.attention.size > 0) return 'needs-attention';
    return this.waitsFor ? `waiting-for-${this.waitsFor}` : 'running';
  }
}
