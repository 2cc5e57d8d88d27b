/** Registers the directories of a config that may be network mounts. */
import { dirname, isAbsolute } from 'node:path';
import type { Config } from '../config.js';
import { registerMount, type MountTimes } from './mounts.js';

/** The directories that a host works in. */
export const mountsOf = ({ localDir, storageNodes }: Config): string[] => [localDir, ...storageNodes];

/**
 * Registers the directories that a host works in, and the one of the engine's program. A directory that is
 * registered already retains its times.
 * @param program path of the engine's program, if known
 * @returns the number of directories
 */
export function registerMounts(config: Config, program: string | undefined, times: MountTimes): number {
  const roots = [...mountsOf(config), ...(program && isAbsolute(program) ? [dirname(program)] : [])];
  for (const root of roots) registerMount(root, times);
  return roots.length;
}
