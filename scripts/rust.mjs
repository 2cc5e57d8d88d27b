/**
 * What cargo checks and tests of the engine's crate. The same sources, by the same tools on the same machine, are checked once
 * (kept-result.mjs): `npm test -- static engine` does it in any case.
 */
import { join } from 'node:path';
import { engineTests } from './engine-tests.mjs';
import { keptResult } from './kept-result.mjs';
import { run } from './run.mjs';

/** With the profile of the build, so that build scripts and macros are not compiled again. */
const MANIFEST = ['--manifest-path', join('engine', 'Cargo.toml')];
const RELEASE = ['--release', '--locked', ...MANIFEST];
const CHECKS = [
  { name: 'cargo fmt', args: ['fmt', '--check', ...MANIFEST] },
  { name: 'cargo clippy', args: ['clippy', '--all-targets', ...RELEASE, '--', '-D', 'warnings'] },
  {
    name: 'cargo doc',
    tool: ['rustdoc'],
    args: ['doc', '--no-deps', ...RELEASE],
    more: { RUSTDOCFLAGS: '-D warnings' },
  },
];

/**
 * One after the other: they share the target directory that the engine's build has filled, and its lock.
 * @param suites which of `checks` and `tests`
 * @param anew also what has passed before
 * @returns results: what it is, how many passed, failed, were skipped, and what was said
 */
export async function rust({ suites, anew }) {
  const { cachePath } = await import('../dist/machine/cache.js');
  const { engineEnvironment } = await import('../dist/engines/environment.js');
  const { ENGINE_CRATE, sourceKey } = await import('../dist/engines/build/sources.js');
  const env = { ...engineEnvironment(), CARGO_TARGET_DIR: cachePath('engine-target') };
  const cargo = (args, more = {}) => run('nice', ['cargo', ...args], { env: { ...env, ...more } });
  const sources = await sourceKey(ENGINE_CRATE, [], ['tests', 'clippy.toml', 'rustfmt.toml']);
  const results = [];
  const once = async (name, tools, make) => {
    const result = await keptResult(
      cachePath('passed'),
      name.replaceAll(' ', '-'),
      [sources, ...tools],
      make,
      { anew },
    );
    results.push({ name, ...result });
  };
  if (suites.includes('checks'))
    for (const { name, tool = ['cargo', name.split(' ')[1]], args, more } of CHECKS) {
      const version = await run('nice', [...tool, '--version']);
      if (version.status === 0)
        await once(name, [version.said, JSON.stringify(more)], () => check(cargo, args, more));
      else results.push({ name, passed: 0, failed: 0, skipped: 1, said: 'skipped, not installed\n' });
    }
  if (suites.includes('tests')) {
    const compiler = await run('nice', ['rustc', '-vV']);
    await once('cargo test', [compiler.said], () => engineTests(cargo));
  }
  return results;
}

async function check(cargo, args, more) {
  const { status, said } = await cargo(args, more);
  if (status === 0) return { passed: 1, failed: 0, skipped: 0, said: 'passed\n' };
  return { passed: 0, failed: 1, skipped: 0, said: `failed\n${said}` };
}
