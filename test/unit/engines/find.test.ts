import { spawn } from 'node:child_process';
import { expect, onTestFinished, test } from 'vitest';
import { findEngines } from '../../../src/engines/find.js';
import { hostIdentity } from '../../../src/engines/processes.js';
import { eventually } from '../../helpers/eventually.js';
import { startFixture } from '../../helpers/program.js';
import { temporaryDirectory } from '../../helpers/temporary.js';

const ENGINES = 150;
/** Fewer than there are engines; Node itself holds about twenty open. */
const OPEN_FILES = 100;

/** Processes with an engine's command line, in one group that ends with the test. */
async function startMany(localDir: string): Promise<void> {
  const each = 'tail -f /dev/null run "$0/nfs/10.10.4.23/cache/s-t01000-$i/1/P1-1" 2>/dev/null';
  const script = `for i in $(seq ${ENGINES}); do ${each} & done; wait`;
  const { pid } = spawn('/bin/sh', ['-c', script, localDir], { detached: true, stdio: 'ignore' });
  if (pid === undefined) throw new Error('/bin/sh cannot be started');
  onTestFinished(() => void process.kill(-pid, 'SIGKILL'));
  const self = await hostIdentity('10.0.0.1');
  await eventually(async () => (await findEngines(localDir, self)).length === ENGINES);
}

test('all engines are found by a process that may open fewer files than there are', async () => {
  const localDir = await temporaryDirectory();
  await startMany(localDir);
  const looking = startFixture('find-engines.mjs', [localDir], {}, OPEN_FILES);
  expect(await looking.line()).toBe(`${ENGINES} ${ENGINES} ${ENGINES}`);
  expect(await looking.ended).toBe(0);
});
