/**
 * `npm run test:docker`: builds the images of docker/ and seals sectors on a group of containers. Skipped, with a word, where no
 * Docker daemon answers.
 *
 *   --daemon        start one of its own (root, dockerd), and remove all of it at the end
 *   --keep          keep the images (with --daemon: its data directory in the cache), so that the next run takes less
 *   --from-source   build engine and server in the images, also where the user's cache has them
 *
 * SEALFLOW_DOCKER_BASE, SEALFLOW_DOCKER_GO: the images to build on.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { prepare } from './prepare.mjs';

const KNOWN = ['--daemon', '--keep', '--from-source'];
const asked = process.argv.slice(2);
const unknown = asked.filter((word) => !KNOWN.includes(word));
if (unknown.length > 0) {
  process.stderr.write(
    `sealflow: test:docker does not know ${unknown.join(' ')}; it knows ${KNOWN.join(' ')}\n`,
  );
  process.exit(2);
}
prepare();
const { testDocker } = await import('../test/docker/run.mjs');
const stop = new AbortController();
for (const name of ['SIGINT', 'SIGTERM']) process.on(name, () => stop.abort(new Error(`stopped by ${name}`)));
const scratch = await mkdtemp(join(tmpdir(), 'sealflow-docker-'));
try {
  process.exitCode = await testDocker({
    scratch,
    signal: stop.signal,
    daemon: asked.includes('--daemon'),
    keep: asked.includes('--keep'),
    fromSource: asked.includes('--from-source'),
    say: (line) => process.stdout.write(`${line}\n`),
  });
} finally {
  await rm(scratch, { recursive: true, force: true });
}
