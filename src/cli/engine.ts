/** The engine that a host's config asks for. */
import type { Config } from '../config.js';
import type { Engine } from '../engine/engine.js';
import { engineInfo } from '../engine/info.js';
import { findEngine } from '../engine/locate.js';
import type { SectorSize } from '../phases.js';
import { UserError } from '../user-error.js';

/** A host of P6 alone computes nothing. @throws UserError when a host that needs an engine has none. */
export async function engineFor({
  engine: { command, environment },
  pools,
}: Config): Promise<Engine | undefined> {
  if (pools.every(({ phases }) => phases.every((phase) => phase === 'P6'))) return undefined;
  const engine = await findEngine({ command, environment });
  if (engine) return engine;
  throw new UserError('the engine is not built', {
    hint: '`sealflow setup --engine` builds it; [engine] command or SEALFLOW_ENGINE name one that is built',
  });
}

/** Why P4 cannot run with this engine here; undefined when it can. */
export async function parametersMissing(engine: Engine, size: SectorSize): Promise<string | undefined> {
  const { sizes, parameterDir } = await engineInfo(engine, size);
  if (sizes[size]?.parameters) return undefined;
  return `no proof parameters for ${size} in ${parameterDir} (sealflow setup --parameters ${size}, or FIL_PROOFS_PARAMETER_CACHE)`;
}
