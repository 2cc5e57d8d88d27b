import type { WorkerDeploymentOptions } from '@temporalio/worker';
import { DEPLOYMENT, VERSION } from '../version.js';

/**
 * The server lists this version with each poller, and the history with each task (tried on 1.31). Nothing is routed by it: a sector of
 * days outlives versions, and what is stored or sent has a version of its own.
 */
export const OWN_VERSION: WorkerDeploymentOptions = {
  version: { deploymentName: DEPLOYMENT, buildId: VERSION },
  useWorkerVersioning: false,
  defaultVersioningBehavior: undefined,
};
