/** Calls one after the other: at most one is outstanding, and it has a deadline. */

/** What a call can ask while it is under way. */
export interface CallContext {
  /** Nobody waits for the outcome any more: what it makes now would be rubbish. */
  readonly abandoned: boolean;
}

export interface SerialQueueOptions {
  /** A call is looked at this often, in ms. */
  everyMs: number;
  /**
   * After this many of these looks it counts as hung. More than one, so that a process that was stopped itself, or whose
   * host slept, does not call everything hung when it goes on: however long that took, it is one look.
   */
  looks: number;
  /** Told at each look at a call that does not count as hung yet. */
  onInspected?: () => void;
  /** Told when the outstanding call has passed its deadline; gives up what waits. */
  onHung: () => void;
}

interface Outstanding extends CallContext {
  abandoned: boolean;
  hung: boolean;
  since: number;
  reject: (error: Error) => void;
}

interface Waiting {
  begin: () => void;
  reject: (error: Error) => void;
}

export class SerialQueue {
  private outstanding: Outstanding | undefined;
  private waiting: Waiting[] = [];

  constructor(private readonly options: SerialQueueOptions) {}

  /** When the outstanding call began, in ms since 1970, if it has passed its deadline. */
  get hungSince(): number | undefined {
    return this.outstanding?.hung ? this.outstanding.since : undefined;
  }

  get isIdle(): boolean {
    return !this.outstanding;
  }

  /** Runs `call` when those before it have come back. @throws what it throws, or what {@link rejectPending} is given. */
  run<T>(call: (turn: CallContext) => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const begin = (): void => void this.begin(call, resolve, reject);
      if (this.outstanding) this.waiting.push({ begin, reject });
      else begin();
    });
  }

  /** Tells all callers so. The outstanding call itself cannot be called back: the lane is taken until it returns. */
  rejectPending(error: Error): void {
    const { outstanding, waiting } = this;
    this.waiting = [];
    if (outstanding) {
      outstanding.abandoned = true;
      outstanding.reject(error);
    }
    for (const { reject } of waiting) reject(error);
  }

  private async begin<T>(
    call: (turn: CallContext) => Promise<T>,
    resolve: (value: T) => void,
    reject: (error: unknown) => void,
  ): Promise<void> {
    const turn: Outstanding = { abandoned: false, hung: false, since: Date.now(), reject };
    this.outstanding = turn;
    const timer = this.watch(turn);
    try {
      resolve(await call(turn));
    } catch (error) {
      reject(error);
    } finally {
      clearInterval(timer);
      this.outstanding = undefined;
      this.waiting.shift()?.begin();
    }
  }

  private watch(turn: Outstanding): NodeJS.Timeout {
    const { everyMs, looks, onInspected, onHung } = this.options;
    let seen = 0;
    const timer = setInterval(() => {
      seen += 1;
      if (seen < looks) return onInspected?.();
      clearInterval(timer);
      turn.hung = true;
      onHung();
    }, everyMs);
    return timer.unref();
  }
}
