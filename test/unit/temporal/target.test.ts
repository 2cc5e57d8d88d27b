/** Which server a command or a worker connects to, and how. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { clientOptions, nativeOptions, targetOf } from '../../../src/temporal/connect/target.js';
import { path } from '../../helpers/listeners.js';

const directory = mkdtempSync(join(tmpdir(), 'sealflow-target-'));
const environment = (variables: NodeJS.ProcessEnv): void => {
  for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value);
};

beforeEach(() => {
  for (const name of Object.keys(process.env))
    if (/^TEMPORAL_|_proxy$/i.test(name)) vi.stubEnv(name, undefined);
  // Whoever runs the tests may have a profile of his own.
  vi.stubEnv('TEMPORAL_CONFIG_FILE', join(directory, 'none.toml'));
});
afterEach(() => void vi.unstubAllEnvs());

describe('the address', () => {
  test('comes from the command line, TEMPORAL_ADDRESS, the profile, scheduler_url, in this order', () => {
    const schedulerUrl = 'http://10.0.0.1:7233';
    expect(targetOf().address).toBe('localhost:7233');
    expect(targetOf({ schedulerUrl }).address).toBe('10.0.0.1:7233');
    const profile = join(directory, 'temporal.toml');
    writeFileSync(profile, '[profile.default]\naddress = "10.0.0.2:7233"\nnamespace = "storage"\n');
    environment({ TEMPORAL_CONFIG_FILE: profile });
    expect(targetOf({ schedulerUrl })).toMatchObject({ address: '10.0.0.2:7233', namespace: 'storage' });
    environment({ TEMPORAL_ADDRESS: '10.0.0.3:7233' });
    expect(targetOf({ schedulerUrl }).address).toBe('10.0.0.3:7233');
    expect(targetOf({ schedulerUrl, address: '10.0.0.4:7233' }).address).toBe('10.0.0.4:7233');
  });

  test.for([
    ['http://10.0.0.1:7233', 'give host and port only: 10.0.0.1:7233'],
    ['https://10.0.0.1:7233/', 'give host and port only: 10.0.0.1:7233; TLS is set apart: TEMPORAL_TLS=true'],
    ['10.0.0.1', 'give host and port: 10.0.0.1:7233'],
    ['http://temporal.example', 'give host and port: temporal.example:7233'],
    ['::1', 'give host and port, like [::1]:7233'],
    ['::1:17239', 'put the IPv6 address in brackets: [::1]:17239'],
    ['2001:db8::5:7233', 'put the IPv6 address in brackets: [2001:db8::5]:7233'],
    ['[::1]', 'give host and port, like temporal.example:7233'],
    ['[10.0.0.1]:7233', 'give host and port, like temporal.example:7233'],
    ['temporal.example:0', 'give host and port, like temporal.example:7233'],
    ['temporal.example:70000', 'give host and port, like temporal.example:7233'],
    ['', 'give host and port, like temporal.example:7233'],
  ])('%s is refused with the right form', ([given, hint]) => {
    const shown = given === '' ? 'an empty text' : given;
    expect(() => targetOf({ address: given })).toThrow(
      expect.objectContaining({
        name: 'UserError',
        exitCode: 2,
        message: `--address: ${shown} is no address of a Temporal frontend`,
        hint,
      }),
    );
  });

  test('is refused with where it was given', () => {
    environment({ TEMPORAL_ADDRESS: 'temporal.example' });
    expect(() => targetOf()).toThrow('TEMPORAL_ADDRESS: temporal.example is no address');
    const profile = join(directory, 'wrong.toml');
    writeFileSync(profile, '[profile.default]\naddress = "temporal.example"\n');
    environment({ TEMPORAL_ADDRESS: undefined, TEMPORAL_CONFIG_FILE: profile });
    expect(() => targetOf()).toThrow('address in temporal.toml: temporal.example is no address');
  });

  test.for([
    ['[::1]:7233', '::1'],
    ['temporal.example:7233', 'temporal.example'],
    ['127.0.0.1:7233', '127.0.0.1'],
  ])('%s is taken', ([address, host]) => {
    expect(targetOf({ address })).toMatchObject({ address, host, port: 7233 });
  });
});

describe('TLS', () => {
  const tlsOf = (target = targetOf()): unknown => [clientOptions(target).tls, nativeOptions(target).tls];

  test('is what scheduler_url says', () => {
    expect(tlsOf(targetOf({ schedulerUrl: 'http://10.0.0.1:7233' }))).toEqual([false, false]);
    expect(tlsOf(targetOf({ schedulerUrl: 'https://10.0.0.1:7233' }))).toEqual([true, true]);
  });

  test('is on with an API key, unless told otherwise', () => {
    environment({ TEMPORAL_API_KEY: 'secret' });
    expect(tlsOf()).toEqual([true, true]);
    environment({ TEMPORAL_TLS: 'false' });
    expect(tlsOf()).toEqual([false, false]);
    expect(clientOptions(targetOf()).apiKey).toBe('secret');
  });

  test('has the files that the variables name', () => {
    environment({
      TEMPORAL_TLS_SERVER_CA_CERT_PATH: path('authority.pem'),
      TEMPORAL_TLS_SERVER_NAME: 'temporal.example',
    });
    const { tls } = targetOf();
    expect(tls).toMatchObject({ serverNameOverride: 'temporal.example' });
    expect(
      Buffer.from((tls as { serverRootCACertificate: Uint8Array }).serverRootCACertificate).toString(),
    ).toContain('BEGIN CERTIFICATE');
  });

  test('is refused when a file that a variable names is not there', () => {
    environment({ TEMPORAL_TLS_SERVER_CA_CERT_PATH: join(directory, 'none.pem') });
    expect(() => targetOf()).toThrow(/^cannot read Temporal's settings: ENOENT.*none\.pem/);
  });
});

describe('a proxy', () => {
  const proxied = (address: string): unknown => {
    const target = targetOf({ address });
    const { channelArgs } = clientOptions(target);
    return [channelArgs?.['grpc.enable_http_proxy'], nativeOptions(target).proxy?.targetHost];
  };

  test('is only what grpc_proxy names: http_proxy and https_proxy are for npm and cargo', () => {
    environment({ http_proxy: 'http://proxy.example:1', https_proxy: 'http://proxy.example:2' });
    expect(proxied('temporal.example:7233')).toEqual([0, undefined]);
    environment({ grpc_proxy: 'http://proxy.example:3128' });
    expect(proxied('temporal.example:7233')).toEqual([1, 'proxy.example:3128']);
  });

  test.for(['localhost:7233', '127.0.0.1:7233', '127.9.9.9:7233', '[::1]:7233'])(
    'is never asked for %s',
    (address) => {
      environment({ grpc_proxy: 'http://proxy.example:3128' });
      expect(proxied(address)).toEqual([0, undefined]);
    },
  );

  test('is not asked for what no_proxy names', () => {
    environment({ grpc_proxy: 'http://proxy.example:3128', no_proxy: 'other.example, .inner.example' });
    expect(proxied('temporal.inner.example:7233')).toEqual([0, undefined]);
    expect(proxied('other.example:7233')).toEqual([0, undefined]);
    expect(proxied('another.example:7233')).toEqual([1, 'proxy.example:3128']);
  });

  test('may want a name and a password', () => {
    environment({ grpc_proxy: 'http://me:se%40cret@proxy.example' });
    expect(nativeOptions(targetOf({ address: 'temporal.example:7233' })).proxy).toEqual({
      type: 'http-connect',
      targetHost: 'proxy.example:80',
      basicAuth: { username: 'me', password: 'se@cret' },
    });
  });

  test.for(['proxy.example:3128', 'socks5://proxy.example:1080', 'http://'])('%s is refused', (given) => {
    environment({ grpc_proxy: given });
    expect(() => targetOf({ address: 'temporal.example:7233' })).toThrow(`grpc_proxy: ${given} is no proxy`);
  });
});
