import { createHash } from 'node:crypto';
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cachePath, makeOnce } from '../../machine/cache.js';
import { lockFile } from '../../machine/file-lock.js';
import type { OnStep } from '../../machine/on-step.js';
import { UserError } from '../../user-error.js';
import { cargoBuild } from './cargo.js';
import type { Engine } from '../engine.js';
import { engineEnvironment } from '../environment.js';
import { ENGINE_PROGRAM } from '../locate.js';
import { requireRust } from './rust.js';
import { ENGINE_CRATE, sourceKey } from './sources.js';

export interface BuildEngineOptions {
  onStep?: OnStep | undefined;
  signal?: AbortSignal | undefined;
  /** `[engine] environment` of config.toml, for the returned engine. */
  environment?: Readonly<Record<string, string>>;
  /** Cargo features, for example `cuda`. */
  features?: readonly string[];
  crate?: string;
}

/**
 * Builds the engine (about two minutes on two cores, the first time) into the cache, keyed by sources, features and
 * compiler. Dependencies are compiled into a target directory that all versions share, so that the next build
 * takes seconds.
 *
 * @throws UserError when Rust or a C compiler is missing or too old, or the build fails
 */
export async function buildEngine(options: BuildEngineOptions = {}): Promise<Engine> {
  const { onStep, signal, features = [], crate = ENGINE_CRATE } = options;
  const key = await sourceKey(crate, features);
  if (key === undefined) {
    throw new UserError(`the engine's sources are missing (${crate})`, {
      hint: 'set SEALFLOW_ENGINE to a built engine, or run sealflow from a checkout',
    });
  }
  const compiler = createHash('sha256')
    .update(await requireRust(crate))
    .digest('hex')
    .slice(0, 8);
  const onWait = (): void => onStep?.('waiting for another process that is building an engine');
  const build = async (directory: string): Promise<void> => {
    const targetDirectory = cachePath('engine-target');
    // cargo releases its own lock on exit: another build could overwrite our binary before it is copied.
    const lock = await lockFile(cachePath('.locks/engine-target'), { onWait, signal });
    try {
      const binary = await cargoBuild({
        crate,
        program: ENGINE_PROGRAM,
        features,
        targetDirectory,
        onStep,
        signal,
      });
      await copyFile(binary, join(directory, ENGINE_PROGRAM));
    } finally {
      await lock.release();
    }
    if ((await sourceKey(crate, features)) !== key) {
      throw new UserError("the engine's sources changed during the build", {
        exitCode: 1,
        hint: 'run the command again',
      });
    }
  };
  const made = await makeOnce(`engine/${key}-${compiler}`, build, { onWait, signal });
  return {
    command: [join(made, ENGINE_PROGRAM)],
    environment: engineEnvironment(options.environment),
    source: 'built',
  };
}
