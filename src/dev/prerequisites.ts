import { lacksForRust } from '../engines/build/rust.js';
import { ENGINE_CRATE } from '../engines/build/sources.js';
import { engineEnvironment } from '../engines/environment.js';
import { findEngine } from '../engines/locate.js';
import { memoryOfHost, type Memory } from '../machine/memory-limit.js';
import { lackOfTool, refuseLacks } from '../machine/tools.js';
import type { SectorSize } from '../phases.js';
import { lackOfMemory } from './memory-need.js';

/**
 * Looks for all that a run needs of the machine before anything is downloaded, built or started.
 * @throws UserError that names all that is missing, with the commands that install it
 */
export async function requirePrerequisites(
  size: SectorSize,
  readMemory: () => Promise<Memory> = memoryOfHost,
): Promise<void> {
  const mend = 'install util-linux (apt-get install util-linux)';
  const lacks = [...lackOfTool('setpriv', mend), ...lackOfTool('flock', mend)];
  if (!(await findEngine())) lacks.push(...(await lacksForRust(ENGINE_CRATE)));
  lacks.push(...lackOfMemory(size, engineEnvironment(), await readMemory()));
  refuseLacks(lacks);
}
