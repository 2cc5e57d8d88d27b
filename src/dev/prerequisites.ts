import { lacksForRust } from '../engines/build/rust.js';
import { ENGINE_CRATE } from '../engines/build/sources.js';
import { findEngine } from '../engines/locate.js';
import { lackOfTool, refuseLacks } from '../machine/tools.js';

/**
 * Looks for all that a run needs of the machine before anything is downloaded or built.
 * @throws UserError that names all that is missing, with the commands that install it
 */
export async function requirePrerequisites(): Promise<void> {
  const mend = 'install util-linux (apt-get install util-linux)';
  const lacks = [...lackOfTool('setpriv', mend), ...lackOfTool('flock', mend)];
  if (!(await findEngine())) lacks.push(...(await lacksForRust(ENGINE_CRATE)));
  refuseLacks(lacks);
}
