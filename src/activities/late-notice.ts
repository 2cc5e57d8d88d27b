/** Tells the workflow that its sector will miss its ticket, and if that is no longer so: once each. */
import { Context } from '@temporalio/activity';
import { lateSignal } from '../messages.js';
import type { PhaseId } from '../phases.js';

export class LateNotice {
  private sending: Promise<void> | undefined;

  constructor(
    private readonly phase: PhaseId,
    /** Whether the workflow was told so before. */
    private told: boolean,
    private readonly onTold: (late: boolean) => void,
  ) {}

  /** What the workflow believes. */
  get isTold(): boolean {
    return this.told;
  }

  /** To be called with each judgement: it is told when it is another one, and again if that failed. */
  judged(why: string | undefined): void {
    if (this.sending || this.told === (why !== undefined)) return;
    this.sending = this.send(why).finally(() => (this.sending = undefined));
  }

  private async send(why: string | undefined): Promise<void> {
    try {
      const { client, info } = Context.current();
      const { workflowId = '', runId } = info.workflowExecution ?? {};
      const late = { phase: this.phase, ...(why !== undefined && { why }) };
      await client.workflow.getHandle(workflowId, runId).signal(lateSignal, late);
      this.told = why !== undefined;
      this.onTold(this.told);
    } catch {
      // The run may have ended, or the server be away: it is told again while work goes on.
    }
  }
}
