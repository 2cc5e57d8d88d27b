import { execa } from 'execa';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { lackOfTool, refuseLacks, type Lack } from '../../machine/tools.js';
import { isAtLeast } from '../../machine/versions.js';

const INSTALL = 'with rustup (https://rustup.rs; on Debian 13 apt-get install rustup)';

/**
 * What the machine lacks to build the crate: cargo, a rustc of at least its `rust-version`, and a C compiler, which
 * builds the library's assembly and links.
 */
export async function lacksForRust(crate: string): Promise<Lack[]> {
  const { needed, mend } = await wantedOf(crate);
  const rustc = lackOfTool(rustcProgram(), mend);
  const tools = [
    ...lackOfTool('cargo', mend),
    ...rustc,
    ...lackOfTool(process.env['CC'] || 'cc', 'install a C compiler (apt-get install gcc libc6-dev)'),
  ];
  if (rustc.length > 0) return tools;
  const version = await compilerVersion(crate);
  if ('what' in version) return [...tools, { ...version, mend }];
  const found = /^release: (\S+)/m.exec(version.text)?.[1] ?? 'unknown';
  const old = { what: `Rust is too old to build the engine: ${found}, ${needed} is needed`, mend };
  return isAtLeast(found, needed) ? tools : [...tools, old];
}

/**
 * @returns the output of `rustc -vV`: version, commit, host
 * @throws UserError that names all that is missing and how to install it
 */
export async function requireRust(crate: string): Promise<string> {
  refuseLacks(await lacksForRust(crate));
  const version = await compilerVersion(crate);
  return 'text' in version ? version.text : '';
}

async function wantedOf(crate: string): Promise<{ needed: string; mend: string }> {
  const manifest = await readFile(join(crate, 'Cargo.toml'), 'utf8');
  const needed = /^rust-version = "([\d.]+)"/m.exec(manifest)?.[1] ?? '0';
  return {
    needed,
    mend: `install Rust ${needed} or newer ${INSTALL}; or set SEALFLOW_ENGINE to a built engine`,
  };
}

const rustcProgram = (): string => process.env['RUSTC'] || 'rustc';

/** Runs in the crate's directory, where rustup finds its toolchain file. */
async function compilerVersion(crate: string): Promise<{ text: string } | Pick<Lack, 'what'>> {
  try {
    return { text: (await execa(rustcProgram(), ['-vV'], { cwd: crate })).stdout };
  } catch (error) {
    const { stderr = '', message } = error as Error & { stderr?: string };
    const reason = stderr.split('\n').find((line) => line.trim() !== '') ?? message;
    return { what: `rustc does not run: ${reason.trim()}` };
  }
}
