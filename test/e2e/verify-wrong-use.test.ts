/** Wrong use of `sealflow verify`: each mistake has its own message, and no sector is checked. */
import { writeFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { beforeEach, test, vi } from 'vitest';
import { configToml } from '../helpers/config-toml.js';
import { engineProgram } from '../helpers/engine-program.js';
import { expectRefused } from '../helpers/refused.js';
import { storeSectors } from '../helpers/stored.js';
import { temporaryDirectory } from '../helpers/temporary.js';

vi.setConfig({ testTimeout: 120_000 });

let root: string;
let node: string;
let env: NodeJS.ProcessEnv;
beforeEach(async () => {
  root = await temporaryDirectory();
  node = await storeSectors(join(root, 'node-1'), 1);
  env = { SEALFLOW_ENGINE: await engineProgram(root) };
});

const SEE_HELP = '(sealflow --help lists the commands)';
const refused = (args: string[], ...lines: string[]): Promise<void> =>
  expectRefused(['verify', ...args], 2, lines, env);

test('missing sectors and nodes, or too many', async () => {
  const what =
    'sealflow: nothing to check: give sectors like t01000/7, or --all DIR for a whole storage node';
  await refused([], what);
  await refused(['--node', node], what);
  const either = 'sealflow: give either sectors or --all, which checks every sector of a storage node';
  await refused(['t01000/1', '--all', node], either);
  await refused(['--all', node, 't01000/1'], either);
  await refused(['t01000/1'], 'sealflow: no storage node given: use --node DIR, or --config config.toml');
  await refused(['--all'], 'sealflow: no storage node given: use --all DIR, or --config config.toml');
  await refused(
    ['--node', node, 't01000/5-1'],
    'sealflow: t01000/5-1: The range must be ascending and contain at most 100000 sectors.',
  );
  await refused(
    ['t01000', '--node', node],
    "error: command-argument value 't01000' is invalid for argument 'sectors'. " +
      'A sector looks like t01000/7 or s-t01000-7, a range like t01000/1-500.',
    SEE_HELP,
  );
  await refused(
    ['--all', node, '--jobs', '0'],
    "error: option '--jobs <n>' argument '0' is invalid. It must be a whole number above 0.",
    SEE_HELP,
  );
});

test('directories that are not storage nodes', async () => {
  const none = join(root, 'none');
  const file = await engineProgram(root);
  await refused(['--all', none], `sealflow: ${none} is not there: is it mounted?`);
  await refused(['t01000/1', '--node', none], `sealflow: ${none} is not there: is it mounted?`);
  await refused(['--all', file], `sealflow: ${file} is no directory`);
  await refused(
    ['--all', root],
    `sealflow: ${root} is no storage node: it has neither receipts/ nor sealed/`,
  );
});

test('a config.toml without storage nodes, a host without an engine', async () => {
  const config = join(root, 'config.toml');
  await writeFile(config, configToml({}));
  await refused(
    ['--all', '--config', config],
    `sealflow: ${config}: storage-nodes is not set`,
    '  name the nodes: --all DIR',
  );
  env = { SEALFLOW_ENGINE: join(root, 'none') };
  await refused(
    ['--all', node],
    `sealflow: SEALFLOW_ENGINE names no executable file: ${join(root, 'none')}`,
    '  give the path of an engine, or leave it out: then sealflow builds its own',
  );
  env = { SEALFLOW_CACHE: root };
  await refused(
    ['--all', node],
    `sealflow: the engine is not built for user ${userInfo().username} (none in ${join(root, 'engine')})`,
    '  `sealflow setup --engine`, run as this user, builds it; or give the path of an existing build as [engine] command or SEALFLOW_ENGINE',
  );
});
