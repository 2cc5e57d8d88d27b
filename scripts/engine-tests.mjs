/**
 * The tests of the engine's crate. Their programs, which take longer to compile than to run, are kept in the user's cache,
 * keyed like an engine's build: a new checkout of the same sources compiles nothing, and runs them all the same.
 */
import { createHash } from 'node:crypto';
import { copyFile, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { run } from './run.mjs';

const LIST = 'programs.json';
/** Programs that no checkout has run for so long are deleted: 20 MB each. */
const KEPT_DAYS = 30;

/**
 * Runs all tests, after building them if the cache has none of these sources by this compiler.
 * @param cargo runs cargo with the environment of the engine's build, in the project's directory
 * @returns how many passed, failed and were skipped, and what they say
 */
export async function engineTests(cargo) {
  const { ENGINE_CRATE } = await import('../dist/engines/build/sources.js');
  const { engineEnvironment } = await import('../dist/engines/environment.js');
  let directory;
  try {
    directory = await programs(cargo);
  } catch (error) {
    return { passed: 0, failed: 1, skipped: 0, said: `${error.message}\n` };
  }
  const { engine, tests } = JSON.parse(await readFile(join(directory, LIST), 'utf8'));
  const temporary = await mkdtemp(join(tmpdir(), 'sealflow-engine-tests-'));
  try {
    // Paths that the compiler knew were those of the checkout that has built them (engine/tests/engine/common/mod.rs).
    const env = {
      ...engineEnvironment(),
      CARGO_MANIFEST_DIR: ENGINE_CRATE,
      CARGO_TARGET_TMPDIR: temporary,
      [`CARGO_BIN_EXE_${engine}`]: join(directory, engine),
    };
    const total = { passed: 0, failed: 0, skipped: 0, said: '' };
    for (const name of tests) {
      const ran = await run('nice', [join(directory, name)], { env, cwd: ENGINE_CRATE });
      const counted = outcome(ran);
      for (const key of ['passed', 'failed', 'skipped']) total[key] += counted[key];
      total.said += `     Running ${name}\n${ran.said}`;
    }
    return total;
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

/** @returns the directory of the programs */
async function programs(cargo) {
  const { cachePath, makeOnce } = await import('../dist/machine/cache.js');
  const { lockFile } = await import('../dist/machine/file-lock.js');
  const { requireRust } = await import('../dist/engines/build/rust.js');
  const { ENGINE_CRATE, sourceKey } = await import('../dist/engines/build/sources.js');
  const keyOf = () => sourceKey(ENGINE_CRATE, [], ['tests']);
  const key = await keyOf();
  const compiler = createHash('sha256')
    .update(await requireRust(ENGINE_CRATE))
    .digest('hex');
  const directory = await makeOnce(`engine-tests/${key}-${compiler.slice(0, 8)}`, async (made) => {
    // Which builds of the engine hold too: see src/engines/build/build.ts.
    const lock = await lockFile(cachePath('.locks/engine-target'));
    try {
      await build(cargo, made);
    } finally {
      await lock.release();
    }
    if ((await keyOf()) !== key) throw new Error("the engine's sources changed during the build");
  });
  // The time of its last use.
  await utimes(directory, new Date(), new Date());
  await removeUnused(cachePath('engine-tests'), KEPT_DAYS);
  return directory;
}

/** Compiles the test programs, and the engine, and copies them to `directory`. */
async function build(cargo, directory) {
  const manifest = ['--manifest-path', join('engine', 'Cargo.toml')];
  const messages = ['--message-format', 'json-render-diagnostics'];
  const { status, said, printed } = await cargo([
    ...['test', '--no-run', '--release', '--locked'],
    ...manifest,
    ...messages,
  ]);
  if (status !== 0) throw new Error(said.replace(/^\{.*\n/gm, ''));
  const { engine, tests } = executables(printed);
  for (const path of [engine, ...tests]) await copyFile(path, join(directory, basename(path)));
  const list = { engine: basename(engine), tests: tests.map((path) => basename(path)) };
  await writeFile(join(directory, LIST), JSON.stringify(list));
}

/**
 * What `cargo test --no-run` has made, from its messages.
 * @returns paths of the engine and of the test programs
 */
export function executables(messages) {
  const made = messages
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line))
    .filter(({ reason, executable }) => reason === 'compiler-artifact' && executable);
  const of = (test) =>
    made.filter(({ profile }) => profile.test === test).map(({ executable }) => executable);
  const [engine] = of(false);
  if (engine === undefined || of(true).length === 0) throw new Error('cargo has named no test programs');
  return { engine, tests: of(true) };
}

/** What a test program has counted. One that dies, which leaves no count, has failed. */
export function outcome({ status, said }) {
  const [, passed = 0, failed = 0, skipped = 0] = (
    /^test result: .*? (\d+) passed; (\d+) failed; (\d+) ignored/m.exec(said) ?? []
  ).map(Number);
  return { passed, failed: status !== 0 && failed === 0 ? 1 : failed, skipped };
}

/** Removes what was last modified, which means used, more than so many days ago. */
export async function removeUnused(directory, days) {
  for (const name of await readdir(directory)) {
    const path = join(directory, name);
    const { mtimeMs } = (await stat(path).catch(() => undefined)) ?? { mtimeMs: Date.now() };
    if (Date.now() - mtimeMs > days * 86_400_000) await rm(path, { recursive: true, force: true });
  }
}
