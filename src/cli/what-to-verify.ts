/** Resolves the arguments of `sealflow verify`, and rejects contradictory ones. */
import { resolve } from 'node:path';
import { InvalidArgumentError } from 'commander';
import { readConfig, type Config } from '../config.js';
import type { SectorId } from '../sector.js';
import { UserError } from '../user-error.js';
import { parseSectors } from './arguments.js';

export interface VerifyArguments {
  sectors: readonly SectorId[];
  node?: readonly string[];
  /** `true` without directories. */
  all?: readonly string[] | true;
  config?: string;
}

export interface WhatToVerify {
  /** undefined for all. */
  sectors: SectorId[] | undefined;
  /** Directories of the storage nodes, each once. */
  nodes: string[];
  /** `[engine]` of config.toml. */
  engine?: Config['engine'];
}

/** @throws UserError (exit 2) */
export function whatToVerify({
  sectors: before,
  node = [],
  all,
  config: file,
}: VerifyArguments): WhatToVerify {
  // Variadic options also swallow the sectors that follow them: `--node DIR t01000/7`.
  const values = [...node, ...(Array.isArray(all) ? (all as string[]) : [])];
  const sectors = values
    .filter(looksLikeSector)
    .reduce((found, value) => [...found, ...sectorsIn(value)], [...before]);
  const given = values.filter((value) => !looksLikeSector(value));
  if (all && sectors.length > 0)
    throw new UserError('give either sectors or --all, which checks every sector of a storage node');
  if (!all && sectors.length === 0)
    throw new UserError(
      'nothing to check: give sectors like t01000/7, or --all DIR for a whole storage node',
    );
  const config = file === undefined ? undefined : readConfig(file);
  const directories = given.length > 0 ? given : (config?.storageNodes ?? []);
  if (directories.length === 0) {
    throw config
      ? new UserError(`${file}: storage-nodes is not set`, {
          hint: `name the nodes: ${all ? '--all' : '--node'} DIR`,
        })
      : new UserError(`no storage node given: use ${all ? '--all' : '--node'} DIR, or --config config.toml`);
  }
  const nodes = [...new Set(directories.map((directory) => resolve(directory)))];
  return { sectors: all ? undefined : sectors, nodes, engine: config?.engine };
}

/** Commander reports InvalidArgumentError only for arguments that it has parsed itself. */
function sectorsIn(value: string): SectorId[] {
  try {
    return parseSectors(value);
  } catch (error) {
    if (error instanceof InvalidArgumentError) throw new UserError(`${value}: ${error.message}`);
    throw error;
  }
}

/** A directory with such a name can be given as `./t01000/7`. */
const looksLikeSector = (value: string): boolean =>
  /^(@.|[tf]0[0-9]+\/[0-9]+(-[0-9]+)?$|s-t0[0-9]+-[0-9]+$)/.test(value);
