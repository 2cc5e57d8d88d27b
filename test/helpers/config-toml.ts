import { stringify } from 'smol-toml';

/** The config.toml of a host that has neither server nor local_dir, with more keys. */
export const configToml = (more: Record<string, unknown>): string =>
  stringify({
    ...{
      scheduler_url: 'http://127.0.0.1:1',
      local_dir: '/none',
      group_id: [1],
      sector_size: 2048,
      ip: '127.0.0.1',
    },
    worker: [{ num: 1, supported_phase: ['CleanTask'] }],
    ...more,
  });
