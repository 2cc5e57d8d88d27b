import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { cachePath } from '../machine/cache.js';
import { findTool } from '../machine/tools.js';
import { UserError } from '../user-error.js';
import type { Engine } from './engine.js';
import { engineEnvironment } from './environment.js';
import { ENGINE_CRATE, sourceKey } from './build/sources.js';

/** Name of the program, in builds and in PATH. */
export const ENGINE_PROGRAM = 'sealflow-engine';

export interface FindEngineOptions {
  /** `[engine] command` of config.toml: program and first arguments. */
  command?: readonly string[] | undefined;
  /** `[engine] environment` of config.toml. */
  environment?: Readonly<Record<string, string>>;
  /** Cargo features that a build must have. */
  features?: readonly string[];
  crate?: string;
}

/**
 * Finds an existing engine: from config.toml, else from `SEALFLOW_ENGINE`, else a build of exactly these sources,
 * by any compiler.
 *
 * @returns undefined when it must be built first
 * @throws UserError when config.toml or SEALFLOW_ENGINE names a program that does not exist
 */
export async function findEngine(options: FindEngineOptions = {}): Promise<Engine | undefined> {
  const { command: [program, ...first] = [], features = [], crate = ENGINE_CRATE } = options;
  const environment = engineEnvironment(options.environment);
  if (program !== undefined) {
    return { command: [resolved(program, '[engine] command'), ...first], environment, source: 'config.toml' };
  }
  const named = process.env['SEALFLOW_ENGINE'];
  if (named) return { command: [resolved(named, 'SEALFLOW_ENGINE')], environment, source: 'SEALFLOW_ENGINE' };
  const key = await sourceKey(crate, features);
  const built = key === undefined ? undefined : await newestBuild(key);
  return built === undefined ? undefined : { command: [built], environment, source: 'cache' };
}

function resolved(program: string, setting: string): string {
  const path = findTool(program);
  if (path !== undefined) return path;
  throw new UserError(`${setting} names no executable file: ${program}`, {
    hint: 'give the path of an engine, or leave it out: then sealflow builds its own',
  });
}

/** There may be builds by several compilers. */
async function newestBuild(key: string): Promise<string | undefined> {
  const builds = cachePath('engine');
  const names = (await readdir(builds).catch(() => [])).filter((name) => name.startsWith(`${key}-`));
  const found = await Promise.all(
    names.map(async (name) => {
      const path = join(builds, name, ENGINE_PROGRAM);
      return { path, made: (await stat(path).catch(() => undefined))?.mtimeMs ?? 0 };
    }),
  );
  return found.filter(({ made }) => made > 0).sort((a, b) => b.made - a.made)[0]?.path;
}
