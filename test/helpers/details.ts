import type { WorkflowHandle } from '@temporalio/client';

/** What the Web UI shows of a workflow as current details, without the spaces that only it needs. */
export async function detailsOf(handle: Pick<WorkflowHandle, 'query'>): Promise<string> {
  const metadata = await handle.query<{ currentDetails?: string }>('__temporal_workflow_metadata');
  return (metadata.currentDetails ?? '').replaceAll('\u00a0', '');
}
