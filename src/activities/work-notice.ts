/**
 * Tells the workflow that work goes on here, or has ended with something that the server retries: the workflow itself
 * sees only that a task was scheduled and how it ended at last. That costs the sector five events, so it is told only of work that
 * has lasted for a while; heartbeats tell of it at once.
 */
import { Context } from '@temporalio/activity';
import { workingSignal } from '../messages.js';
import type { PhaseId } from '../phases.js';

export class WorkNotice {
  /** What the workflow was told last; that of an earlier attempt, if it was told by this host. */
  private told: boolean;
  private sending: Promise<void> | undefined;
  private timer: NodeJS.Timeout | undefined;
  private isDue = false;

  constructor(
    private readonly phase: PhaseId,
    private readonly host: string,
    /** The host that an earlier attempt of this task has told. */
    before: string | undefined,
    private readonly onTold: (host: string | undefined) => void,
  ) {
    this.told = before === host;
  }

  /** To be called whenever work is seen to go on: once it has for `afterMs` it is told once, and again if that failed. */
  working(afterMs: number): void {
    if (this.isDue) this.tell();
    else
      this.timer ??= setTimeout(() => {
        this.isDue = true;
        this.tell();
      }, afterMs);
  }

  /** The task ends. */
  stop(): void {
    clearTimeout(this.timer);
  }

  /** The task has ended, and the server will offer it again. */
  async ended(): Promise<void> {
    await this.sending;
    if (this.told) await this.send(undefined);
  }

  private tell(): void {
    if (this.told || this.sending) return;
    this.sending = this.send(this.host).finally(() => (this.sending = undefined));
  }

  private async send(host: string | undefined): Promise<void> {
    try {
      const { client, info } = Context.current();
      const { workflowId = '', runId } = info.workflowExecution ?? {};
      const working = { phase: this.phase, ...(host !== undefined && { host }) };
      await client.workflow.getHandle(workflowId, runId).signal(workingSignal, working);
      this.told = host !== undefined;
      this.onTold(host);
    } catch {
      // Only what lists show depends on it. The run may have ended, or the server be away: it is told again while work goes on.
    }
  }
}
