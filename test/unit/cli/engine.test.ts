/** Why P4 cannot run on a host, as its worker says it. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parametersMissing } from '../../../src/cli/engine.js';
import type { Engine } from '../../../src/engines/engine.js';
import { ENGINE } from '../../helpers/engine.js';
import { temporaryDirectory } from '../../helpers/temporary.js';

const PARAMETERLESS = new URL('../../fixtures/engine-without-parameters.mjs', import.meta.url).pathname;

test('its parameters are missing, or the engine knows a file to be damaged', async () => {
  const directory = await temporaryDirectory();
  const environment = { FIL_PROOFS_PARAMETER_CACHE: directory, FIXTURE_CHECKPOINTS: directory };
  const engine = (command = ENGINE): Engine => ({
    command: command as Engine['command'],
    environment,
    source: 'config.toml',
  });
  expect(await parametersMissing(engine(), '2KiB')).toBeUndefined();

  const path = join(directory, 'v28-test-2KiB.params');
  await writeFile(path, 'cut');
  await writeFile(`${path}.checked`, '{"v":1,"size":7}');
  expect(await parametersMissing(engine(), '2KiB')).toBe(
    `${path} is damaged: it has 3 bytes, the right file has 7 (delete it, then \`sealflow setup --parameters 2KiB\` generates all anew)`,
  );
  expect(await parametersMissing(engine(), '8MiB')).toBeUndefined();

  await writeFile(join(directory, 'no-parameters'), '');
  expect(await parametersMissing(engine([process.execPath, PARAMETERLESS]), '8MiB')).toBe(
    `no proof parameters for 8MiB in ${directory} (sealflow setup --parameters 8MiB, or FIL_PROOFS_PARAMETER_CACHE)`,
  );
});
