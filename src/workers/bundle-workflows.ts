/** A step of `npm run build`: bundles the workflow code once, so that no orchestrator has to do it at start. */
import { writeFile } from 'node:fs/promises';
import { bundleWorkflowCode } from '@temporalio/worker';
import { bundleOptions } from './bundle-options.js';
import { WORKFLOW_BUNDLE } from './orchestrator.js';

const { code } = await bundleWorkflowCode(bundleOptions());
await writeFile(WORKFLOW_BUNDLE, code);
