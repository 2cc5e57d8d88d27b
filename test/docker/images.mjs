/** The images under test, and what they stand on. */
import { readFile, rm, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { findEngine } from '../../dist/engines/locate.js';
import { cachePath, makeOnce } from '../../dist/machine/cache.js';
import { findTool } from '../../dist/machine/tools.js';
import { TEMPORAL_CLI_VERSION } from '../../dist/temporal/embedded/pinned-cli.js';
import { lentArguments, makeContext } from './context.mjs';
import { createShell } from './shell.mjs';

const ROLES = ['p1', 'p2p3', 'p4p5', 'p6', 'orchestrator'];
const USUAL_BASE = 'debian:bookworm-slim';

/**
 * The base image: SEALFLOW_DOCKER_BASE, the usual one if it can be had, else this machine's own Debian (debootstrap).
 * @returns `{ base, own }`, or `{ reason }`
 */
export async function findBase(sh, tag, say) {
  const given = process.env.SEALFLOW_DOCKER_BASE;
  if (given) return { base: given };
  const does = (...command) =>
    sh('docker', ...command).then(
      () => true,
      () => false,
    );
  const base = `sealflow-test-base:${tag}`;
  if (await does('image', 'inspect', base)) return { base, own: true };
  if ((await does('image', 'inspect', USUAL_BASE)) || (await does('pull', '--quiet', USUAL_BASE)))
    return { base: USUAL_BASE };
  if (!findTool('debootstrap') || process.getuid?.() !== 0) {
    return {
      reason: 'no base image: docker pull is refused, and debootstrap is not here, or not for this user',
    };
  }
  say('base image: from debootstrap, since docker pull is refused');
  const { release, sources } = await ownDebian();
  const made = await makeOnce(`docker-base/${release}`, (directory) =>
    bootstrap(directory, release, sources),
  );
  await sh('docker', 'import', join(made, 'base.tar'), base);
  return { base, own: true };
}

/** This machine's release, and where its packages come from. */
async function ownDebian() {
  const release = /^VERSION_CODENAME=(\w+)/m.exec(await readFile('/etc/os-release', 'utf8'))?.[1] ?? '';
  const format = ['--format', '$(REPO_URI) $(RELEASE) $(COMPONENT)', 'Created-By: Packages'];
  const lines = (await createShell({})('apt-get', 'indextargets', ...format)).split('\n');
  const sources = lines.map((line) => line.split(' ')).filter(([, suite = '']) => suite.startsWith(release));
  return { release, sources };
}

async function bootstrap(directory, release, sources) {
  const sh = createShell({});
  const root = join(directory, 'root');
  const mirror = sources.find(([, suite]) => suite === release)?.[0];
  await sh('debootstrap', '--variant=minbase', release, root, ...(mirror ? [mirror] : []));
  const list = sources.map(([uri, suite, component]) => `deb ${uri} ${suite} ${component}\n`);
  await writeFile(join(root, 'etc/apt/sources.list'), list.join(''));
  await sh('chroot', root, 'apt-get', 'clean');
  await sh('tar', '-C', root, '-cf', join(directory, 'base.tar'), '.');
  await rm(root, { recursive: true });
}

/**
 * Builds all images.
 * @param fromSource engine and server too, though this machine has them: 10 minutes on two cores
 * @returns their names
 */
export async function buildImages({ sh, scratch, tag, base, own, fromSource, say }) {
  const context = join(scratch, 'context');
  const lent = await makeContext(context, fromSource ? {} : await prebuilt(own));
  say(`lent to the build: ${lent.join(', ') || 'nothing'}`);
  const names = own ? [base] : [];
  const build = async (file, name, target) => {
    const began = performance.now();
    const image = `sealflow-${name}:${tag}`;
    const go = process.env.SEALFLOW_DOCKER_GO ?? (existsSync(join(context, 'docker/build/temporal')) && base);
    const args = [`BASE=${base}`, ...(go && name.startsWith('server') ? [`GO_IMAGE=${go}`] : [])];
    await sh(
      ...['docker', 'build', '--file', join(context, 'docker', file), '--tag', image],
      ...(target ? ['--target', target] : []),
      ...args.flatMap((arg) => ['--build-arg', arg]),
      ...lentArguments(),
      context,
    );
    names.push(image);
    const size = Number(await sh('docker', 'image', 'inspect', '--format', '{{.Size}}', image));
    const seconds = ((performance.now() - began) / 1000).toFixed(1);
    say(`image ${name}: ${(size / 1e6).toFixed(0)} MB, ${seconds} s`);
  };
  // The builders have names too: without one nobody would remove them.
  await build('Dockerfile', 'builder', 'builder');
  for (const role of ROLES) await build('Dockerfile', role, role);
  await build('server.Dockerfile', 'server-builder', 'builder');
  await build('server.Dockerfile', 'server');
  return names;
}

/** What is in the user's cache. The engine only where the image has this machine's C library. */
async function prebuilt(own) {
  const engine = own ? (await findEngine())?.command[0] : undefined;
  const temporal = cachePath(`temporal-cli/${TEMPORAL_CLI_VERSION}-linux-x64/temporal`);
  return { 'sealflow-engine': engine, temporal };
}
