import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, utimes, writeFile } from 'node:fs/promises';
import { cpus, release } from 'node:os';
import { dirname, join } from 'node:path';
import { removeUnused } from './engine-tests.mjs';

/** Results that nobody has asked for so long are forgotten. */
const KEPT_DAYS = 30;

/**
 * A result of checks or tests, which are not made again as long as nothing changes on which it depends: they would say the same.
 * Only what has passed is kept.
 *
 * @param directory of all such results, in the user's cache
 * @param dependsOn texts that name all of it: sources, compiler. The machine is one more
 * @param make makes the result: `{ passed, failed, skipped, said }`
 * @param anew makes it in any case
 * @returns the result; of a kept one `said` is one line
 */
export async function keptResult(directory, name, dependsOn, make, { anew = false } = {}) {
  const key = createHash('sha256')
    .update(JSON.stringify([dependsOn, cpus().length, cpus()[0]?.model, release()]))
    .digest('hex')
    .slice(0, 16);
  const path = join(directory, `${name}-${key}.json`);
  const known = anew ? undefined : await read(path);
  if (known) {
    const { at, passed, failed, skipped } = known;
    await utimes(path, new Date(), new Date());
    const said = `${passed} passed at ${at}, and nothing has changed since that they depend on\n`;
    return { passed, failed, skipped, said };
  }
  const result = await make();
  if (result.failed === 0) {
    const { passed, failed, skipped } = result;
    await mkdir(dirname(path), { recursive: true });
    const made = `${path}.${process.pid}`;
    await writeFile(made, JSON.stringify({ at: new Date().toISOString(), passed, failed, skipped }));
    await rename(made, path);
    await removeUnused(directory, KEPT_DAYS);
  }
  return result;
}

/** @returns undefined if there is none, or it cannot be read */
async function read(path) {
  try {
    return JSON.parse(await readFile(path, 'utf8'));
  } catch {
    return undefined;
  }
}
