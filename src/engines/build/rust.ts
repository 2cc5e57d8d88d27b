import { execa } from 'execa';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { requireTool } from '../../machine/tools.js';
import { UserError } from '../../user-error.js';
import { isAtLeast } from '../../machine/versions.js';

const INSTALL = 'with rustup (https://rustup.rs; on Debian 13 apt-get install rustup)';

/**
 * Checks that the crate can be built here: cargo, a rustc of at least its `rust-version`, and a C compiler, which
 * builds the library's assembly and links.
 *
 * @returns the output of `rustc -vV`: version, commit, host
 * @throws UserError that names what is missing and how to install it
 */
export async function requireRust(crate: string): Promise<string> {
  const needed =
    /^rust-version = "([\d.]+)"/m.exec(await readFile(join(crate, 'Cargo.toml'), 'utf8'))?.[1] ?? '0';
  const hint = `install Rust ${needed} or newer ${INSTALL}; or set SEALFLOW_ENGINE to a built engine`;
  requireTool('cargo', hint);
  requireTool(process.env['RUSTC'] || 'rustc', hint);
  requireTool(process.env['CC'] || 'cc', 'install a C compiler (apt-get install gcc libc6-dev)');
  const version = await compilerVersion(crate, hint);
  const found = /^release: (\S+)/m.exec(version)?.[1] ?? 'unknown';
  if (isAtLeast(found, needed)) return version;
  throw new UserError(`Rust is too old to build the engine: ${found}, ${needed} is needed`, { hint });
}

/** Runs in the crate's directory, where rustup finds its toolchain file. */
async function compilerVersion(crate: string, hint: string): Promise<string> {
  try {
    return (await execa(process.env['RUSTC'] || 'rustc', ['-vV'], { cwd: crate })).stdout;
  } catch (error) {
    const { stderr = '', message } = error as Error & { stderr?: string };
    const reason = stderr.split('\n').find((line) => line.trim() !== '') ?? message;
    throw new UserError(`rustc does not run: ${reason.trim()}`, { hint, cause: error });
  }
}
