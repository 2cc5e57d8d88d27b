import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, expect, test, vi } from 'vitest';
import { parseConfig, type Config } from '../../../src/config.js';
import { hasEnded, lockPhases } from '../../../src/workers/only-worker.js';
import { configToml } from '../../helpers/config-toml.js';
import { temporaryDirectory } from '../../helpers/temporary.js';

let root: string;
let warned: string[];
const log = { info: () => undefined, warn: (message: string) => void warned.push(message) };
const GRACE_MS = 100;

beforeEach(async () => {
  root = await temporaryDirectory();
  warned = [];
  await mkdir(join(root, 'sealer'));
  vi.stubEnv('SEALFLOW_CACHE', join(root, 'cache'));
  return () => vi.unstubAllEnvs();
});

const host = (phases: string[], more: Record<string, unknown> = {}): Config => {
  const worker = [{ num: 1, supported_phase: phases }];
  return parseConfig(configToml({ local_dir: join(root, 'sealer'), worker, ...more }), 'config.toml');
};
const start = (config: Config): Promise<() => Promise<void>> => lockPhases(config, log, GRACE_MS);

test('refuses a second worker with the same config until the first has exited', async () => {
  const end = await start(host(['PreCommitPhase1', 'CleanTask']));
  await expect(start(host(['PreCommitPhase1', 'CleanTask']))).rejects.toMatchObject({
    message: `process ${process.pid} already serves P1 on 127.0.0.1 for ${join(root, 'sealer')}`,
    exitCode: 1,
  });
  await end();
  await (
    await start(host(['PreCommitPhase1', 'CleanTask']))
  )();
});

test('refuses a worker that shares one phase, and releases the locks it took before', async () => {
  const end = await start(host(['CleanTask']));
  await expect(start(host(['PreCommitPhase1', 'CleanTask']))).rejects.toThrow('serves P6');
  await (
    await start(host(['PreCommitPhase1']))
  )();
  await end();
});

test('resolves symbolic links in local_dir', async () => {
  await symlink(join(root, 'sealer'), join(root, 'link'));
  const end = await start(host(['CleanTask']));
  await expect(start(host(['CleanTask'], { local_dir: join(root, 'link') }))).rejects.toThrow('serves P6');
  await end();
});

test('allows workers with different phases, address, directory or sector size side by side', async () => {
  const ends = [await start(host(['CleanTask']))];
  await mkdir(join(root, 'other'));
  ends.push(await start(host(['CopyTask'])));
  for (const more of [{ ip: '127.0.0.2' }, { local_dir: join(root, 'other') }, { sector_size: 8_388_608 }])
    ends.push(await start(host(['CleanTask'], more)));
  for (const end of ends) await end();
  expect(warned).toEqual([]);
});

test('waits for a worker that is about to exit', async () => {
  const end = await start(host(['CleanTask']));
  const second = lockPhases(host(['CleanTask']), log, 30_000);
  await end();
  await (
    await second
  )();
});

test('starts a worker even if the cache cannot be written', async () => {
  await writeFile(join(root, 'file'), '');
  vi.stubEnv('SEALFLOW_CACHE', join(root, 'file'));
  await start(host(['CleanTask']));
  expect(warned).toEqual([expect.stringContaining('cannot check whether another worker')]);
});

test('a worker that was killed is known to have ended; one that runs, another one, and one elsewhere are not', async () => {
  const config = host(['PreCommitPhase1', 'CleanTask']);
  expect(await hasEnded(config, process.pid)).toBe(false);
  const end = await start(config);
  expect(await hasEnded(config, process.pid)).toBe(false);
  // The kernel releases the locks of a process that is killed.
  await end();
  expect(await hasEnded(config, process.pid)).toBe(true);
  expect(await hasEnded(config, process.pid + 1)).toBe(false);
  expect(await hasEnded(host(['PreCommitPhase1', 'CleanTask'], { ip: '127.0.0.9' }), process.pid)).toBe(
    false,
  );
});
