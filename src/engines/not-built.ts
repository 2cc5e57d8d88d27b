/** What is said where there is no engine: builds are kept per user. */
import { userInfo } from 'node:os';
import { cachePath } from '../machine/cache.js';

export const NOT_BUILT_HINT =
  '`sealflow setup --engine`, run as this user, builds it; or give the path of an existing build as [engine] command or SEALFLOW_ENGINE';

/** `the engine is not built for user sealflow (none in /var/lib/sealflow/.cache/sealflow/engine)` */
export const notBuilt = (): string =>
  `the engine is not built for user ${userName()} (none in ${cachePath('engine')})`;

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    // In a container, often: an ID without a name.
    return String(process.getuid?.());
  }
}
