/** The worker's log of phases: one line for each begin and each end. What is no news, hand-backs that repeat, is left out. */
import { FAILURES } from '../failures.js';
import type { PhaseId } from '../phases.js';
import type { SealError } from '../seal-error.js';
import type { Log } from '../telemetry.js';
import { bounded } from './temporal-failure.js';

/** A sector (`t01000/7`) in a phase. */
interface Work {
  sector: string;
  phase: PhaseId;
}

interface Begun {
  /** The attempt, `1/P2-3`; P6 has none. */
  at?: string | undefined;
  pid?: number | undefined;
  /** In ms of this process' clock. */
  startedAt: number;
}

/** Hand-backs of this many sectors are remembered: a busy group's come again and again. */
const REMEMBERED = 1_000;
/** One line; the attempt's log has the rest. */
const MESSAGE_BYTES = 500;

export class Journal {
  private readonly begun = new Map<string, Begun>();
  /** The last hand-back of each sector and phase. */
  private readonly handedBack = new Map<string, string>();

  constructor(private readonly log: Log) {}

  /** @param isAdopted the engine was at work before this task came */
  begins(
    work: Work,
    { at, pid, isAdopted = false }: Omit<Begun, 'startedAt'> & { isAdopted?: boolean } = {},
  ): void {
    const key = keyOf(work);
    const before = this.begun.get(key);
    if (before && before.at === at && before.pid === pid) return;
    this.begun.set(key, { at, pid, startedAt: performance.now() });
    this.handedBack.delete(key);
    this.log.info(`${key} ${isAdopted ? 'goes on' : 'begins'}${listOf(at, pid)}`);
  }

  /** @param seconds that the phase took, if it is known better than from here */
  ends(work: Work, { at, seconds }: { at?: string | undefined; seconds?: number | undefined }): void {
    const begun = this.take(work);
    // Without a begin the result was there already.
    if (begun) this.log.info(`${keyOf(work)} done${listOf(at, begun.pid)}, ${secondsOf(begun, seconds)}`);
  }

  /** It was stopped, taken back, or the server has given it up: the workflow knows why. */
  cancelled(work: Work): void {
    const begun = this.take(work);
    if (begun)
      this.log.info(`${keyOf(work)} ended from outside${listOf(begun.at, begun.pid)}, ${secondsOf(begun)}`);
  }

  fails(work: Work, { type, message, details }: SealError): void {
    const { recovery, hint } = FAILURES[type];
    const key = keyOf(work);
    const begun = this.take(work);
    const reason = `${type}: ${bounded(message, MESSAGE_BYTES).replaceAll('\n', ' ')}; ${hint}`;
    if (recovery !== 'hand back') {
      const level = ['reschedule', 'await landed', 'new ticket'].includes(recovery) ? 'info' : 'warn';
      const after = begun ? `, ${secondsOf(begun)}` : '';
      this.log[level](
        `${key} ${level === 'info' ? 'let go' : 'failed'}${listOf(details.at ?? begun?.at, begun?.pid)}${after}: ${reason}`,
      );
      return;
    }
    // A full pool is as it should be.
    if (type === 'NoSlot' || (this.handedBack.get(key) === type && !begun)) return;
    this.remember(key, type);
    this.log.info(`${key} handed back: ${reason}`);
  }

  /** Something that stops nothing. */
  warns(work: { sector: string; phase: PhaseId | 'abort' }, message: string): void {
    this.log.warn(`${work.sector} ${work.phase}: ${bounded(message, MESSAGE_BYTES).replaceAll('\n', ' ')}`);
  }

  private take(work: Work): Begun | undefined {
    const begun = this.begun.get(keyOf(work));
    this.begun.delete(keyOf(work));
    return begun;
  }

  private remember(key: string, type: string): void {
    this.handedBack.set(key, type);
    const [oldest] = this.handedBack.keys();
    if (this.handedBack.size > REMEMBERED && oldest !== undefined) this.handedBack.delete(oldest);
  }
}

const keyOf = ({ sector, phase }: Work): string => `${sector} ${phase}`;

const listOf = (at: string | undefined, pid: number | undefined): string =>
  `${at ? `: ${at}` : ''}${pid === undefined ? '' : `, engine ${pid}`}`;

const secondsOf = ({ startedAt }: Begun, seconds = (performance.now() - startedAt) / 1000): string =>
  `${seconds.toFixed(1)} s`;
