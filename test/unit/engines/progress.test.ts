import { createHash } from 'node:crypto';
import { mkdir, open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { parseProgress, readProgress } from '../../../src/engines/progress.js';
import { progressBlock, progressOf } from '../../helpers/attempts.js';
import { temporaryDirectory } from '../../helpers/temporary.js';

let directory: string;
let path: string;
beforeEach(async () => {
  directory = await temporaryDirectory();
  path = join(directory, 'progress.json');
});

const withSum = (json: string): string =>
  `${json}\n${createHash('sha256').update(json).digest('hex').slice(0, 16)}`.padEnd(4096);

describe('a block', () => {
  test('is read', async () => {
    const progress = await progressOf({ step: 'layer 3 of 11', fraction: 0.24 });
    expect(parseProgress(progressBlock(progress))).toEqual(progress);
  });

  test('may have an unknown fraction', async () => {
    expect(parseProgress(progressBlock(await progressOf({ fraction: null })))?.fraction).toBeNull();
  });

  test('may contain multi-byte characters', async () => {
    const step = 'Schicht – 層 🧱';
    expect(parseProgress(progressBlock(await progressOf({ step })))?.step).toBe(step);
  });

  test('may have keys that are not known', async () => {
    expect(parseProgress(progressBlock({ ...(await progressOf()), more: 1 }))).toMatchObject({ counter: 1 });
  });

  test('with another checksum is none', async () => {
    const block = progressBlock(await progressOf());
    expect(parseProgress(block.replace('"counter":1', '"counter":2'))).toBeUndefined();
    expect(parseProgress(block.replace(/\n./, '\nx'))).toBeUndefined();
  });

  test('that was truncated anywhere is none', async () => {
    const block = progressBlock(await progressOf());
    const end = block.indexOf('\n') + 17;
    for (let length = 0; length < end; length++)
      expect(parseProgress(block.slice(0, length))).toBeUndefined();
    expect(parseProgress(block.slice(0, end))).toBeDefined();
  });

  test('of spaces or zeros is none', () => {
    expect(parseProgress(' '.repeat(4096))).toBeUndefined();
    expect(parseProgress('\0'.repeat(4096))).toBeUndefined();
  });

  test.each(['pid', 'startTime', 'bootId', 'pidNs', 'host', 'counter', 'cpuSeconds'])(
    'without %s is none',
    async (key) => {
      expect(parseProgress(progressBlock({ ...(await progressOf()), [key]: undefined }))).toBeUndefined();
    },
  );

  test.each(['not JSON', '', '[]', 'null'])('that holds %j with its right checksum is none', (text) => {
    expect(parseProgress(withSum(text))).toBeUndefined();
  });
});

describe('progress.json', () => {
  test('that is not there is none', async () => {
    expect(await readProgress(directory)).toBeUndefined();
    expect(await readProgress(join(directory, 'none'))).toBeUndefined();
  });

  test('that stays torn is none', async () => {
    await writeFile(path, progressBlock(await progressOf()).replace('"counter":1', '"counter":2'));
    expect(await readProgress(directory)).toBeUndefined();
  });

  test('that is a directory is an error', async () => {
    await mkdir(path);
    await expect(readProgress(directory)).rejects.toMatchObject({ code: 'EISDIR' });
  });

  test('is read again when it was torn', async () => {
    const [old, next] = [progressBlock(await progressOf()), progressBlock(await progressOf({ counter: 2 }))];
    await writeFile(path, next.slice(0, 40) + old.slice(40));
    const reading = readProgress(directory);
    await writeFile(path, next);
    expect((await reading)?.counter).toBe(2);
  });

  test('is always whole while it is overwritten', async () => {
    const blocks = await Promise.all(
      [1, 2, 3].map(async (counter) => progressBlock(await progressOf({ counter }))),
    );
    await writeFile(path, blocks[0] ?? '');
    const file = await open(path, 'r+');
    try {
      for (let i = 0; i < 300; i++) {
        const [progress] = await Promise.all([readProgress(directory), file.write(blocks[i % 3] ?? '', 0)]);
        expect([1, 2, 3]).toContain(progress?.counter);
      }
    } finally {
      await file.close();
    }
  });
});
