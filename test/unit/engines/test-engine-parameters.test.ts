/** The test engine finds damaged parameters as the real one does (engine/tests/engine/damaged_params.rs). */
import { createHash } from 'node:crypto';
import { readFile, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, expect, test, vi } from 'vitest';
import { runEngine as engine } from '../../helpers/engine.js';
import { createTestHost, failureFrom } from '../../helpers/test-host.js';
import { temporaryDirectory } from '../../helpers/temporary.js';

const [RIGHT, WRONG] = ['the right file', 'the wrong file'];
const digest = (text: string): string => createHash('blake2b512').update(text).digest('hex').slice(0, 32);

let directory: string;
let path: string;
beforeEach(async () => {
  directory = await temporaryDirectory();
  vi.stubEnv('FIL_PROOFS_PARAMETER_CACHE', directory);
  path = join(directory, 'v28-test-2KiB.params');
  await writeFile(path, RIGHT);
  // What nothing vouches for is read, and is right.
  await writeFile(`${path}.checked`, JSON.stringify({ v: 1, size: RIGHT.length, digest: digest(RIGHT) }));
  expect(await engine('params', '2KiB')).toMatchObject({ code: 0 });
  return () => vi.unstubAllEnvs();
});

/** Writes another content; the file is as old as before. */
async function rot(content: string): Promise<void> {
  const { mtime } = await stat(path);
  await utimes(path, mtime, mtime);
  expect(await engine('params', '2KiB')).toMatchObject({ code: 0 });
  await writeFile(path, content);
  await utimes(path, mtime, mtime);
}

interface Facts {
  parameters: boolean;
  unusable?: string;
}
const info = async (): Promise<Facts | undefined> =>
  (JSON.parse((await engine('info')).stdout) as { sizes: Record<string, Facts> }).sizes['2KiB'];

const mend = '(delete it, then `sealflow setup --parameters 2KiB` generates all anew)';

test('another size is found without reading, P4 refuses it', async () => {
  await rot('cut');
  const unusable = `${path} is damaged: it has 3 bytes, the right file has 14 ${mend}`;
  expect(await info()).toMatchObject({ parameters: false, unusable });
  for (const flags of [[], ['--only-check']]) {
    const { code, stderr } = await engine('params', '2KiB', ...flags);
    expect([code, stderr]).toEqual([5, `fixture engine: MissingParameters: ${unusable}\n`]);
  }
  const host = await createTestHost({ FIL_PROOFS_PARAMETER_CACHE: directory });
  await host.seals('P1', 'P2', 'P3');
  expect(await failureFrom(host.run('P4'))).toMatchObject({ type: 'MissingParameters', message: unusable });
});

test('other bytes are found by reading, and known until they are right again', async () => {
  await rot(WRONG);
  expect([(await info())?.parameters, (await engine('params', '2KiB')).code]).toEqual([true, 0]);
  expect(await engine('params', '2KiB', '--only-check')).toMatchObject({ code: 5 });
  const how = `its BLAKE2b is ${digest(WRONG)}, that of the generated file ${digest(RIGHT)}`;
  expect((await info())?.unusable).toBe(`${path} is damaged: ${how} ${mend}`);
  expect(await engine('params', '2KiB')).toMatchObject({ code: 5 });
  const note = JSON.parse(await readFile(`${path}.checked`, 'utf8')) as object;
  expect(note).toMatchObject({ v: 1, size: 14, digest: digest(RIGHT), damaged: { digest: digest(WRONG) } });
  expect(note).not.toHaveProperty('modifiedSeconds');
  await writeFile(path, RIGHT);
  expect(await engine('params', '2KiB')).toMatchObject({ code: 0 });
  expect(await info()).toEqual({ parameters: true, partitions: 1, layers: 2 });
});

test('a verifying key is read each time; published ones must be there', async () => {
  const key = join(directory, 'v28-test-2KiB.vk');
  await writeFile(key, WRONG);
  await writeFile(`${key}.checked`, JSON.stringify({ v: 1, digest: digest(RIGHT) }));
  expect((await info())?.unusable).toContain(`${key} is damaged: its BLAKE2b is`);
  const { code, stderr } = await engine('params', '32GiB');
  expect([code, stderr]).toEqual([5, expect.stringContaining('v28-test-32GiB.vk is not in')]);
});
