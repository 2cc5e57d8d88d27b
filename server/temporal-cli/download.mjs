/**
 * `node download.mjs <version> <directory>`: the SDK's own download of the Temporal CLI, as <directory>/temporal-<version>.
 *
 * A process of its own, because the SDK can only download by starting the server too, and because that installs its Runtime
 * with default options, once for each process. It has no time limit either: whoever starts this looks after it.
 */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { TestWorkflowEnvironment } from '@temporalio/testing';

const [version, directory] = process.argv.slice(2);
// Without a file, the CLI would write its cluster's ID into the user's configuration directory.
const dbFilename = join(directory, 'probe.db');
try {
  const executable = { type: 'cached-download', version, downloadDir: directory, ttl: '365d' };
  const environment = await TestWorkflowEnvironment.createLocal({ server: { executable, dbFilename } });
  await environment.teardown();
} catch (error) {
  process.stderr.write(`${error.message.split('\n')[0]}\n`);
  process.exitCode = 1;
} finally {
  for (const suffix of ['', '-wal', '-shm']) await rm(dbFilename + suffix, { force: true });
}
