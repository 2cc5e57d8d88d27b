/** When the fetch of a file is given up, and when another gateway is asked. */
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { beforeEach, describe, expect, test } from 'vitest';
import { Gateway, lie, rest, status, type Answer } from '../../../helpers/gateway.js';
import {
  breakOff,
  cid,
  content,
  expectFetched,
  fetchIt,
  file,
  freshFile,
  gateway,
  limits,
  part,
  path,
  ranges,
} from '../../../helpers/one-file.js';

beforeEach(freshFile);

describe('it is given up', () => {
  test('when the server lies twice; nothing of it stays', async () => {
    await writeFile(path, 'an older one');
    gateway.always = lie;
    await expect(fetchIt()).rejects.toMatchObject({
      name: 'UserError',
      exitCode: 1,
      message: expect.stringMatching(
        new RegExp(
          `${cid} is not ${file.name}: its BLAKE2b is [0-9a-f]{32}, that of the published file ${file.digest}$`,
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
