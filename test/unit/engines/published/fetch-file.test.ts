/** Fetching one file from gateways that do what gateways do. */
import { existsSync } from 'node:fs';
import { readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { FETCH_LIMITS } from '../../../../src/engines/published/limits.js';
import {
  ignoreRange,
  lie,
  otherRange,
  rest,
  short,
  stall,
  status,
  wrongLength,
} from '../../../helpers/gateway.js';
import {
  breakOff,
  content,
  expectFetched,
  fetchIt,
  freshFile,
  gateway,
  limits,
  part,
  path,
  ranges,
} from '../../../helpers/one-file.js';

beforeEach(freshFile);

describe('a file', () => {
  test('gets its name by a rename, when it is whole and right', async () => {
    await writeFile(path, 'an older one');
    const seen: { inode: number; target: string }[] = [];
    gateway.always = (response, bytes, from) => {
      void Promise.all([stat(part), readFile(path, 'utf8')]).then(([{ ino }, target]) => {
        seen.push({ inode: ino, target });
        rest()(response, bytes, from);
      });
    };
    const { bytes, modifiedNs } = await fetchIt();
    await expectFetched();
    const now = await stat(path, { bigint: true });
    expect(seen).toEqual([{ inode: Number(now.ino), target: 'an older one' }]);
    expect([bytes, modifiedNs]).toEqual([content.length, now.mtimeNs]);
  });

  test('is shown with bytes and share', async () => {
    const onStep = vi.fn();
    await fetchIt({ onStep });
    expect(onStep.mock.calls[0]).toEqual(['fetching the parameters']);
    expect(onStep).toHaveBeenCalledWith('fetching the parameters: 400 kB of 400 kB', 1);
    expect(onStep).toHaveBeenCalledWith('checking the parameters: 400 kB of 400 kB', 1);
  });
});

describe('the rest is asked for', () => {
  test('after the server has broken off', async () => {
    gateway.next = [breakOff(100_000), breakOff(50_000)];
    await fetchIt();
    await expectFetched();
    expect(ranges()).toEqual([undefined, 'bytes=100000-', 'bytes=150000-']);
  });

  test('of what an earlier run has left', async () => {
    await writeFile(part, content.subarray(0, 1234));
    await fetchIt();
    await expectFetched();
    expect(ranges()).toEqual(['bytes=1234-']);
  });

  test('only of the same version, if the server names it', async () => {
    gateway.next = [breakOff(1000, { etag: '"v1"' }), breakOff(1000, { etag: 'W/"v1"' })];
    await fetchIt();
    await expectFetched();
    expect(gateway.asked.map(({ ifRange }) => ifRange)).toEqual([undefined, '"v1"', undefined]);
  });

  test('again when no bytes come any more', async () => {
    gateway.next = [stall(7000)];
    const onStep = vi.fn();
    // A busy machine may miss this deadline more often than once.
    await fetchIt({ limits: { ...limits, idleMs: 100, fruitlessTries: 100 }, onStep });
    await expectFetched();
    expect(ranges()[1]).toBe('bytes=7000-');
    expect(onStep).toHaveBeenCalledWith('fetching the parameters: no bytes for 0.1 s; again in 1 ms');
  });

  test('again when the server sends another part than was asked for', async () => {
    gateway.next = [breakOff(10), otherRange];
    await fetchIt();
    await expectFetched();
    expect(ranges()).toEqual([undefined, 'bytes=10-', 'bytes=10-']);
  });
});

describe('the file begins anew', () => {
  test('when the server sends it whole whatever is asked for', async () => {
    await writeFile(part, 'x'.repeat(1234));
    gateway.next = [ignoreRange];
    await fetchIt();
    await expectFetched();
    expect(ranges()).toEqual(['bytes=1234-']);
  });

  test.for([
    ['other bytes', lie],
    ['a wrong length', wrongLength],
    ['too few bytes without a length', short],
  ] as const)('when the server has sent %s', async ([, answer]) => {
    gateway.next = [answer];
    await fetchIt();
    await expectFetched();
    expect(ranges()).toEqual([undefined, undefined]);
  });

  test('when the part is longer than the file', async () => {
    await writeFile(part, Buffer.concat([content, content]));
    await fetchIt();
    await expectFetched();
    expect(ranges()).toEqual(['bytes=800000-', undefined]);
  });

  test('not when the part is whole: it only had no name yet', async () => {
    await writeFile(part, content);
    await fetchIt();
    await expectFetched();
    expect(ranges()).toEqual(['bytes=400000-']);
  });
});

describe('the disk', () => {
  test('must have room for what is missing and for others, before a byte is written', async () => {
    await writeFile(part, content.subarray(0, 100_000));
    const free = 300_000 + FETCH_LIMITS.spareBytes;
    await expect(fetchIt({ freeBytes: () => Promise.resolve(free - 1) })).rejects.toMatchObject({
      message: expect.stringMatching(
        / has only 1 GB free: 300 kB of .* are missing, 1 GB should stay free$/,
      ) as string,
      hint: expect.stringMatching(/^make room and run the same command again/) as string,
      exitCode: 1,
    });
    expect((await stat(part)).size).toBe(100_000);
    await fetchIt({ freeBytes: () => Promise.resolve(free) });
    await expectFetched();
  });

  test('may be full all the same: the error is that of the disk', async () => {
    await symlink('/dev/full', part);
    await expect(fetchIt()).rejects.toMatchObject({ code: 'ENOSPC' });
    expect(gateway.asked).toHaveLength(1);
  });
});

test('a signal ends it at once, and what is there stays', async () => {
  gateway.always = stall(9000);
  const stop = new AbortController();
  const onStep = (text: string): void => {
    if (text.includes(' of ')) stop.abort(new Error('enough'));
  };
  await expect(fetchIt({ onStep, signal: stop.signal })).rejects.toThrow('enough');
  expect((await stat(part)).size).toBe(9000);
  expect(existsSync(path)).toBe(false);
});

test('a signal ends the wait for the next try', async () => {
  gateway.always = status(500);
  const stop = new AbortController();
  const onStep = (text: string): void => {
    if (text.includes('again in')) stop.abort(new Error('enough'));
  };
  const slow = { ...limits, firstDelayMs: 3_600_000, maxDelayMs: 3_600_000 };
  await expect(fetchIt({ onStep, signal: stop.signal, limits: slow })).rejects.toThrow('enough');
});
