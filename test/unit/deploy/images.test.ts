/** docker/: what is said twice there, or there and in the sources, must be the same. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { readConfig } from '../../../src/config.js';
import { PHASE_IDS, type PhaseId } from '../../../src/phases.js';
import { TEMPORAL_CLI_VERSION } from '../../../src/temporal/embedded/pinned-cli.js';
import { serverArguments } from '../../../src/temporal/embedded/settings.js';

const DOCKER = fileURLToPath(new URL('../../../docker/', import.meta.url));
const ROLES: Record<string, PhaseId[]> = {
  p1: ['P1'],
  p2p3: ['P2', 'P3'],
  p4p5: ['P4', 'P5'],
  p6: ['P6'],
};

const read = (name: string): Promise<string> => readFile(join(DOCKER, name), 'utf8');
const configOf = (role: string) => readConfig(join(DOCKER, 'config', `${role}.toml`));

test('the server is started as the embedded one is', async () => {
  const file = await read('server.Dockerfile');
  const [, json = ''] = /^CMD (\[[^\]]*\])\nHEALTHCHECK/m.exec(file) ?? [];
  const cli = { path: '/usr/local/bin/temporal', version: TEMPORAL_CLI_VERSION, source: 'PATH' } as const;
  expect(JSON.parse(json.replaceAll('\\\n', ''))).toEqual(
    serverArguments(cli as unknown as Parameters<typeof serverArguments>[0], {
      databaseFile: '/var/lib/temporal/temporal.db',
      namespace: 'default',
      ip: '0.0.0.0',
      port: 7233,
      uiPort: 8233,
    }),
  );
  expect(file).toContain(`ARG TEMPORAL_CLI_VERSION=${TEMPORAL_CLI_VERSION}\n`);
});

test('the roles share the phases among them', () => {
  const served = Object.keys(ROLES).map((role) => configOf(role).pools.flatMap(({ phases }) => phases));
  expect(served).toEqual(Object.values(ROLES));
  expect(served.flat().sort()).toEqual([...PHASE_IDS].sort());
});

test.each(Object.keys(ROLES))('%s: image, config and container belong together', async (role) => {
  const dockerfile = await read('Dockerfile');
  const target = new RegExp(`^FROM \\S+ AS ${role}\\n(?:(?!FROM ).*\\n)*`, 'm').exec(dockerfile)?.[0];
  expect(target).toContain(`CMD ["worker", "--config", "/etc/sealflow/${role}.toml"]`);
  expect(target).toContain(`CMD ["sealflow", "health", "--config", "/etc/sealflow/${role}.toml"]`);
  const service = new RegExp(`^  ${role}:\\n(?: {4}.*\\n)*`, 'm').exec(await read('compose.yaml'))?.[0];
  expect(service).toContain(`target: ${role} }`);
  expect(service).toContain(`ipv4_address: ${configOf(role).ip} }`);
});

test('P2 and P3 leave two cores free by the cpuset of their container, and no others', async () => {
  expect(await read('compose.yaml')).toMatch(/^ {4}cpuset: \$\{SEALFLOW_P2_CPUSET:\?/m);
  expect(configOf('p2p3').engine.reserved_cores).toBe(0);
});

test('nothing of a build lies in an image', async () => {
  const [, images = ''] = (await read('Dockerfile')).split('AS runtime');
  expect(images).not.toContain('/run/build');
});
