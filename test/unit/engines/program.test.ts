import { chmod, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { buildEngine } from '../../../src/engines/build/build.js';
import { verifyReceipt } from '../../../src/dev/summary.js';
import type { Engine } from '../../../src/engines/engine.js';
import { engineEnvironment } from '../../../src/engines/environment.js';
import { engineInfo } from '../../../src/engines/info.js';
import { findEngine } from '../../../src/engines/locate.js';
import { ensureParameters } from '../../../src/engines/parameters.js';
import { requireTool } from '../../../src/machine/tools.js';
import { eventually, isAlive } from '../../helpers/eventually.js';
import { temporaryDirectory } from '../../helpers/temporary.js';

/** The entire PATH of a test: its own scripts, and util-linux. */
let bin: string;
let cache: string;
let crate: string;

beforeEach(async () => {
  const directory = await temporaryDirectory();
  [bin, cache, crate] = [join(directory, 'bin'), join(directory, 'cache'), join(directory, 'crate')];
  await mkdir(bin);
  for (const tool of ['setpriv', 'flock']) await symlink(requireTool(tool, ''), join(bin, tool));
  vi.stubEnv('PATH', bin);
  vi.stubEnv('SEALFLOW_CACHE', cache);
  for (const name of ['SEALFLOW_ENGINE', 'RUSTC', 'CC', 'RUSTFLAGS']) vi.stubEnv(name, '');
  for (const name of ['FIL_PROOFS_PARAMETER_CACHE', 'FIL_PROOFS_PARENT_CACHE']) vi.stubEnv(name, '');
  await write(join(crate, 'Cargo.toml'), 'rust-version = "1.89"\n');
  await write(join(crate, 'src/main.rs'), 'fn main() {}\n');
  return () => vi.unstubAllEnvs();
});

async function write(path: string, text: string): Promise<string> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
  return path;
}

async function script(path: string, ...lines: string[]): Promise<string> {
  await write(path, ['#!/bin/sh', ...lines, ''].join('\n'));
  await chmod(path, 0o755);
  return path;
}

const fakeRust = (release: string): Promise<string> =>
  script(join(bin, 'rustc'), `echo 'release: ${release}'`);

/** A fake cargo that "compiles" a script, and logs each build. */
async function fakeCargo(): Promise<void> {
  await script(join(bin, 'cc'));
  await script(
    join(bin, 'cargo'),
    `echo x >> ${join(crate, 'builds')}`,
    'printf "    Building [====>    ] 87/190: blst\\r" >&2',
    `echo '{"reason":"compiler-artifact","executable":"${join(crate, 'built')}"}'`,
  );
  await script(join(crate, 'built'), 'echo engine');
}

function engine(...command: Engine['command']): Engine {
  return { command, environment: engineEnvironment(), source: 'config.toml' };
}

describe('findEngine', () => {
  test('takes the command of config.toml, then SEALFLOW_ENGINE', async () => {
    const mine = await script(join(bin, 'mine'));
    vi.stubEnv('SEALFLOW_ENGINE', mine);
    expect(await findEngine({ command: ['mine', '--x'], crate })).toMatchObject({ command: [mine, '--x'] });
    expect(await findEngine({ crate })).toMatchObject({ command: [mine], source: 'SEALFLOW_ENGINE' });
  });

  test('names the setting whose program does not exist', async () => {
    await expect(findEngine({ command: ['nowhere'] })).rejects.toThrow(
      '[engine] command names no executable',
    );
    vi.stubEnv('SEALFLOW_ENGINE', '/nowhere');
    await expect(findEngine()).rejects.toThrow('SEALFLOW_ENGINE names no executable file: /nowhere');
  });

  test('then a build of the same sources and features, without asking for a compiler', async () => {
    expect(await findEngine({ crate })).toBeUndefined();
    await fakeRust('1.95.0');
    await fakeCargo();
    const { command } = await buildEngine({ crate });
    vi.stubEnv('PATH', '');
    expect(await findEngine({ crate })).toMatchObject({ command, source: 'cache' });
    expect(await findEngine({ crate, features: ['cuda'] })).toBeUndefined();
    await write(join(crate, 'src/more/x.rs'), '');
    expect(await findEngine({ crate })).toBeUndefined();
    expect(await findEngine({ crate: '/nowhere' })).toBeUndefined();
  });
});

