/** What the images are built from: the clone's files, and what this machine lends a build (docker/build/README.md). */
import { cp, copyFile, mkdir, readdir } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from '../../scripts/prepare.mjs';

const SOURCES = ['.dockerignore', 'docker', 'engine', 'package.json', 'package-lock.json', 'server', 'src'];
const CONFIG = ['tsconfig.json', 'tsconfig.build.json'];

/**
 * Made apart from the clone, where a build's files would have to be removed again.
 * @param prebuilt programs that need not be built, by their names in docker/build/
 */
export async function makeContext(directory, prebuilt) {
  await mkdir(directory);
  for (const name of [...SOURCES, ...CONFIG]) {
    const notBuilt = (path) => !path.endsWith('/engine/target');
    await cp(join(ROOT, name), join(directory, name), { recursive: true, filter: notBuilt });
  }
  const build = join(directory, 'docker', 'build');
  for (const [name, path] of Object.entries({ ...lent(), ...prebuilt })) {
    if (path && existsSync(path)) await copyFile(path, join(build, name));
  }
  return (await readdir(build)).filter((name) => !name.startsWith('.') && name !== 'README.md');
}

/** How this machine's own clients reach their registries. */
function lent() {
  const { NODE_EXTRA_CA_CERTS, SSL_CERT_FILE, NPM_CONFIG_USERCONFIG, CARGO_HOME } = process.env;
  return {
    'ca.crt': NODE_EXTRA_CA_CERTS || SSL_CERT_FILE,
    npmrc: NPM_CONFIG_USERCONFIG || join(homedir(), '.npmrc'),
    'cargo.toml': join(CARGO_HOME || join(homedir(), '.cargo'), 'config.toml'),
  };
}

/** Build arguments that say the same as this machine's environment. */
export const lentArguments = () =>
  ['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY', 'GOPROXY', 'GOSUMDB']
    .filter((name) => process.env[name])
    .flatMap((name) => ['--build-arg', name]);
