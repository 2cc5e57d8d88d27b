import { readFile, writeFile } from 'node:fs/promises';
import { beforeEach, expect, test } from 'vitest';
import { setUpGroupDirectory } from '../../../src/group/marker.js';
import { markerFile } from '../../../src/paths.js';
import { UserError } from '../../../src/user-error.js';
import { temporaryDirectory } from '../../helpers/temporary.js';

let localDir: string;
beforeEach(async () => {
  localDir = await temporaryDirectory();
});

test.each(['{"v":1,"group":1,"place":"10.10.4.23"}', 'not JSON', '{"v":99}'])(
  'a marker file that holds %s is refused with a hint, and stays as it is',
  async (text) => {
    await writeFile(markerFile(localDir), text);
    const refused = setUpGroupDirectory(localDir, 1, '10.10.4.23');
    await expect(refused).rejects.toThrow(UserError);
    await expect(refused).rejects.toMatchObject({
      message: expect.stringContaining(markerFile(localDir)) as string,
      hint: expect.stringContaining('another directory') as string,
      exitCode: 2,
    });
    expect(await readFile(markerFile(localDir), 'utf8')).toBe(text);
  },
);

test('a directory that was set up keeps its ID', async () => {
  const made = await setUpGroupDirectory(localDir, 1, '10.10.4.23');
  expect(await setUpGroupDirectory(localDir, 1, 'other')).toEqual(made);
});
