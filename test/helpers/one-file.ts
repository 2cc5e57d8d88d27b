/** One published file, fetched from a gateway of each test's own. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { fetchFile, type FetchFileOptions } from '../../src/engines/published/fetch-file.js';
import { FETCH_LIMITS } from '../../src/engines/published/limits.js';
import { publishedFiles } from '../fixtures/engine/published.mjs';
import { breakOff as breakOffAt, Gateway, type Answer } from './gateway.js';
import { temporaryDirectory } from './temporary.js';

export const [, file] = publishedFiles('32GiB') as [unknown, ReturnType<typeof publishedFiles>[number]];
export const { content, cid } = file;
/** Deadlines that do not pass by themselves, and no waits. */
export const limits = { ...FETCH_LIMITS, firstDelayMs: 1, maxDelayMs: 1, fruitlessTries: 3 };

export let gateway: Gateway;
export let path: string;
export let part: string;

/** For `beforeEach`: a gateway and a directory of the test's own. */
export async function freshFile(): Promise<void> {
  gateway = await Gateway.start([[cid, content]]);
  path = join(await temporaryDirectory(), file.name);
  part = `${path}.part`;
}

export const fetchIt = (options: Partial<FetchFileOptions> = {}) =>
  fetchFile({ path, cid, digest: file.digest }, { gateways: [gateway.url], limits, ...options });

export const breakOff = (bytes: number, headers?: object): Answer => breakOffAt(part, bytes, headers);

/** What each request asked for. */
export const ranges = (): (string | undefined)[] => gateway.asked.map(({ range }) => range);

export async function expectFetched(): Promise<void> {
  expect(content.equals(await readFile(path))).toBe(true);
  expect(existsSync(part)).toBe(false);
}
