/** A group of one host for a bench: its directories and its config.toml, as an administrator makes them. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'smol-toml';
import { PHASES } from '#dist/phases.js';
import { setUpGroupDirectory } from '#dist/group/marker.js';

/**
 * @param pools each `[slots, ...phases]`: `[4, 'P1', 'P2']`
 * @param keys of config.toml, beside the usual ones or in their place
 * @returns the config's file, and local_dir
 */
export async function makeGroup(directory, address, pools, keys = {}) {
  const localDir = join(directory, 'sealer');
  const node = join(directory, 'node');
  for (const path of [localDir, node]) mkdirSync(path);
  await setUpGroupDirectory(localDir, 1, 'node');
  const file = join(directory, 'config.toml');
  const config = {
    scheduler_url: `http://${address}`,
    local_dir: localDir,
    group_id: [1],
    sector_size: 2048,
    ip: '127.0.0.1',
    'storage-nodes': [node],
    allow_system_disk: true,
    engine: { reserved_cores: 0 },
    worker: pools.map(([num, ...phases]) => ({
      num,
      supported_phase: phases.map((phase) => PHASES[phase].queueName),
    })),
    ...keys,
  };
  writeFileSync(file, stringify(config));
  return { file, localDir };
}
