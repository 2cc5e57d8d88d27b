/** sealflow's programs in processes of their own, as hosts run them; none of them outlives the bench. */
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { findEngines } from '#dist/engines/find.js';
import { hostIdentity } from '#dist/engines/processes.js';
import { endGroup, spawnBound } from '#dist/machine/bound-process.js';

const MAIN = fileURLToPath(new URL('../../dist/cli/sealflow.cjs', import.meta.url));
const GRACE_MS = 15_000;

/** Runs `work(start)`, and ends what it has started with `start(args, options)`. */
export async function withPrograms(work) {
  const children = [];
  const start = async (args, options) => {
    const child = startProgram(args, options);
    children.push(child);
    await untilLogged(child, options.ready);
    return child.pid;
  };
  try {
    return await work(start);
  } finally {
    await Promise.all(children.map((child) => endGroup(child, GRACE_MS)));
  }
}

/**
 * @param ready what it says when it is up
 * @param openFiles limit of open files; ours if not given. Node raises a soft limit to the hard one, so this sets both.
 */
function startProgram(args, { env = {}, openFiles }) {
  const limited = openFiles ? ['/bin/sh', '-c', `ulimit -n ${openFiles} && exec "$0" "$@"`] : [];
  const [program, ...first] = [...limited, process.execPath, MAIN, ...args];
  return spawnBound(program, first, {
    env: { ...ownEnvironment(), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

/** Whoever runs the bench may have a server of his own. */
const ownEnvironment = () =>
  Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(TEMPORAL_|SEALFLOW_ENGINE$)/.test(name)),
  );

async function untilLogged(child, text) {
  let logged = '';
  const ready = /** @type {Promise<void>} */ (
    new Promise((resolve) => {
      for (const stream of [child.stdout, child.stderr]) {
        stream.setEncoding('utf8').on('data', (more) => {
          logged += more;
          if (logged.includes(text)) resolve();
        });
      }
    })
  );
  const ended = once(child, 'exit').then(() => {
    throw new Error(`it ended before it logged "${text}":\n${logged}`);
  });
  await Promise.race([ready, ended]);
  // It is ended later, on purpose.
  ended.catch(() => undefined);
}

/** Engines live on without their worker: those of a bench that failed are ended too. */
export async function endEngines(localDir) {
  for (const { process: engine } of await findEngines(localDir, await hostIdentity('127.0.0.1'))) {
    try {
      process.kill(-engine.pid, 'SIGKILL');
    } catch (error) {
      if (error.code !== 'ESRCH') throw error;
    }
  }
}
