/** Which directories of a config may be mounted from elsewhere. */
import { dirname, isAbsolute } from 'node:path';
import type { Config } from '../config.js';
import { registerMount, type MountTimes } from './mounts.js';

/** What a host works in. */
export const mountsOf = ({ localDir, storageNodes }: Config): string[] => [localDir, ...storageNodes];

/**
 * From now on this process touches them with care, and what the engine is started from too. One that is registered already
 * keeps its times.
 * @param program of the engine, if it is known
 * @returns how many they are
 */
export function registerMounts(config: Config, program: string | undefined, times: MountTimes): number {
  const roots = [...mountsOf(config), ...(program && isAbsolute(program) ? [dirname(program)] : [])];
  for (const root of roots) registerMount(root, times);
  return roots.length;
}
