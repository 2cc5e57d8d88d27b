/** Finds the engine for commands that need one. */
import type { Config } from '../config.js';
import type { Engine } from '../engines/engine.js';
import { engineInfo } from '../engines/info.js';
import { findEngine } from '../engines/locate.js';
import { NOT_BUILT_HINT, notBuilt } from '../engines/not-built.js';
import type { SectorSize } from '../phases.js';
import { UserError } from '../user-error.js';

/** @param config `[engine]` of config.toml. @throws UserError when no engine is found */
export async function requireEngine({
  command,
  environment,
}: Partial<Config['engine']> = {}): Promise<Engine> {
  const engine = await findEngine({ command, environment });
  if (engine) return engine;
  throw new UserError(notBuilt(), { hint: NOT_BUILT_HINT });
}

/** @returns undefined for a host that serves only P6. @throws UserError when a host that needs an engine has none. */
export async function engineFor({ engine, pools }: Config): Promise<Engine | undefined> {
  const needed = pools.some(({ phases }) => phases.some((phase) => phase !== 'P6'));
  return needed ? await requireEngine(engine) : undefined;
}

/** The reason why P4 cannot run with this engine on this host; undefined when it can. */
export async function parametersMissing(engine: Engine, size: SectorSize): Promise<string | undefined> {
  const { sizes, parameterDir } = await engineInfo(engine, size);
  const { parameters, unusable } = sizes[size] ?? {};
  if (parameters) return undefined;
  return (
    unusable ??
    `no proof parameters for ${size} in ${parameterDir} (sealflow setup --parameters ${size}, or FIL_PROOFS_PARAMETER_CACHE)`
  );
}
