/** Whether anything has changed below a directory. */
import { createHash } from 'node:crypto';
import { lstat, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** The files below `directories` and what they hold, without those that `except` selects, and all below them. */
export async function contentsOf(
  directories: readonly string[],
  except: (path: string) => boolean = () => false,
): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  const look = async (path: string): Promise<void> => {
    if (except(path)) return;
    if ((await lstat(path)).isDirectory()) {
      found[path] = 'a directory';
      for (const name of await readdir(path)) await look(join(path, name));
    } else {
      found[path] = createHash('sha256')
        .update(await readFile(path))
        .digest('hex');
    }
  };
  for (const directory of directories) await look(directory);
  return found;
}
