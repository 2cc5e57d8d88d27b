/** Activities that do nothing, unless a test gives them something to do. They note what is asked of them, and in which order. */
import { createHash } from 'node:crypto';
import { Context } from '@temporalio/activity';
import { CancelledFailure, type ApplicationFailure } from '@temporalio/common';
import { settle, takeOver } from '../../src/activities/retry-at-server.js';
import { toApplicationFailure, toSealError } from '../../src/activities/temporal-failure.js';
import { CONTRACT_VERSION, type CleanInput, type CleanResult } from '../../src/contract.js';
import type {
  AbortResult,
  PhaseInput,
  PhaseResult,
  SealActivities,
  StopInput,
  StopResult,
} from '../../src/contract.js';
import type { HeartbeatDetails } from '../../src/heartbeat.js';
import { scaledTimes, type EnginePhaseId, type PhaseId } from '../../src/phases.js';
import { workingSignal, type Working } from '../../src/messages.js';
import type { SealError } from '../../src/seal-error.js';
import { eventually } from './eventually.js';

export type FakeId = PhaseId | 'stop' | 'abort';

interface Inputs extends Record<EnginePhaseId, PhaseInput> {
  P6: CleanInput;
  stop: StopInput;
  abort: StopInput;
}

/** What one call does: fails, waits, or runs a function whose result is laid over the usual one. */
export type Step<Input, Result> =
  Error | Held | ((input: Input) => Partial<Result> | Promise<Partial<Result>>);

/** The first call takes the first step, and so on; those behind the last step return the usual result. */
export type Script = { [Phase in EnginePhaseId]?: Step<PhaseInput, PhaseResult>[] } & {
  P6?: Step<CleanInput, CleanResult>[];
  stop?: Step<StopInput, StopResult>[];
  abort?: Step<StopInput, AbortResult>[];
};

const bytes = (text: string, length: number): string =>
  Buffer.alloc(length, createHash('sha256').update(text).digest()).toString('base64');

export const COMM_D = bytes('commD', 32);
export const COMM_R = bytes('commR', 32);
export const OTHER_COMM_R = bytes('another commR', 32);
/** As long as at 32 GiB: ten partitions. */
export const PROOF = bytes('proof', 1920);
export const STORAGE = {
  node: '10.0.0.9',
  sealed: 'sealed/s-t01000-7',
  cache: 'cache/s-t01000-7',
  receipt: 'receipts/s-t01000-7.json',
};

export const hostOf = (phase: PhaseId): string => `10.0.0.${phase.slice(1)}`;

export class Fakes {
  /** `P1 begins`, then `P1 ends`, `P1 fails` or `P1 is cancelled`; across all phases in the order in which it happened. */
  readonly events: string[] = [];
  readonly activities: SealActivities;
  /** Phases that tell the workflow that they work, as hosts do of what lasts. Five events for each: only where it is looked at. */
  tells: readonly PhaseId[] = [];
  private readonly inputs: { [Id in FakeId]: Inputs[Id][] } = {
    P1: [],
    P2: [],
    P3: [],
    P4: [],
    P5: [],
    P6: [],
    stop: [],
    abort: [],
  };

  /** @param scale of their delays; that of the sector if not given */
  constructor(
    script: Script,
    private readonly scale?: number,
  ) {
    const sealPhase = (phase: EnginePhaseId) => (input: PhaseInput) =>
      this.call(phase, input, script[phase], this.resultOf(phase));
    this.activities = {
      preCommitPhase1: sealPhase('P1'),
      preCommitPhase2: sealPhase('P2'),
      commitPhase1: sealPhase('P3'),
      commitPhase2: sealPhase('P4'),
      copySector: sealPhase('P5'),
      cleanSector: (input) => this.call('P6', input, script.P6, cleaned),
      stopSector: (input) => this.call('stop', input, script.stop, { v: CONTRACT_VERSION, stopped: [] }),
      abortSector: (input) =>
        this.call('abort', input, script.abort, { v: CONTRACT_VERSION, stopped: [], bytesFreed: 512 }),
    };
  }

  inputsOf<Id extends FakeId>(id: Id): Inputs[Id][] {
    return this.inputs[id];
  }

  /** How often it has begun. */
  calls(id: FakeId): number {
    return this.inputs[id].length;
  }

  /** The phases in the order in which they began. */
  order(): string[] {
    return this.events.filter((event) => event.endsWith('begins')).map((event) => event.split(' ')[0] ?? '');
  }

  /** Asserts that one event happened before the last time that another one did. */
  expectOrder(first: string, second: string): void {
    const [before, behind] = [this.events.indexOf(first), this.events.lastIndexOf(second)];
    if (before < 0 || before >= behind)
      throw new Error(`"${first}" is not before "${second}": ${this.events.join(', ')}`);
  }

