import { expect, test, vi } from 'vitest';
import { parseConfig } from '../../../src/config.js';
import { warnAtStart } from '../../../src/doctor/at-start.js';
import { configToml } from '../../helpers/config-toml.js';

test('at its start a worker is told of too little memory for P4', async () => {
  const text = configToml({ worker: [{ num: 1_000_000, supported_phase: ['CommitPhase2'] }] });
  const warn = vi.fn();
  await warnAtStart(
    parseConfig(text, 'config.toml'),
    { info: vi.fn(), warn },
    { quickMs: 1000, slowMs: 1000 },
  );
  expect(warn.mock.calls.flat()).toContainEqual(expect.stringContaining('doctor: memory for P4: '));
});

test('at its start a worker warns of an ip that is no address of its host', async () => {
  const warn = vi.fn();
  const config = parseConfig(configToml({ ip: '192.0.2.7' }), 'config.toml');
  await warnAtStart(config, { info: vi.fn(), warn }, { quickMs: 1000, slowMs: 1000 });
  expect(warn.mock.calls.flat()).toContainEqual(
    expect.stringContaining('doctor: ip: ip = "192.0.2.7" is no address of this host'),
  );
});

test('at its start a worker is told of no other warning', async () => {
  const warn = vi.fn();
  const engine = { environment: { FORCE_OPT_P1: '1' } };
  const config = parseConfig(configToml({ engine }), 'config.toml');
  await warnAtStart(config, { info: vi.fn(), warn }, { quickMs: 1000, slowMs: 1000 });
  expect(warn.mock.calls.flat().filter((line) => String(line).includes('FORCE_OPT_P1'))).toEqual([]);
});
