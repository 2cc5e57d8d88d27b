import { buildEngine } from '../../src/engines/build/build.js';
import type { Engine } from '../../src/engines/engine.js';
import { findEngine } from '../../src/engines/locate.js';
import { ensureParameters } from '../../src/engines/parameters.js';
import type { SectorSize } from '../../src/phases.js';

/** The first build and the first parameters of a user take a quarter of an hour on two cores; later ones none. */
export const ENGINE_TIMEOUT_MS = 3_600_000;

/** The real engine, built where it is missing: all that P1, P2 and P3 need. */
export const builtEngine = async (): Promise<Engine> =>
  (await findEngine()) ?? (await buildEngine({ onStep: log }));

/** The real engine with its proof parameters, built and made where they are missing. */
export async function realEngine(size: SectorSize): Promise<Engine> {
  const engine = await builtEngine();
  await ensureParameters(engine, size, { onStep: log });
  return engine;
}

/** Long steps are logged when they begin, not each percent of them. */
function log(text: string, fraction?: number): void {
  if (fraction === undefined) console.log(text);
}
