/**
 * Completes what the Web UI shows of a sector under *Current Details* with what only the server knows: why a phase waits, what an
 * engine does. They are the answer to a query, which the workflow gives and the orchestrator sends: so this is asked for only when
 * somebody looks, is true at that moment, and leaves nothing in the history.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import type { Payload, PayloadCodec, SerializationContext } from '@temporalio/common';
import { describeAll } from '../temporal/ask/describe-now.js';
import { serverView } from '../temporal/ask/server-view.js';
import { WhoServes } from '../temporal/ask/who-serves.js';
import { scopeOf } from '../temporal/ask/why-waiting.js';
import { completed, runOf } from '../workflows/core/completed-details.js';

/** Longer than a server takes; while it is asked, the sector's next step waits. */
const MAX_MS = 2_000;

/** The answer to Temporal's own query `__temporal_workflow_metadata`. */
interface Metadata {
  currentDetails: string;
}

/** All other payloads of a workflow pass as they are. */
export class CurrentDetails implements PayloadCodec {
  constructor(
    private readonly client: Client,
    private readonly maxMs = MAX_MS,
  ) {}

  encode(payloads: Payload[], context?: SerializationContext): Promise<Payload[]> {
    return Promise.all(payloads.map((payload) => this.complete(payload, context)));
  }

  decode(payloads: Payload[]): Promise<Payload[]> {
    return Promise.resolve(payloads);
  }

  private async complete(payload: Payload, context?: SerializationContext): Promise<Payload> {
    const metadata = metadataOf(payload);
    const runId = metadata && runOf(metadata.currentDetails);
    if (!metadata || runId === undefined || context?.type !== 'workflow') return payload;
    const late = sleep(this.maxMs, [], { ref: false });
    const sentences = await Promise.race([this.sentences(context.workflowId, runId), late]);
    const answer = { ...metadata, currentDetails: completed(metadata.currentDetails, sentences) };
    return { ...payload, data: Buffer.from(JSON.stringify(answer)) };
  }

  /** None if the server does not answer: a page that says less is better than none. */
  private async sentences(workflowId: string, runId: string): Promise<string[]> {
    try {
      const { raw, status, typedSearchAttributes } = await this.client.workflow
        .getHandle(workflowId, runId)
        .describe();
      const scope = scopeOf(typedSearchAttributes);
      if (status.name !== 'RUNNING' || !scope) return [];
      return describeAll(await serverView(this.client, raw, scope, new WhoServes(this.client)));
    } catch {
      return [];
    }
  }
}

/** Looks at few bytes of most payloads. */
function metadataOf({ data }: Payload): Metadata | undefined {
  if (!data) return undefined;
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  if (!bytes.includes('"currentDetails"')) return undefined;
  try {
    const parsed = JSON.parse(bytes.toString()) as Partial<Metadata> | null;
    return typeof parsed?.currentDetails === 'string' ? (parsed as Metadata) : undefined;
  } catch {
    return undefined;
  }
}
