/** What `sealflow verify` is asked to look at, and whether that can be meant. */
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
  // Options that take several words take the sectors behind them too: `--node DIR t01000/7`.
  const words = [...node, ...(Array.isArray(all) ? (all as string[]) : [])];
  const sectors = words
    .filter(looksLikeSector)
    .reduce((found, word) => [...found, ...sectorsIn(word)], [...before]);
  const given = words.filter((word) => !looksLikeSector(word));
  if (all && sectors.length > 0)
    throw new UserError('either sectors or --all: that checks every sector of a storage node');
  if (!all && sectors.length === 0)
    throw new UserError(
      'what is to be checked? sectors like t01000/7, or --all DIR for a whole storage node',
    );
  const config = file === undefined ? undefined : readConfig(file);
  const directories = given.length > 0 ? given : (config?.storageNodes ?? []);
  if (directories.length === 0) {
    throw config
      ? new UserError(`${file}: storage-nodes is not set`, {
          hint: `name the nodes: ${all ? '--all' : '--node'} DIR`,
        })
      : new UserError(`on which storage node? ${all ? '--all' : '--node'} DIR, or --config config.toml`);
  }
  const nodes = [...new Set(directories.map((directory) => resolve(directory)))];
  return { sectors: all ? undefined : sectors, nodes, engine: config?.engine };
}

/** Commander says what is wrong only of arguments that it has parsed itself. */
function sectorsIn(word: string): SectorId[] {
  try {
    return parseSectors(word);
  } catch (error) {
    if (error instanceof InvalidArgumentError) throw new UserError(`${word}: ${error.message}`);
    throw error;
  }
}

/** A directory of such a name can be given as `./t01000/7`. */
const looksLikeSector = (word: string): boolean => /^[tf]0[0-9]+\/[0-9]+(?:-[0-9]+)?$/.test(word);
