/**
 * What a fresh machine lacks, found before npm has downloaded anything; so it uses nothing but Node. `sealflow dev` looks again,
 * and more closely (src/dev/prerequisites.ts).
 */
import { accessSync, constants, readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';

const UTIL_LINUX = 'apt-get install util-linux';
const RUST = 'install rustup (https://rustup.rs; on Debian 13 apt-get install rustup)';

/** @returns names of the missing programs, and the commands that install them */
export function lacks(env = process.env) {
  const wanted = [
    ['setpriv', UTIL_LINUX],
    ['flock', UTIL_LINUX],
    ...(env.SEALFLOW_ENGINE || hasEngine(env)
      ? []
      : [
          ['cargo', RUST],
          [env.RUSTC || 'rustc', RUST],
          [env.CC || 'cc', 'apt-get install gcc libc6-dev'],
        ]),
  ];
  const missing = wanted.filter(([name]) => !isThere(name, env));
  return { programs: missing.map(([name]) => name), mends: [...new Set(missing.map(([, mend]) => mend))] };
}

function isThere(name, env) {
  const paths = name.includes('/')
    ? [name]
    : (env.PATH ?? '').split(delimiter).map((directory) => join(directory || '.', name));
  return paths.some((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** Whether the cache has an engine: perhaps of other sources, but then the compiler that built it was here. */
function hasEngine(env) {
  const cache =
    env.SEALFLOW_CACHE || join(env.XDG_CACHE_HOME || join(env.HOME || homedir(), '.cache'), 'sealflow');
  try {
    return readdirSync(join(cache, 'engine')).length > 0;
  } catch {
    return false;
  }
}
