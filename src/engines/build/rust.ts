import { execa } from 'execa';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { lackOfTool, refuseLacks, type Lack } from '../../machine/tools.js';
import { isAtLeast } from '../../machine/versions.js';

const INSTALL = 'with rustup (https://rustup.rs; on Debian 13 apt-get install rustup)';

/** What the machine lacks to build the crate. */
export const lacksForRust = async (crate: string): Promise<Lack[]> => (await inspectRust(crate)).lacks;

/**
 * @returns the output of `rustc -vV`: version, commit, host
 * @throws UserError that names all that is missing and how to install it
 */
export async function requireRust(crate: string): Promise<string> {
  const { version, lacks } = await inspectRust(crate);
  refuseLacks(lacks);
  return version;
}

/** Looks for cargo, a rustc of at least the crate's `rust-version`, and a C compiler, for the library's assembly and links. */
async function inspectRust(crate: string): Promise<{ version: string; lacks: Lack[] }> {
  const manifest = await readFile(join(crate, 'Cargo.toml'), 'utf8');
  const needed = /^rust-version = "([\d.]+)"/m.exec(manifest)?.[1] ?? '0';
  const mend = `install Rust ${needed} or newer ${INSTALL}; or set SEALFLOW_ENGINE to a built engine`;
  const rustc = lackOfTool(rustcProgram(), mend);
  const lacks = [
    ...lackOfTool('cargo', mend),
    ...rustc,
    ...lackOfTool(process.env['CC'] || 'cc', 'install a C compiler (apt-get install gcc libc6-dev)'),
  ];
  if (rustc.length > 0) return { version: '', lacks };
  const compiler = await compilerVersion(crate);
  if ('what' in compiler) return { version: '', lacks: [...lacks, { ...compiler, mend }] };
  const found = /^release: (\S+)/m.exec(compiler.version)?.[1] ?? 'unknown';
  const what = `Rust is too old to build the engine: ${found}, ${needed} is needed`;
  return { ...compiler, lacks: isAtLeast(found, needed) ? lacks : [...lacks, { what, mend }] };
}

const rustcProgram = (): string => process.env['RUSTC'] || 'rustc';

/** Runs in the crate's directory, where rustup finds its toolchain file. */
async function compilerVersion(crate: string): Promise<{ version: string } | Pick<Lack, 'what'>> {
  try {
    return { version: (await execa(rustcProgram(), ['-vV'], { cwd: crate })).stdout };
  } catch (error) {
    const { stderr = '', message } = error as Error & { stderr?: string };
    const reason = stderr.split('\n').find((line) => line.trim() !== '') ?? message;
    return { what: `rustc does not run: ${reason.trim()}` };
  }
}