describe('buildEngine', () => {
  test('builds once per sources, features and compiler, and reports progress', async () => {
    await fakeRust('1.95.0');
    await fakeCargo();
    const onStep = vi.fn();
    const first = await buildEngine({ crate, onStep });
    expect(onStep).toHaveBeenCalledWith('compiling 87 of 190', 87 / 190);
    expect(await buildEngine({ crate })).toEqual(first);
    expect((await buildEngine({ crate, features: ['cuda'] })).command).not.toEqual(first.command);
    await fakeRust('1.96.0');
    expect((await buildEngine({ crate })).command).not.toEqual(first.command);
  });

  test.each([
    ['cargo', 'cargo is not installed', /Rust 1\.89 or newer with rustup/],
    ['rustc', 'rustc is not installed', /rustup/],
    ['cc', 'cc is not installed', /gcc/],
  ])('names a missing %s and how to get it', async (missing, message, hint) => {
    for (const tool of ['cargo', 'rustc', 'cc']) if (tool !== missing) await script(join(bin, tool));
    await expect(buildEngine({ crate })).rejects.toMatchObject({
      name: 'UserError',
      message: expect.stringContaining(message) as string,
      hint: expect.stringMatching(hint) as string,
    });
  });

  test('names all that is missing at once, each mend once', async () => {
    await expect(buildEngine({ crate })).rejects.toMatchObject({
      message: ['cargo', 'rustc', 'cc']
        .map((tool) => `${tool} is not installed (not found in PATH)`)
        .join('; '),
      hint: expect.stringMatching(/^install Rust (?!.*install Rust).*; install a C compiler/) as string,
    });
  });

  test('names a Rust that is too old, or does not run', async () => {
    await fakeCargo();
    await fakeRust('1.85.0');
    await expect(buildEngine({ crate })).rejects.toThrow(
      'Rust is too old to build the engine: 1.85.0, 1.89 is needed',
    );
    await script(join(bin, 'rustc'), 'echo "error: no default toolchain" >&2; exit 1');
    await expect(buildEngine({ crate })).rejects.toThrow('rustc does not run: error: no default toolchain');
  });

  test('reports the first error, and leaves nothing behind', async () => {
    await fakeRust('1.95.0');
    await fakeCargo();
    const body = 'printf "error[E1]: the cause\\nerror: could not compile\\n" >&2; exit 101';
    await script(join(bin, 'cargo'), body);
    await expect(buildEngine({ crate })).rejects.toThrow('the engine cannot be built: error[E1]: the cause');
    expect(await readdir(join(cache, 'engine'))).toEqual([]);
  });

  test('reports missing sources', async () => {
    await expect(buildEngine({ crate: '/nowhere' })).rejects.toThrow("the engine's sources are missing");
  });
});

test('engineEnvironment: ours, then config.toml’s, then the directories of large files', () => {
  vi.stubEnv('RUST_LOG', 'debug');
  vi.stubEnv('FIL_PROOFS_PARENT_CACHE', '/parents');
  expect(engineEnvironment()).toMatchObject({
    RUST_LOG: 'debug',
    FIL_PROOFS_PARAMETER_CACHE: join(cache, 'proof-parameters/v28'),
    FIL_PROOFS_PARENT_CACHE: '/parents',
  });
  expect(engineEnvironment({ FIL_PROOFS_PARENT_CACHE: '/other' })['FIL_PROOFS_PARENT_CACHE']).toBe('/other');
});

const OTHERS = {
  TEMPORAL_API_KEY: 'secret',
  TEMPORAL_TLS_CLIENT_KEY_DATA: 'secret',
  AWS_SECRET_ACCESS_KEY: 'x',
};

