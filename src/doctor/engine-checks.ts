/** Checks of the engine, if a phase that needs one is served. */
import { isAbsolute } from 'node:path';
import type { Config } from '../config.js';
import type { Engine } from '../engines/engine.js';
import { engineInfo, type EngineInfo } from '../engines/info.js';
import { findEngine } from '../engines/locate.js';
import { isErrno } from '../files.js';
import { stat } from '../mounts/remote-fs.js';
import { declaredPhases } from './checks/config.js';
import {
  checkParametersDeep,
  judgeEngine,
  judgeParameters,
  checkParameters,
  noEngine,
} from './checks/engine.js';
import { skipped } from './finding.js';
import type { Check } from './run-checks.js';

/** Querying an engine has its own deadline (30 s), because its program may have to be loaded from a busy disk. */
const ENGINE_DEADLINE_MS = 40_000;
/** Time to read 44 GiB from a slow disk. */
const DEEP_DEADLINE_MS = 3_600_000;

/** @param deep also compare the digests of the parameters: minutes for 32GiB and 64GiB */
export function engineChecks(config: Config, deep: boolean): Check[] {
  const served = declaredPhases(config);
  if (served.every((phase) => phase === 'P6')) return [];
  const { command, environment } = config.engine;
  const found = statProgram(command?.[0]).then(() => findEngine({ command, environment }));
  const info = found.then((engine) => engine && engineInfo(engine, config.size));
  // The checks that await them report the errors.
  for (const promise of [found, info]) promise.catch(() => undefined);
  const parameters: Check = {
    name: 'parameters',
    deadlineMs: deep ? DEEP_DEADLINE_MS : ENGINE_DEADLINE_MS,
    run: async () => {
      if (!served.includes('P4')) return skipped('P4 is not served here');
      const known = await settled(found, info);
      if (!known) return skipped('no working engine');
      const parameters = await checkParameters(known.info, config.size);
      const verdict = judgeParameters(parameters);
      // Damage that was found once is read anew too: the file may be right again.
      const isWorthReading = verdict.result === 'ok' || parameters.unusable !== undefined;
      return deep && isWorthReading ? await checkParametersDeep(known.engine, config.size) : verdict;
    },
  };
  return [
    {
      name: 'engine',
      deadlineMs: ENGINE_DEADLINE_MS,
      run: async () => {
        const [engine, facts] = await Promise.all([found, info]);
        return engine && facts ? judgeEngine(engine, facts, served.includes('P1')) : noEngine();
      },
    },
    parameters,
  ];
}

/**
 * Stats the engine's program first, because starting one from a hung mount would block this process.
 * @throws MountHungError if the mount is registered
 */
async function statProgram(program = ''): Promise<void> {
  if (!isAbsolute(program)) return;
  await stat(program).catch((error: unknown) => {
    if (!isErrno(error, 'ENOENT', 'ENOTDIR', 'EACCES')) throw error;
  });
}

/** @returns undefined if there is no engine, or it does not work */
async function settled(
  found: Promise<Engine | undefined>,
  reported: Promise<EngineInfo | undefined>,
): Promise<{ engine: Engine; info: EngineInfo } | undefined> {
  try {
    const [engine, info] = await Promise.all([found, reported]);
    return engine && info ? { engine, info } : undefined;
  } catch {
    return undefined;
  }
}