  /** Waits until a phase has begun that often. */
  begun(id: FakeId, times = 1): Promise<void> {
    return eventually(() => this.calls(id) >= times);
  }

  private async call<Id extends FakeId, Result>(
    id: Id,
    input: Inputs[Id],
    steps: Step<Inputs[Id], Result>[] | undefined,
    usual: Result,
  ): Promise<Result> {
    const inputs: Inputs[Id][] = this.inputs[id];
    inputs.push(input);
    const step = steps?.[inputs.length - 1];
    this.events.push(`${id} begins`);
    try {
      if (id !== 'stop' && id !== 'abort' && this.tells.includes(id))
        await tell({ phase: id, host: hostOf(id) });
      const changes = await take(step, input);
      this.events.push(`${id} ends`);
      return { ...usual, ...changes };
    } catch (error) {
      this.events.push(`${id} ${error instanceof CancelledFailure ? 'is cancelled' : 'fails'}`);
      if (error instanceof CancelledFailure) throw error;
      const host = hostOf(id === 'stop' || id === 'abort' ? 'P6' : id);
      throw settled(toSealError(error, host), id, this.scale ?? input.seal.timeScale);
    }
  }

  private resultOf(phase: EnginePhaseId): PhaseResult {
    const usual = { v: CONTRACT_VERSION, phase, host: hostOf(phase), seconds: 1.5 } as const;
    const own = {
      P1: { commD: COMM_D },
      P2: { commD: COMM_D, commR: COMM_R },
      P3: {},
      P4: { proof: PROOF },
      P5: { node: STORAGE.node },
    }[phase];
    const inputs = this.inputs;
    return {
      ...usual,
      ...own,
      // Asked for when the phase has ended: the attempt's number is that of the call.
      get at() {
        return `1/${phase}-${inputs[phase].length}`;
      },
      get digest() {
        return createHash('sha256').update(this.at).digest('hex');
      },
    };
  }
}

async function tell(working: Working): Promise<void> {
  const { client, info } = Context.current();
  await client.workflow.getHandle(info.workflowExecution?.workflowId ?? '').signal(workingSignal, working);
}

const cleaned: CleanResult = {
  v: CONTRACT_VERSION,
  host: hostOf('P6'),
  seconds: 1.5,
  storage: STORAGE,
  bytesFreed: 500_000_000_000,
};

/** Like the real activities: what only needs time is retried by Temporal, and what they count travels in the heartbeat. */
function settled(error: SealError, id: FakeId, scale = 1): ApplicationFailure {
  const { info } = Context.current();
  const { attempt, priority } = info;
  const before = info.heartbeatDetails as HeartbeatDetails | undefined;
  const { delayMs, carried } = settle(error, takeOver(before?.carried, attempt), {
    attempt,
    priority: priority?.priorityKey,
    times: scaledTimes(scale),
    isStop: id === 'stop' || id === 'abort',
  });
  Context.current().heartbeat({ ...before, carried });
  return toApplicationFailure(error, delayMs);
}

async function take<Input, Result>(
  step: Step<Input, Result> | undefined,
  input: Input,
): Promise<Partial<Result>> {
  if (step instanceof Error) throw step;
  if (step instanceof Held) await step.wait();
  return typeof step === 'function' ? await step(input) : {};
}

/** Typed fakes of all seven activities. */
export const fakeActivities = (script: Script = {}, scale?: number): Fakes => new Fakes(script, scale);

const HEARTBEAT_EVERY_MS = 50;

/** A call that goes on until it is let go or cancelled; its heartbeats bring the cancellation. */
export class Held {
  private letGo: () => void = () => undefined;
  private readonly released = new Promise<void>((resolve) => (this.letGo = resolve));

  constructor(private readonly heartbeats: boolean) {}

  release(): void {
    this.letGo();
  }

  /** @throws CancelledFailure */
  wait(): Promise<void> {
    return this.beating(Promise.race([this.released, Context.current().cancelled]));
  }

  /** Goes on in spite of a cancellation. */
  waitToTheEnd(): Promise<void> {
    return this.beating(this.released);
  }

  private async beating(end: Promise<void>): Promise<void> {
    const context = Context.current();
    const timer = this.heartbeats
      ? setInterval(() => context.heartbeat(context.info.heartbeatDetails), HEARTBEAT_EVERY_MS)
      : undefined;
    try {
      await end;
    } finally {
      clearInterval(timer);
    }
  }
}

export const held = (): Held => new Held(true);
/** As on a host that is cut off: it goes on, and nobody hears of it. */
export const heldInSilence = (): Held => new Held(false);

/** The same step `times` times. */
export const repeat = <T>(times: number, step: T): T[] => Array.from({ length: times }, () => step);
