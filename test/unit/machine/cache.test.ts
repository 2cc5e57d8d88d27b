import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { cacheDirectory, makeOnce } from '../../../src/machine/cache.js';
import { startFixture } from '../../helpers/program.js';
import { temporaryDirectory } from '../../helpers/temporary.js';

// Programs that import from src/ take a second to start, and several run next to other tests.
vi.setConfig({ testTimeout: 60_000 });

let cache: string;

beforeEach(async () => {
  cache = await temporaryDirectory();
  vi.stubEnv('SEALFLOW_CACHE', cache);
  return () => vi.unstubAllEnvs();
});

describe('the cache directory', () => {
  test('is SEALFLOW_CACHE if set', () => {
    expect(cacheDirectory()).toBe(cache);
  });

  test('is otherwise in XDG_CACHE_HOME if that is absolute, or in the home directory', () => {
    vi.stubEnv('SEALFLOW_CACHE', '');
    vi.stubEnv('XDG_CACHE_HOME', '/x');
    expect(cacheDirectory()).toBe('/x/sealflow');
    vi.stubEnv('XDG_CACHE_HOME', 'relative');
    expect(cacheDirectory()).toBe(join(homedir(), '.cache/sealflow'));
  });

  test('is named in the error if it cannot be created', async () => {
    await writeFile(join(cache, 'file'), '');
    vi.stubEnv('SEALFLOW_CACHE', join(cache, 'file'));
    await expect(makeOnce('a/b', () => Promise.resolve())).rejects.toMatchObject({
      name: 'UserError',
      message: expect.stringContaining(join(cache, 'file')) as string,
      hint: expect.stringContaining('SEALFLOW_CACHE') as string,
    });
  });
});

describe('makeOnce', () => {
  test('builds only what does not exist', async () => {
    const build = vi.fn((directory: string) => writeFile(join(directory, 'x'), ''));
    const made = await makeOnce('a/b', build);
    expect(made).toBe(join(cache, 'a/b'));
    expect(await readdir(made)).toEqual(['x']);
    expect(await makeOnce('a/b', build)).toBe(made);
    expect(build).toHaveBeenCalledTimes(1);
  });

  test('removes a failed build, and the next call retries', async () => {
    await expect(makeOnce('a/b', () => Promise.reject(new Error('no luck')))).rejects.toThrow('no luck');
    expect(await readdir(join(cache, 'a'))).toEqual([]);
    await makeOnce('a/b', () => Promise.resolve());
    expect(await readdir(join(cache, 'a'))).toEqual(['b']);
  });

  test('builds once for two concurrent calls in one process', async () => {
    const build = vi.fn((directory: string) => writeFile(join(directory, 'x'), ''));
    await Promise.all([makeOnce('k', build), makeOnce('k', build)]);
    expect(build).toHaveBeenCalledTimes(1);
  });

  test('separates keys that share a parent directory', async () => {
    await Promise.all(['a/b', 'a/bc', 'a/b.new'].map((key) => makeOnce(key, () => Promise.resolve())));
    expect((await readdir(join(cache, 'a'))).sort()).toEqual(['b', 'b.new', 'bc']);
  });

  test('builds once for many concurrent processes', async () => {
    const programs = Array.from({ length: 4 }, () => startFixture('make-once.mjs', ['k', 'quick']));
    expect(await Promise.all(programs.map((program) => program.ended))).toEqual([0, 0, 0, 0]);
    expect((await readFile(join(cache, 'builds'), 'utf8')).trim().split('\n')).toHaveLength(1);
    expect((await readdir(join(cache, 'k'))).sort()).toEqual(['half', 'whole']);
  });

  test('continues at once when the builder is killed, and removes what it left behind', async () => {
    const first = startFixture('make-once.mjs', ['k', 'hold']);
    expect(await first.line()).toBe('building');
    const second = startFixture('make-once.mjs', ['k', 'quick']);
    expect(await second.line()).toBe('waiting');
    first.kill('SIGKILL');
    expect(await second.line()).toBe('building');
    expect(await second.line()).toBe(`made ${join(cache, 'k')}`);
    expect((await readdir(cache)).sort()).toEqual(['.locks', 'builds', 'k']);
    expect(await first.ended).toBe('SIGKILL');
  });

  test('lets the next process build when the first one fails', async () => {
    const first = startFixture('make-once.mjs', ['k', 'fail']);
    expect([await first.line(), await first.line()]).toEqual(['building', 'failed: no luck']);
    const second = startFixture('make-once.mjs', ['k', 'quick']);
    expect([await second.line(), await second.line()]).toEqual(['building', `made ${join(cache, 'k')}`]);
  });

  test('stops waiting when aborted', async () => {
    const first = startFixture('make-once.mjs', ['k', 'hold']);
    await first.line();
    const stop = new AbortController();
    const onWait = (): void => stop.abort(new Error('enough'));
    await expect(makeOnce('k', () => mkdir('never'), { onWait, signal: stop.signal })).rejects.toThrow(
      'enough',
    );
    first.kill('SIGKILL');
  });
});
