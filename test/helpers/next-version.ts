/** The sealflow of the next version: this one's build, with another number in it. */
import { cp, readFile, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { CONTRACT_VERSION } from '../../src/contract.js';
import { MAIN } from './sealflow.js';

/** @returns the main program; what it needs lies in `directory`. */
export async function nextVersion(directory: string): Promise<string> {
  const dist = dirname(dirname(MAIN));
  const root = dirname(dist);
  await cp(dist, join(directory, 'dist'), { recursive: true });
  await cp(join(root, 'package.json'), join(directory, 'package.json'));
  await symlink(join(root, 'node_modules'), join(directory, 'node_modules'));
  for (const name of ['contract.js', 'workflow-bundle.cjs']) {
    const path = join(directory, 'dist', name);
    const code = await readFile(path, 'utf8');
    const next = code.replace(
      `CONTRACT_VERSION = ${CONTRACT_VERSION};`,
      `CONTRACT_VERSION = ${CONTRACT_VERSION + 1};`,
    );
    if (next === code) throw new Error(`${path} does not say which version it is`);
    await writeFile(path, next);
  }
  return join(directory, 'dist', MAIN.slice(dist.length + 1));
}