describe('of our environment an engine gets', () => {
  beforeEach(() => {
    for (const [name, value] of Object.entries(OTHERS)) vi.stubEnv(name, value);
  });

  test('what it needs, and no credentials', () => {
    vi.stubEnv('BELLMAN_PROOF_THREADS', '3');
    vi.stubEnv('SEALFLOW_ENGINE_LICENCE', 'x');
    const environment = engineEnvironment();
    expect(environment).toMatchObject({
      PATH: bin,
      BELLMAN_PROOF_THREADS: '3',
      SEALFLOW_ENGINE_LICENCE: 'x',
    });
    expect(Object.keys(environment).filter((name) => name in OTHERS)).toEqual([]);
  });

  test('whatever config.toml sets', () => {
    expect(engineEnvironment({ TEMPORAL_API_KEY: 'meant' })).toMatchObject({ TEMPORAL_API_KEY: 'meant' });
  });

  test('no more for `info`', async () => {
    const seen = join(crate, 'seen');
    await expect(
      engineInfo(engine(await script(join(bin, 'engine'), `export -p > ${seen}`))),
    ).rejects.toThrow();
    const text = await readFile(seen, 'utf8');
    expect(text).toContain('FIL_PROOFS_PARENT_CACHE');
    expect(Object.keys(OTHERS).filter((name) => text.includes(name))).toEqual([]);
  });

  test('no more for `verify`', async () => {
    const seen = join(crate, 'seen');
    await verifyReceipt(engine(await script(join(bin, 'engine'), `export -p > ${seen}`)), '/receipt');
    expect(await readFile(seen, 'utf8')).not.toContain('TEMPORAL_');
  });

  test('and a compiler no credentials of Temporal', async () => {
    const seen = join(crate, 'seen');
    await fakeRust('1.95.0');
    await fakeCargo();
    await script(join(bin, 'cargo'), `export -p > ${seen}`, 'exit 1');
    await expect(buildEngine({ crate })).rejects.toThrow();
    const text = await readFile(seen, 'utf8');
    expect(text).toContain('CARGO_TARGET_DIR');
    expect(text).not.toContain('TEMPORAL_');
  });
});

describe('engineInfo', () => {
  const info = {
    v: 1,
    version: '0.1.0',
    proofs: '19.1.0',
    cuda: false,
    shaNi: true,
    parameterDir: '/p',
    sizes: {},
  };

  test('reads what the engine answers', async () => {
    const program = await script(
      join(bin, 'e'),
      `[ "$*" = "info --size 2KiB" ] && echo '${JSON.stringify(info)}'`,
    );
    // Older ones do not say whether they compute labels on several cores: then they do not.
    expect(await engineInfo(engine(program), '2KiB')).toEqual({ ...info, multicoreSdr: false });
  });

  test.each([
    ['echo hello', /not valid JSON/],
    [`echo '${JSON.stringify({ ...info, v: 2 })}'`, /v: Invalid/],
    ['echo "usage: something" >&2; exit 2', /usage: something/],
  ])('reports what is wrong with an engine that runs `%s`', async (line, message) => {
    await expect(engineInfo(engine(await script(join(bin, 'e'), line)))).rejects.toMatchObject({
      name: 'UserError',
      message: expect.stringMatching(message) as string,
    });
  });
});

describe('ensureParameters', () => {
  test('reports the steps and returns the directory', async () => {
    const program = await script(
      join(bin, 'e'),
      `[ "$*" = "params 2KiB" ] && echo '{"step":"making","done":false}' && echo '{"step":"making","fraction":0.5,"done":false}' && echo '{"step":"done","done":true,"dir":"/p"}'`,
    );
    const onStep = vi.fn();
    expect(await ensureParameters(engine(program), '2KiB', { onStep })).toBe('/p');
    expect(onStep.mock.calls).toEqual([
      ['making', undefined],
      ['making', 0.5],
    ]);
  });

  test('gives a hint when published parameters are missing', async () => {
    const program = await script(join(bin, 'e'), 'echo "v28.params is not in /p" >&2; exit 5');
    await expect(ensureParameters(engine(program), '32GiB')).rejects.toMatchObject({
      message: 'no proof parameters for 32GiB: exit code 5: v28.params is not in /p',
      hint: '`sealflow setup --parameters 32GiB` fetches them; or set FIL_PROOFS_PARAMETER_CACHE to a directory that has them',
    });
  });

  test('ends the engine and its child processes when aborted', async () => {
    const sleep = 'while :; do read x; done < /dev/zero';
    const program = await script(
      join(bin, 'e'),
      `(${sleep}) & echo "{\\"step\\":\\"$$ $!\\",\\"done\\":false}"; ${sleep}`,
    );
    const stop = new AbortController();
    let pids: number[] = [];
    const onStep = (step: string): void => {
      pids = step.split(' ').map(Number);
      stop.abort(new Error('enough'));
    };
    await expect(ensureParameters(engine(program), '2KiB', { onStep, signal: stop.signal })).rejects.toThrow(
      'enough',
    );
    expect(pids).toHaveLength(2);
    await eventually(async () => !(await Promise.all(pids.map(isAlive))).some(Boolean));
  });
});
