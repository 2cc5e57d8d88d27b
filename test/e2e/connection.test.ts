/** The ways to a Temporal server: TLS with certificates, namespaces, proxies; for commands, workers and orchestrators alike. */
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { freePort } from '../../src/temporal/embedded/ports.js';
import { Cluster } from '../helpers/cluster.js';
import { command } from '../helpers/in-process.js';
import { AUTHORITY, connectProxy, pair, path, tlsInFront } from '../helpers/listeners.js';
import { startSealflow } from '../helpers/sealflow.js';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });
let cluster: Cluster;
beforeAll(async () => {
  cluster = await Cluster.join();
});
afterAll(() => cluster.end());

const port = (): number => Number(cluster.address.split(':')[1]);

describe('a server behind TLS that wants a client certificate', () => {
  const tls = { ...pair('elsewhere'), ca: AUTHORITY, requestCert: true };
  /** In a worker's environment these override its scheduler_url. */
  const environment = async (): Promise<NodeJS.ProcessEnv> => ({
    TEMPORAL_ADDRESS: `127.0.0.1:${await tlsInFront(port(), tls)}`,
    TEMPORAL_TLS_SERVER_CA_CERT_PATH: path('authority.pem'),
    TEMPORAL_TLS_SERVER_NAME: 'temporal.example',
    TEMPORAL_TLS_CLIENT_CERT_PATH: path('client.pem'),
    TEMPORAL_TLS_CLIENT_KEY_PATH: path('client.key'),
  });

  test('is reached by commands, orchestrator and worker', async () => {
    const env = await environment();
    const group = await cluster.group();
    const worker = await group.start(1, { run: { env } });
    const orchestrator = startSealflow(['orchestrator'], { env });
    const { code, stdout, stderr } = await command(
      ['start', cluster.newSector(), '--group', `${group.number}`, '--test', '--size', '2KiB', '--force'],
      env,
    );
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toContain('started');
    await worker.until(' serves ');
    await orchestrator.until('orchestrator ready');
    orchestrator.kill('SIGTERM');
    await orchestrator.ended;
  });

  test('is not reached without one: each says why, and ends with 2', async () => {
    const {
      TEMPORAL_TLS_CLIENT_CERT_PATH: _cert,
      TEMPORAL_TLS_CLIENT_KEY_PATH: _key,
      ...env
    } = await environment();
    const line = `${env['TEMPORAL_ADDRESS']} demands a client certificate`;
    const group = await cluster.group();
    const file = await group.writeConfig(1);
    const ends = [
      await command(['status'], env),
      await startSealflow(['orchestrator'], { env }).ended,
      await startSealflow(['worker', '--config', file], { env }).ended,
    ];
    for (const { code, stderr } of ends) {
      expect(stderr).toContain(line);
      expect(code).toBe(2);
    }
  });
});

test('a namespace that is not there is told, with what makes it', async () => {
  const env = { TEMPORAL_NAMESPACE: 'typo' };
  const lines = `sealflow: ${cluster.address} has no namespace typo\n  sealflow setup makes it; or correct TEMPORAL_NAMESPACE (or the profile)\n`;
  for (const args of [
    ['status'],
    ['start', 't01000/1', '--group', '1', '--test'],
    ['retry', 't01000/1'],
    ['health', '--orchestrator'],
  ]) {
    const { code, stderr } = await command([...args, '--address', cluster.address], env);
    expect([code, stderr]).toEqual([2, lines]);
  }
  const orchestrator = await startSealflow(['orchestrator', '--address', cluster.address], { env }).ended;
  expect([orchestrator.code, orchestrator.stderr]).toEqual([2, lines]);
});

describe('proxies', () => {
  test('of other programs are not asked', async () => {
    const dead = `http://127.0.0.1:${await freePort('127.0.0.1')}`;
    const env = {
      http_proxy: dead,
      https_proxy: dead,
      HTTP_PROXY: dead,
      HTTPS_PROXY: dead,
      grpc_proxy: dead,
    };
    expect(await command(['health', '--orchestrator', '--address', cluster.address], env)).toMatchObject({
      code: 0,
    });
    const orchestrator = startSealflow(['orchestrator', '--address', cluster.address], { env });
    await orchestrator.until('orchestrator ready');
    orchestrator.kill('SIGTERM');
    await orchestrator.ended;
  });

  test('that grpc_proxy names lead to the server', async () => {
    const proxy = await connectProxy();
    const env = { grpc_proxy: `http://127.0.0.1:${proxy.port}` };
    const address = `temporal.example:${port()}`;
    expect(await command(['health', '--orchestrator', '--address', address], env)).toMatchObject({ code: 0 });
    const asked = proxy.asked.length;
    expect(asked).toBeGreaterThan(0);
    const orchestrator = startSealflow(['orchestrator', '--address', address], { env });
    await orchestrator.until('orchestrator ready');
    orchestrator.kill('SIGTERM');
    await orchestrator.ended;
    expect(proxy.asked.length).toBeGreaterThan(asked);
    expect(new Set(proxy.asked)).toEqual(new Set([address]));
  });
});
