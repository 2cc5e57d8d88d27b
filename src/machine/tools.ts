import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { UserError } from '../user-error.js';

/**
 * Finds a program as a shell would: a name in PATH, anything with a slash as a path.
 *
 * @returns its absolute path; undefined when there is no such executable file
 */
export function findTool(name: string): string | undefined {
  const candidates = name.includes('/')
    ? [resolve(name)]
    : (process.env['PATH'] ?? '')
        .split(delimiter)
        .filter(Boolean)
        .map((directory) => resolve(join(directory, name)));
  return candidates.find(isExecutableFile);
}

/**
 * Like {@link findTool}, for a program that is required.
 *
 * @param hint how to install it
 * @throws UserError that names the program if it is missing
 */
export function requireTool(name: string, hint: string): string {
  const path = findTool(name);
  if (path === undefined) throw new UserError(`${name} is not installed (not found in PATH)`, { hint });
  return path;
}

function isExecutableFile(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
