import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ENGINE } from './engine.js';

/** The test engine as one executable file, for where only a path can be given (SEALFLOW_ENGINE). @returns its path */
export async function engineProgram(directory: string): Promise<string> {
  const path = join(directory, 'engine');
  const [program, script] = ENGINE;
  await writeFile(path, `#!/bin/sh\nexec '${program}' '${script}' "$@"\n`, { mode: 0o755 });
  return path;
}
