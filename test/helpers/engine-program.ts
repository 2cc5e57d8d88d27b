import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ENGINE } from './engine.js';

/**
 * The test engine as one executable file, for where only a path can be given (SEALFLOW_ENGINE).
 * @param environment its settings (test/fixtures/engine/behaviour.mjs), which it would not get of a worker's own environment
 * @returns its path
 */
export async function engineProgram(
  directory: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<string> {
  const path = join(directory, 'engine');
  const [program, script] = ENGINE;
  const exports = Object.entries(environment).map(([name, value]) => `export ${name}='${value}'\n`);
  await writeFile(path, `#!/bin/sh\n${exports.join('')}exec '${program}' '${script}' "$@"\n`, {
    mode: 0o755,
  });
  return path;
}
