/** Configs for checks: as parsed from a config.toml. */
import { parseConfig, type Config } from '../../../src/config.js';
import { PHASES, SECTOR_SIZES, type PhaseId, type SectorSize } from '../../../src/phases.js';

export interface Sample {
  size?: SectorSize;
  pools?: readonly (readonly [number, ...PhaseId[]])[];
  /** Further lines of the top level. */
  more?: string;
}

/** A P1 host of group 1 at /sealer, unless told otherwise. */
export function config({ size = '32GiB', pools = [[10, 'P1']], more = '' }: Sample = {}): Config {
  const workers = pools.map(
    ([num, ...phases]) =>
      `[[worker]]\nnum = ${num}\nsupported_phase = ${JSON.stringify(phases.map((id) => PHASES[id].queueName))}`,
  );
  return parseConfig(
    [
      'scheduler_url = "http://127.0.0.1:7233"',
      'local_dir = "/sealer"',
      'group_id = [1]',
      `sector_size = ${SECTOR_SIZES[size]}`,
      'ip = "10.10.10.21"',
      more,
      ...workers,
    ].join('\n'),
    'config.toml',
  );
}
