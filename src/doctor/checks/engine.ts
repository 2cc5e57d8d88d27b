/** The engine, and the proof parameters of P4. */
import { join } from 'node:path';
import type { Engine } from '../../engines/engine.js';
import type { EngineInfo } from '../../engines/info.js';
import { NOT_BUILT_HINT, notBuilt } from '../../engines/not-built.js';
import { describeEnd, runBound } from '../../machine/run-bound.js';
import { readdir, stat } from '../../mounts/remote-fs.js';
import type { SectorSize } from '../../phases.js';
import { fail, ok, type Verdict } from '../finding.js';
import { gigabytes } from '../../units.js';

export const noEngine = (): Verdict => fail(notBuilt(), 'a program that computes P1 to P5', NOT_BUILT_HINT);

export const judgeEngine = ({ command, source }: Engine, { version, proofs }: EngineInfo): Verdict =>
  ok(`${version} with filecoin-proofs ${proofs}, from ${source} (${command.join(' ')})`);

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
  /** As the engine reports: they exist and are not empty. */
  present: boolean;
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
  return { size, directory: parameterDir, present: sizes[size]?.parameters ?? false, bytes: found?.size };
}

export function judgeParameters({ size, directory, present, bytes }: Parameters): Verdict {
  const published = PUBLISHED[size];
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

/** Lets the engine compare the digests, which takes minutes for 44 GiB. Generates nothing. */
export async function checkParametersDeep(
  { command, environment }: Engine,
  size: SectorSize,
): Promise<Verdict> {
  const [program, ...first] = command;
  const end = await runBound(program, [...first, 'params', size, '--only-check'], { env: environment });
  if (end.code === 0) return ok(`the digests for ${size} match`);
  return fail(
    describeEnd(end),
    `parameters of ${size} as published`,
    `run sealflow setup --parameters ${size} with the same --config`,
  );
}
