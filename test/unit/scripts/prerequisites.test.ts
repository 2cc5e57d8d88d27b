import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { lacks } from '../../../scripts/prerequisites.mjs';
import { temporaryDirectory } from '../../helpers/temporary.js';

let directory: string;
let env: Record<string, string>;
beforeEach(async () => {
  directory = await temporaryDirectory();
  env = { PATH: join(directory, 'bin'), HOME: directory };
  await mkdir(join(directory, 'bin'));
});

async function install(...names: string[]): Promise<void> {
  for (const name of names) {
    await writeFile(join(directory, 'bin', name), '');
    await chmod(join(directory, 'bin', name), 0o755);
  }
}

test('all that is missing is named at once, each mend once', () => {
  const { programs, mends } = lacks(env);
  expect(programs).toEqual(['setpriv', 'flock', 'cargo', 'rustc', 'cc']);
  expect(mends).toEqual([
    'apt-get install util-linux',
    expect.stringContaining('rustup') as string,
    'apt-get install gcc libc6-dev',
  ]);
});

test('a given or cached engine needs no compiler', async () => {
  await install('setpriv', 'flock');
  expect(lacks({ ...env, SEALFLOW_ENGINE: '/opt/engine' }).programs).toEqual([]);
  await mkdir(join(directory, '.cache', 'sealflow', 'engine', 'a'), { recursive: true });
  expect(lacks(env).programs).toEqual([]);
});

test('nothing is missing where all is on PATH', async () => {
  await install('setpriv', 'flock', 'cargo', 'rustc', 'cc');
  expect(lacks(env)).toEqual({ programs: [], mends: [] });
});
