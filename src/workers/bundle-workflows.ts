/** A step of `npm run build`: bundles the workflow code once, so that no orchestrator has to do it at start. */
import { writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';
import { WORKFLOW_BUNDLE } from './orchestrator.js';

const { code } = await bundleWorkflowCode({
  workflowsPath: createRequire(import.meta.url).resolve('../workflows/index.js'),
  logger: new DefaultLogger('WARN'),
});
await writeFile(WORKFLOW_BUNDLE, code);
