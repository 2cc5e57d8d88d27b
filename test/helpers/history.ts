/** Reading a workflow's history. */
import type { WorkflowHandle } from '@temporalio/client';
import { defaultPayloadConverter } from '@temporalio/common';
import type { History } from '@temporalio/common/lib/proto-utils.js';

export interface Scheduled {
  activity: string;
  queue: string;
  /** 1 comes first. */
  priority: number | undefined;
  summary: string | undefined;
}

/** The activities in the order in which the workflow asked for them. */
export function scheduled(history: History): Scheduled[] {
  return (history.events ?? []).flatMap((event) => {
    const attributes = event.activityTaskScheduledEventAttributes;
    if (!attributes) return [];
    const summary = event.userMetadata?.summary;
    return {
      activity: attributes.activityType?.name ?? '',
      queue: attributes.taskQueue?.name ?? '',
      priority: attributes.priority?.priorityKey ?? undefined,
      summary: summary ? defaultPayloadConverter.fromPayload<string>(summary) : undefined,
    };
  });
}

/** Bytes of the largest payload: input, result, failure details, summary, whatever. */
export const largestPayload = (history: History): number => Math.max(...payloads(history));

function payloads(value: unknown): number[] {
  if (value === null || typeof value !== 'object') return [];
  if ('data' in value && value.data instanceof Uint8Array) return [value.data.length];
  return Object.values(value).flatMap(payloads);
}

/** The events that depend on the sector alone: all but those of workflow tasks, which come and go as workers do. */
export async function storyOf(handle: WorkflowHandle): Promise<string[]> {
  const { events } = await handle.fetchHistory();
  const kinds = (events ?? []).map(
    (event) => Object.keys(event).find((key) => key.endsWith('EventAttributes')) ?? '',
  );
  return kinds
    .filter((kind) => !kind.startsWith('workflowTask'))
    .map((kind) => kind.replace('EventAttributes', ''));
}
