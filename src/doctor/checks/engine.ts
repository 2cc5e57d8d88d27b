/** The engine, and the proof parameters of P4. */
import { join } from 'node:path';
import { z } from 'zod';
import type { Engine } from '../../engines/engine.js';
import type { EngineInfo } from '../../engines/info.js';
import { isPublished } from '../../engines/published/list.js';
import { NOT_BUILT_HINT, notBuilt } from '../../engines/not-built.js';
import { describeEnd, runBound } from '../../machine/run-bound.js';
import { readdir, stat } from '../../mounts/remote-fs.js';
import type { SectorSize } from '../../phases.js';
import { fail, ok, warn, type Verdict } from '../finding.js';
import { gigabytes } from '../../units.js';

export const noEngine = (): Verdict => fail(notBuilt(), 'a program that computes P1 to P5', NOT_BUILT_HINT);

/** @param computesLabels whether this host serves P1 */
export function judgeEngine(
  { command, source }: Engine,
  { version, proofs, multicoreSdr }: EngineInfo,
  computesLabels = false,
): Verdict {
  const found = `${version} with filecoin-proofs ${proofs}, from ${source} (${command.join(' ')})`;
  if (multicoreSdr || !computesLabels) return ok(found);
  return warn(
    `${found}, without multicore SDR`,
    'an engine that computes the labels of P1 on several cores',
    'build the engine with its default features, or update it',
  );
}

/**
 * Per size, the name prefix of the published file (lotus `parameters.json`) and its minimum size in bytes: a truncated
 * download of the 44 GiB file is otherwise indistinguishable.
 */
const PUBLISHED: Partial<Record<SectorSize, { name: string; bytes: number }>> = {
  '32GiB': {
    name: 'v28-stacked-proof-of-replication-merkletree-poseidon_hasher-8-8-0-sha256_hasher-',
    bytes: 40e9,
  },
  '64GiB': {
    name: 'v28-stacked-proof-of-replication-merkletree-poseidon_hasher-8-8-2-sha256_hasher-',
    bytes: 40e9,
  },
};

export interface Parameters {
  size: SectorSize;
  directory: string;
  /** As the engine reports: they exist, and nothing is known to be wrong with them. */
  present: boolean;
  /** What the engine knows to be wrong with those that exist. */
  unusable?: string | undefined;
  /** Size of the published file; undefined where none is published or found. */
  bytes: number | undefined;
}

export async function checkParameters(
  { sizes, parameterDir }: EngineInfo,
  size: SectorSize,
): Promise<Parameters> {
  const published = PUBLISHED[size];
  const names = published ? await readdir(parameterDir).catch(() => []) : [];
  const name = names.find((file) => file.startsWith(published?.name ?? '') && file.endsWith('.params'));
  const found = name === undefined ? undefined : await stat(join(parameterDir, name)).catch(() => undefined);
  const { parameters = false, unusable } = sizes[size] ?? {};
  return { size, directory: parameterDir, present: parameters, unusable, bytes: found?.size };
}

/** What replaces a damaged file. */
const mendOf = (size: SectorSize): string =>
  `${isPublished(size) ? 'run' : 'delete the file, then run'} sealflow setup --parameters ${size} with the same --config and as the same user`;

export function judgeParameters({ size, directory, present, unusable, bytes }: Parameters): Verdict {
  const published = PUBLISHED[size];
  if (unusable !== undefined) {
    return fail(unusable, 'whole proof parameters: without them P4 is not served', mendOf(size));
  }
  if (!present) {
    return fail(
      `none for ${size} in ${directory}`,
      'proof parameters for this sector size: without them P4 is not served',
      `run sealflow setup --parameters ${size} with the same --config and as the same user, or set FIL_PROOFS_PARAMETER_CACHE to a directory that has them`,
    );
  }
  if (published && bytes !== undefined && bytes < published.bytes) {
    return fail(
      `${gigabytes(bytes)} in ${directory}`,
      `${gigabytes(published.bytes)} or more`,
      `the file is truncated: sealflow setup --parameters ${size}, with the same --config, replaces it`,
    );
  }
  return ok(`${directory}${bytes === undefined ? '' : `, ${gigabytes(bytes)}`}`);
}

/** The last line of `params`. */
const doneSchema = z.object({ done: z.literal(true), unknown: z.array(z.string()).optional() });

/** Lets the engine read and compare all files, which takes minutes for 44 GiB. Generates nothing. */
export async function checkParametersDeep(
  { command, environment }: Engine,
  size: SectorSize,
): Promise<Verdict> {
  const [program, ...first] = command;
  let unknown: string[] = [];
  const onStdout = (line: string): void => {
    const { data } = doneSchema.safeParse(parseJson(line));
    unknown = data?.unknown ?? unknown;
  };
  const args = [...first, 'params', size, '--only-check'];
  const end = await runBound(program, args, { env: environment, onStdout });
  const wanted = `parameters of ${size} as ${isPublished(size) ? 'published' : 'generated'}`;
  if (end.code !== 0) return fail(describeEnd(end), wanted, mendOf(size));
  if (unknown.length === 0) return ok(`the digests for ${size} match`);
  return warn(
    `no digest was recorded of ${unknown.join(', ')}`,
    wanted,
    'nothing, unless P4 fails: an earlier version has generated them, and they cannot be compared',
  );
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
