import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DefaultLogger, type BundleOptions } from '@temporalio/worker';

/**
 * How the workflow code is bundled, in the build and in tests.
 *
 * Modules of which no workflow changes anything (schemas, names, tables) are evaluated once for a worker and not anew
 * for each workflow: with zod that made six no-op phases cost 1.2 instead of 1.1 times a bare workflow's (`npm run bench -- phases`).
 */
export function bundleOptions(): BundleOptions {
  // This file is .js in the build and .ts in tests, and so are its neighbours.
  const extension = extname(import.meta.url);
  const at = (module: string): string => fileURLToPath(new URL(`../${module}${extension}`, import.meta.url));
  return {
    workflowsPath: at('workflows/index'),
    preloadModules: ['contract', 'messages', 'search-attributes'].map(at),
    logger: new DefaultLogger('WARN'),
  };
}
