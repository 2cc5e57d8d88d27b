/** Fetching one file from gateways that do what gateways do. */
import { existsSync } from 'node:fs';
import { readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { fetchFile, type FetchFileOptions } from '../../../../src/engines/published/fetch-file.js';
import { FETCH_LIMITS } from '../../../../src/engines/published/limits.js';
import { publishedFiles } from '../../../fixtures/engine/published.mjs';
import {
  breakOff as breakOffAt,
  Gateway,
  ignoreRange,
  lie,
  otherRange,
  rest,
  short,
  stall,
  status,
  wrongLength,
  type Answer,
} from '../../../helpers/gateway.js';
import { temporaryDirectory } from '../../../helpers/temporary.js';

const [, file] = publishedFiles('32GiB') as [unknown, ReturnType<typeof publishedFiles>[number]];
const { content, cid, digest } = file;
/** Deadlines that do not pass by themselves, and no waits. */
const limits = { ...FETCH_LIMITS, firstDelayMs: 1, maxDelayMs: 1, fruitlessTries: 3 };

let gateway: Gateway;
let path: string;
let part: string;

beforeEach(async () => {
  gateway = await Gateway.start([[cid, content]]);
  path = join(await temporaryDirectory(), file.name);
  part = `${path}.part`;
});

const fetchIt = (options: Partial<FetchFileOptions> = {}) =>
  fetchFile({ path, cid, digest }, { gateways: [gateway.url], limits, ...options });

const breakOff = (bytes: number, headers?: object): Answer => breakOffAt(part, bytes, headers);

/** What each request asked for. */
const ranges = (): (string | undefined)[] => gateway.asked.map(({ range }) => range);

async function expectFetched(): Promise<void> {
  expect(content.equals(await readFile(path))).toBe(true);
  expect(existsSync(part)).toBe(false);
}

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

describe('it is given up', () => {
  test('when the server lies twice; nothing of it stays', async () => {
    await writeFile(path, 'an older one');
    gateway.always = lie;
    await expect(fetchIt()).rejects.toMatchObject({
      name: 'UserError',
      exitCode: 1,
      message: expect.stringMatching(
        new RegExp(
          `${cid} is not ${file.name}: its BLAKE2b is [0-9a-f]{32}, that of the published file ${digest}$`,
        ),
      ) as string,
      hint: expect.stringContaining('IPFS_GATEWAY') as string,
    });
    expect(gateway.asked).toHaveLength(2);
    expect(existsSync(part)).toBe(false);
    expect(await readFile(path, 'utf8')).toBe('an older one');
  });

  test.for([404, 403, 410])('at once when it answers %d', async (code) => {
    gateway.always = status(code);
    await expect(fetchIt()).rejects.toMatchObject({
      message: `${file.name} cannot be fetched: ${gateway.url}${cid}: the server answers ${code}`,
      exitCode: 1,
      hint: expect.stringMatching(/^set IPFS_GATEWAY to another gateway, or copy the file/) as string,
    });
    expect(gateway.asked).toHaveLength(1);
  });

  test.for<[string, Answer, RegExp]>([
    ['answers 500', status(500), /the server answers 500$/],
    ['answers 429', status(429), /the server answers 429$/],
    ['closes at once', (response) => response.destroy(), /other side closed|ECONNRESET|socket hang up/],
  ])('after some tries that bring nothing, when it %s; the next run goes on', async ([, answer, reason]) => {
    gateway.next = [breakOff(5000)];
    gateway.always = answer;
    await expect(fetchIt()).rejects.toMatchObject({
      message: expect.stringMatching(reason) as string,
      hint: 'the 5 kB that are there stay: run the same command again, or set IPFS_GATEWAY to another gateway',
    });
    expect(gateway.asked).toHaveLength(1 + limits.fruitlessTries);
    gateway.always = rest();
    await fetchIt();
    await expectFetched();
    expect(ranges().at(-1)).toBe('bytes=5000-');
  });

  test('when it begins anew each time and never gets further', async () => {
    gateway.always = (response, bytes) => breakOff(2000)(response, bytes, 0);
    await expect(fetchIt()).rejects.toThrow('cannot be fetched');
    expect(gateway.asked).toHaveLength(1 + limits.fruitlessTries);
  });

  test('but each new byte gives it all its tries again', async () => {
    gateway.next = [status(500), status(500), breakOff(10), status(500), status(500), breakOff(10)];
    await fetchIt();
    await expectFetched();
  });

  test('when nobody listens', async () => {
    await expect(fetchIt({ gateways: ['http://127.0.0.1:1/ipfs/'] })).rejects.toThrow(
      /ECONNREFUSED|bad port/,
    );
  });
});

describe('another gateway is asked', () => {
  test.for<[string, Answer]>([
    ['refuses it', status(404)],
    ['brings nothing', status(502)],
    ['lies', lie],
  ])('when one %s', async ([, answer]) => {
    const other = await Gateway.start([[cid, content]]);
    gateway.always = answer;
    await fetchIt({ gateways: [gateway.url, other.url] });
    await expectFetched();
    expect([gateway.asked.length, other.asked.length]).toEqual([1, 1]);
  });

  test('but not while the first one brings something', async () => {
    const other = await Gateway.start([[cid, content]]);
    gateway.next = [breakOff(1000), breakOff(1000)];
    await fetchIt({ gateways: [gateway.url, other.url] });
    await expectFetched();
    expect(other.asked).toEqual([]);
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
