/** The engine, and the proof parameters of P4. */
import { join } from 'node:path';
import type { Engine } from '../../engines/engine.js';
import type { EngineInfo } from '../../engines/info.js';
import { describeEnd, runBound } from '../../machine/run-bound.js';
import { readdir, stat } from '../../mounts/remote-fs.js';
import type { SectorSize } from '../../phases.js';
import { fail, ok, type Verdict } from '../finding.js';
import { gigabytes } from '../../units.js';

export const noEngine = (): Verdict =>
  fail(
    'the engine is not built',
    'a program that computes P1 to P5',
    'sealflow setup --engine builds it; [engine] command or SEALFLOW_ENGINE name one that is built',
  );

export const judgeEngine = ({ command, source }: Engine, { version, proofs }: EngineInfo): Verdict =>
  ok(`${version} with filecoin-proofs-api ${proofs}, from ${source} (${command.join(' ')})`);

/**
 * How the published files begin in whose names the size shows (lotus `parameters.json`), and the bytes that they have at least: one
 * of 44 GiB that was cut off in a download looks like any other.
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
  /** As the engine finds them: there, and not empty. */
  present: boolean;
  /** Of the published file; undefined where sizes are not known. */
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
      'the proof parameters of the size: without them P4 is not served',
      published
        ? 'put the published files there, or name their directory in FIL_PROOFS_PARAMETER_CACHE'
        : `sealflow setup --parameters ${size}, or FIL_PROOFS_PARAMETER_CACHE`,
    );
  }
  if (published && bytes !== undefined && bytes < published.bytes) {
    return fail(
      `${gigabytes(bytes)} in ${directory}`,
      `${gigabytes(published.bytes)} or more`,
      'the file was cut off: fetch it again',
    );
  }
  return ok(`${directory}${bytes === undefined ? '' : `, ${gigabytes(bytes)}`}`);
}

/** Has the engine compare the digests: minutes for 44 GiB. Nothing is made. */
export async function checkParametersDeep(
  { command, environment }: Engine,
  size: SectorSize,
): Promise<Verdict> {
  const [program, ...first] = command;
  const end = await runBound(program, [...first, 'params', size, '--only-check'], { env: environment });
  if (end.code === 0) return ok(`those of ${size} are what they must be`);
  return fail(describeEnd(end), `parameters of ${size} as published`, 'fetch the files again');
}
