/** The order of `npm run test:docker`, and that nothing of it is left. */
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cachePath } from '../../dist/machine/cache.js';
import { freePort } from '../../dist/temporal/embedded/ports.js';
import { allowedCpus } from '../../dist/workers/cores.js';
import { faults, mounts, sealing } from './cases.mjs';
import { findDaemon, startDaemon } from './daemon.mjs';
import { ComposedGroup, SERVICES, USER, WORKERS } from './group.mjs';
import { buildImages, findBase } from './images.mjs';
import { createShell } from './shell.mjs';

/** @returns the exit code */
export async function testDocker({ scratch, signal, daemon, keep, fromSource, say }) {
  const skip = (reason) => {
    say(`skipped: ${reason}`);
    return 0;
  };
  // By the youngest first.
  const ends = [];
  try {
    const data = keep ? cachePath('docker') : join(scratch, 'data');
    const found = daemon ? await startDaemon(join(scratch, 'daemon'), data) : await findDaemon();
    if (found.reason) return skip(found.reason);
    ends.unshift(found.end);
    // A daemon of our own is removed with all that it has.
    const tag = keep ? 'test' : `test-${process.pid}`;
    const env = { ...found.env, ...(await environment(scratch, tag)) };
    const sh = createShell({ env, signal });
    // What is removed is removed also when the signal has come.
    const shAtEnd = createShell({ env });
    const program = await composeProgram(sh);
    if (!program) return skip('neither docker compose nor docker-compose is here');
    const { base, own, reason } = await findBase(sh, tag, say);
    if (reason) return skip(reason);
    env.SEALFLOW_DOCKER_BASE = base;
    if (!keep) ends.unshift(() => removeImages(shAtEnd, tag));
    await buildImages({ sh, scratch, tag, base, own, fromSource, say });
    const group = new ComposedGroup({ sh, program, scratch, signal });
    group.cpuset = env.SEALFLOW_P2_CPUSET;
    await group.prepare();
    ends.unshift(() => new ComposedGroup({ sh: shAtEnd, program, scratch }).end());
    return await runCases(group, sh, say);
  } catch (error) {
    say(`failed: ${error.message}`);
    return 1;
  } finally {
    for (const end of ends) await end().catch((error) => say(`not removed: ${error.message}`));
  }
}

async function runCases(group, sh, say) {
  const counts = { passed: 0, failed: 0 };
  const run = async ([name, attempt]) => {
    const began = performance.now();
    try {
      await attempt(group);
      counts.passed++;
      say(`ok      ${name} (${((performance.now() - began) / 1000).toFixed(1)} s)`);
    } catch (error) {
      group.signal.throwIfAborted();
      counts.failed++;
      say(`FAILED  ${name}: ${error.message}\n${await logsOf(group)}`);
    }
  };
  const real = await hasParameters(group);
  group.engine = real ? ['sealflow-engine'] : ['node', '/opt/sealflow/test/fixtures/engine.mjs'];
  say(
    real ? 'engine: the real one' : 'engine: the one of the tests, as there are no proof parameters for 2KiB',
  );
  if (!real) await group.configure({ fixture: true });
  await group.setUp().catch(async (error) => {
    throw new Error(`${error.message}\n${await logsOf(group)}`);
  });
  for (const one of sealing) await run(one);
  say('engine: the one of the tests, which can be held at work');
  await group.configure({ fixture: true });
  await group.compose('up', '--detach', '--no-build', '--no-deps', '--force-recreate', ...WORKERS);
  if (await isShared()) for (const one of mounts) await run(one);
  else say('skipped: what a container sees of mounts made later; those of this machine are private');
  for (const one of faults) await run(one);
  say(`\n${counts.passed} passed, ${counts.failed} failed`);
  return counts.failed === 0 ? 0 : 1;
}

/** What docker/compose.yaml is told. */
async function environment(scratch, tag) {
  const cpus = allowedCpus();
  const parameters = process.env.FIL_PROOFS_PARAMETER_CACHE || cachePath('proof-parameters/v28');
  await mkdir(parameters, { recursive: true });
  return {
    COMPOSE_PROJECT_NAME: `sealflow-${tag}`,
    SEALFLOW_TAG: tag,
    SEALFLOW_UID: String(USER),
    SEALFLOW_GID: String(USER),
    SEALFLOW_CONFIG: join(scratch, 'config'),
    SEALFLOW_SEALER: join(scratch, 'sealer'),
    SEALFLOW_STORAGE: join(scratch, 'storage'),
    SEALFLOW_PARAMETERS: parameters,
    SEALFLOW_PROPAGATION: (await isShared()) ? 'rslave' : 'rprivate',
    SEALFLOW_PORT: String(await freePort('127.0.0.1')),
    SEALFLOW_UI_PORT: String(await freePort('127.0.0.1')),
    // A limit above the daemon's own is refused, and that is not above ours here.
    SEALFLOW_NOFILE: String(Math.min(1048576, await hardLimit())),
    SEALFLOW_MEMLOCK: await hardLimitOfLockedMemory(),
    // All but two; a machine of two keeps one.
    SEALFLOW_P2_CPUSET: cpus.slice(cpus.length > 2 ? 2 : -1).join(','),
  };
}

async function hardLimit() {
  const [, limit] = /^Max open files +\S+ +(\S+)/m.exec(await readFile('/proc/self/limits', 'utf8')) ?? [];
  return limit === 'unlimited' ? Infinity : Number(limit);
}

async function hardLimitOfLockedMemory() {
  const [, limit = ''] =
    /^Max locked memory +\S+ +(\S+)/m.exec(await readFile('/proc/self/limits', 'utf8')) ?? [];
  return limit === 'unlimited' ? '-1' : limit;
}

/** Docker refuses rslave where the host's own mounts are private, as they are without systemd. */
async function isShared() {
  const root = (await readFile('/proc/self/mountinfo', 'utf8'))
    .split('\n')
    .find((line) => line.split(' ')[4] === '/');
  return root?.includes(' shared:') ?? false;
}

async function composeProgram(sh) {
  for (const program of [['docker', 'compose'], ['docker-compose']]) {
    const found = await sh(...program, 'version').then(
      () => true,
      () => false,
    );
    if (found) return program;
  }
  return undefined;
}

/** Asked in the image, as its user. */
async function hasParameters(group) {
  const command = ['p4p5', 'sealflow-engine', 'info', '--size', '2KiB'];
  const said = await group.compose(
    'run',
    '--rm',
    '--no-deps',
    '-T',
    '--entrypoint',
    command[1],
    command[0],
    ...command.slice(2),
  );
  return JSON.parse(said).sizes['2KiB'].parameters;
}

async function logsOf(group) {
  const logs = await Promise.all(
    SERVICES.map((service) => group.compose('logs', '--no-color', '--tail', '15', service).catch(() => '')),
  );
  return logs.join('\n');
}

/** By their tag: those of a build that failed half-way too. */
async function removeImages(sh, tag) {
  const list = await sh('docker', 'images', '--format', '{{.Repository}}:{{.Tag}}');
  const own = list.split('\n').filter((name) => name.startsWith('sealflow-') && name.endsWith(`:${tag}`));
  if (own.length > 0) await sh('docker', 'image', 'rm', ...own);
}
