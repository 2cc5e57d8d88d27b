/** Checks of the engine, where a phase that needs one is served. */
import { isAbsolute } from 'node:path';
import type { Config } from '../config.js';
import type { Engine } from '../engines/engine.js';
import { engineInfo, type EngineInfo } from '../engines/info.js';
import { findEngine } from '../engines/locate.js';
import { isErrno } from '../files.js';
import { stat } from '../mounts/remote-fs.js';
import { servedPhases } from './checks/config.js';
import {
  checkParametersDeep,
  judgeEngine,
  judgeParameters,
  checkParameters,
  noEngine,
} from './checks/engine.js';
import { skipped } from './finding.js';
import type { Check } from './run-checks.js';

/** An engine is asked with a deadline of its own (30 s): its program may come from a busy disk. */
const ENGINE_DEADLINE_MS = 40_000;
/** 44 GiB from a slow disk. */
const DEEP_DEADLINE_MS = 3_600_000;

/** @param deep compare the digests of the parameters too: minutes for 32GiB and 64GiB */
export function engineChecks(config: Config, deep: boolean): Check[] {
  const served = servedPhases(config);
  if (served.every((phase) => phase === 'P6')) return [];
  const { command, environment } = config.engine;
  const found = answers(command?.[0]).then(() => findEngine({ command, environment }));
  const asked = found.then((engine) => engine && engineInfo(engine, config.size));
  // Told by the checks that wait for them.
  for (const promise of [found, asked]) promise.catch(() => undefined);
  const parameters: Check = {
    name: 'parameters',
    deadlineMs: deep ? DEEP_DEADLINE_MS : ENGINE_DEADLINE_MS,
    look: async () => {
      if (!served.includes('P4')) return skipped('P4 is not served here');
      const known = await settled(found, asked);
      if (!known) return skipped('no engine that answers');
      const verdict = judgeParameters(await checkParameters(known.info, config.size));
      return deep && verdict.result === 'ok' ? await checkParametersDeep(known.engine, config.size) : verdict;
    },
  };
  return [
    {
      name: 'engine',
      deadlineMs: ENGINE_DEADLINE_MS,
      look: async () => {
        const [engine, info] = await Promise.all([found, asked]);
        return engine && info ? judgeEngine(engine, info) : noEngine();
      },
    },
    parameters,
  ];
}

/** Starting a program from a mount that hangs would hold this process. @throws MountHungError where it is registered */
async function answers(program = ''): Promise<void> {
  if (!isAbsolute(program)) return;
  await stat(program).catch((error: unknown) => {
    if (!isErrno(error, 'ENOENT', 'ENOTDIR', 'EACCES')) throw error;
  });
}

async function settled(
  found: Promise<Engine | undefined>,
  asked: Promise<EngineInfo | undefined>,
): Promise<{ engine: Engine; info: EngineInfo } | undefined> {
  try {
    const [engine, info] = await Promise.all([found, asked]);
    return engine && info ? { engine, info } : undefined;
  } catch {
    return undefined;
  }
}
