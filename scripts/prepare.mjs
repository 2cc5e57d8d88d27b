/** Installs and builds what is missing. Uses nothing but Node, since nothing may be installed yet. */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { lacks } from './prerequisites.mjs';

export const ROOT = fileURLToPath(new URL('..', import.meta.url));

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
const supported = (major === 20 && minor >= 19) || (major === 22 && minor >= 13) || major >= 24;

export function prepare() {
  if (!supported)
    fail(`Node ${process.versions.node} is too old: 20.19, 22.13 or 24 and newer are supported`);
  if (process.platform !== 'linux') fail('sealflow runs on Linux only');
  const installed = join(ROOT, 'node_modules', '.package-lock.json');
  if (!existsSync(installed) || newest(['package-lock.json']) > statSync(installed).mtimeMs) {
    const { programs, mends } = lacks();
    if (programs.length > 0)
      fail(`not installed (not found in PATH): ${programs.join(', ')}\n  ${mends.join('\n  ')}`);
    step('installing packages', 'npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error']);
  }
  const bundle = join(ROOT, 'dist', 'workflow-bundle.cjs');
  if (
    !existsSync(bundle) ||
    newest(['src', 'package.json', 'tsconfig.json', 'tsconfig.build.json']) > statSync(bundle).mtimeMs
  ) {
    step('building', 'npm', ['run', '--silent', 'build']);
  }
}

function step(what, command, args) {
  const began = performance.now();
  process.stdout.write(`${what} …\n`);
  const { status, error, stdout, stderr } = spawnSync(command, args, { cwd: ROOT, encoding: 'utf8' });
  if (status !== 0) {
    process.stdout.write(stdout ?? '');
    process.stderr.write(stderr ?? '');
    fail(`${what} failed${error ? `: ${error.message}` : ''}`);
  }
  process.stdout.write(`${what}: done in ${((performance.now() - began) / 1000).toFixed(1)} s\n`);
}

function newest(paths) {
  const times = paths.flatMap((path) => {
    const full = join(ROOT, path);
    if (!statSync(full).isDirectory()) return [statSync(full).mtimeMs];
    return readdirSync(full, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => statSync(join(entry.parentPath, entry.name)).mtimeMs);
  });
  return Math.max(...times);
}

function fail(message) {
  process.stderr.write(`sealflow: ${message}\n`);
  process.exit(2);
}
