/** Runs calls one at a time, each with a deadline. */

/** State that a call can check while it runs. */
export interface CallContext {
  /** The caller no longer waits for the result: the call should stop and clean up. */
  readonly abandoned: boolean;
}

export interface SerialQueueOptions {
  /** Interval in ms at which the outstanding call is checked. */
  everyMs: number;
  /**
   * The call counts as hung at this check. More than one, so that a process that was stopped, or whose host was
   * suspended, does not report everything as hung when it resumes: however long the pause, it counts as one
   * check.
   */
  maxChecks: number;
  /** Called at each check of a call that does not count as hung yet. */
  onInspected?: () => void;
  /** Called when the outstanding call has passed its deadline; should reject the pending calls. */
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

  /**
   * Runs `call` after all earlier ones have returned.
   * @throws what it throws, or the error of {@link rejectPending}
   */
  run<T>(call: (turn: CallContext) => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const begin = (): void => void this.begin(call, resolve, reject);
      if (this.outstanding) this.waiting.push({ begin, reject });
      else begin();
    });
  }

  /** Rejects all callers. The outstanding call cannot be cancelled: it occupies the queue until it returns. */
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
    const { everyMs, maxChecks, onInspected, onHung } = this.options;
    let checks = 0;
    const timer = setInterval(() => {
      checks += 1;
      if (checks < maxChecks) return onInspected?.();
      clearInterval(timer);
      turn.hung = true;
      onHung();
    }, everyMs);
    return timer.unref();
  }
}
