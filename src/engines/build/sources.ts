import { createHash } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The engine's crate in a checkout; an installation may lack it. */
export const ENGINE_CRATE = fileURLToPath(new URL('../../../engine/', import.meta.url));

/** Files that a build depends on, if they exist. Tests do not change the program. */
const SOURCES = [
  'Cargo.toml',
  'Cargo.lock',
  'build.rs',
  'rust-toolchain.toml',
  '.cargo/config.toml',
  'src',
  'stand-ins',
];

/**
 * Computes a build's cache key from all its inputs except the compiler: the sources, cargo features and RUSTFLAGS.
 *
 * @param more files and directories of the crate that this build depends on too
 * @returns undefined when there are no sources
 */
export async function sourceKey(
  crate: string,
  features: readonly string[],
  more: readonly string[] = [],
): Promise<string | undefined> {
  const names = [...SOURCES, ...more];
  const files = (await Promise.all(names.map((name) => listFiles(join(crate, name))))).flat().sort();
  if (!files.includes(join(crate, 'Cargo.toml'))) return undefined;
  const hash = createHash('sha256');
  hash.update(JSON.stringify([[...features].sort(), process.env['RUSTFLAGS'] ?? '']));
  for (const file of files) {
    const content = await readFile(file);
    hash.update(`\0${relative(crate, file)}\0${content.length}\0`).update(content);
  }
  return hash.digest('hex').slice(0, 16);
}

async function listFiles(path: string): Promise<string[]> {
  const found = await stat(path).catch(() => undefined);
  if (!found) return [];
  if (!found.isDirectory()) return [path];
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}
