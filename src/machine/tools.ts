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

/** Something that this machine lacks, and how to mend that. */
export interface Lack {
  what: string;
  mend: string;
}

/** @param mend how to install it @returns none if the program is there */
export const lackOfTool = (name: string, mend: string): Lack[] =>
  findTool(name) === undefined ? [{ what: `${name} is not installed (not found in PATH)`, mend }] : [];

/** @throws UserError that names all of them, and each mend once */
export function refuseLacks(lacks: readonly Lack[]): void {
  if (lacks.length === 0) return;
  const mends = new Set(lacks.map(({ mend }) => mend));
  throw new UserError(lacks.map(({ what }) => what).join('; '), { hint: [...mends].join('; ') });
}

/**
 * Like {@link findTool}, for a program that is required.
 *
 * @param mend how to install it
 * @throws UserError that names the program if it is missing
 */
export function requireTool(name: string, mend: string): string {
  refuseLacks(lackOfTool(name, mend));
  return findTool(name) as string;
}

function isExecutableFile(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
