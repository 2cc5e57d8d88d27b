/** `sealflow doctor`: its output and exit codes, with and without a server. */
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import type { Finding } from '../../src/doctor/finding.js';
import { markerFile } from '../../src/paths.js';
import { SECTOR_SIZES } from '../../src/phases.js';
import { freePort } from '../../src/temporal/embedded/ports.js';
import { Cluster } from '../helpers/cluster.js';
import { ENGINE } from '../helpers/engine.js';
import { eventually } from '../helpers/eventually.js';
import { makeFifo } from '../helpers/fifo.js';
import type { Group, HostOptions } from '../helpers/group.js';
import { expectRefused, groupAt } from '../helpers/refused.js';
import { sealflow, type SealflowOptions } from '../helpers/sealflow.js';
import { command } from '../helpers/in-process.js';
import { temporaryDirectory } from '../helpers/temporary.js';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

/** Small enough for any machine that runs the tests. */
const SMALL: HostOptions = {
  pools: [
    [1, 'P1', 'P2', 'P3'],
    [1, 'P5', 'P6'],
  ],
};

/** The findings by check, and the exit code. @param options of a process of its own */
async function examine(group: Group, host: HostOptions = SMALL, options?: SealflowOptions) {
  const file = await group.writeConfig(1, { ...SMALL, ...host });
  const args = ['doctor', '--config', file, '--json'];
  const { code, stdout, stderr } = await (options ? sealflow(args, options) : command(args));
  const lines = stdout.trim().split('\n');
  const findings = lines.map((line) => JSON.parse(line) as Finding);
  return { code, stderr, byCheck: new Map(findings.map((finding) => [finding.check, finding])) };
}

const resultsOf = (byCheck: Map<string, Finding>): string[] =>
  [...byCheck].map(([check, { result }]) => `${result} ${check}`);

describe('without a server', () => {
  test('all other checks still run', async () => {
    const address = `127.0.0.1:${await freePort('127.0.0.1')}`;
    const group = await groupAt(address);
    const { code, stderr, byCheck } = await examine(group);
    expect({ code, stderr }).toEqual({ code: 1, stderr: '' });
    expect(byCheck.get('server')).toMatchObject({
      result: 'fail',
      found: expect.stringContaining(`no Temporal server answers at ${address}`) as string,
      wanted: 'a Temporal frontend',
      hint: 'start one, or set TEMPORAL_ADDRESS',
    });
    const { root } = group.directory;
    expect(resultsOf(byCheck)).toEqual(
      expect.arrayContaining([
        'ok config',
        'skipped server version',
        'skipped namespace',
        'skipped clock',
        `ok group ${root}`,
        `ok disk ${root}`,
        `ok owner ${root}`,
        `ok probe ${root}`,
        `ok probe ${group.node}`,
        `ok room ${root}`,
        'ok storage nodes',
        'ok cores',
        'ok engine',
        'skipped parameters',
      ]),
    );
  });

  test('several faults are reported at once, each under its check', async () => {
    const group = await groupAt('127.0.0.1:1');
    const missing = join(group.root, 'missing');
    const config = {
      group_id: [7],
      'storage-nodes': [missing],
      engine: { command: ENGINE, reserved_cores: 4096, environment: { FORCE_OPT_P1: '1' } },
    };
    const { code, byCheck } = await examine(group, { config });
    expect(code).toBe(1);
    const { root } = group.directory;
    expect(byCheck.get(`group ${root}`)).toMatchObject({
      result: 'fail',
      wanted: 'the directory of group 7',
    });
    expect(byCheck.get(`disk ${missing}`)).toMatchObject({
      result: 'fail',
      found: `${missing} does not exist`,
    });
    expect(byCheck.get('storage nodes')?.result).toBe('fail');
    expect(byCheck.get('cores')?.found).toMatch(/^engine.reserved_cores = 4096 leaves no core for P2 and P3/);
    expect(byCheck.get('environment')?.found).toMatch(/^FORCE_OPT_P1: /);
  });

  test('people get a list and the number of each result', async () => {
    const group = await groupAt('127.0.0.1:1');
    const file = await group.writeConfig(1, SMALL);
    const { code, stdout } = await sealflow(['doctor', '--config', file]);
    expect(code).toBe(1);
    expect(stdout).toMatch(
      /^ok {7}config {24}P1 P2 P3 P5 P6 of group 1, 2KiB\nFAIL {5}server\n {11}found {3}no /,
    );
    expect(stdout).toMatch(/\n\n\d+ ok, .*1 fail, \d+ skipped\n$/);
  });

  test('it leaves no files behind', async () => {
    const group = await groupAt('127.0.0.1:1');
    const before = await namesBelow(group.directory.root, group.node);
    await examine(group);
    expect(await namesBelow(group.directory.root, group.node)).toEqual(before);
  });

  test('a hung mount is reported and all other checks run; then the program ends by SIGTERM', async () => {
    const group = await groupAt('127.0.0.1:1');
    const { root } = group.directory;
    await rm(markerFile(root));
    await makeFifo(markerFile(root));
    const { code, byCheck } = await examine(group, SMALL, {});
    expect(code).toBe('SIGTERM');
    for (const check of [`group ${root}`, `disk ${root}`, `owner ${root}`, `probe ${root}`]) {
      expect(byCheck.get(check)).toMatchObject({
        result: 'fail',
        found: expect.stringMatching(`^${root} is hung: no answer since `) as string,
      });
    }
    expect(byCheck.get(`probe ${group.node}`)?.result).toBe('ok');
    expect(byCheck.get('engine')?.result).toBe('ok');
  });

  test('a config that cannot be read is wrong use', async () => {
    const file = join(await temporaryDirectory(), 'config.toml');
    await expectRefused(['doctor', '--config', file, '--json'], 2, [
      `sealflow: ${file}: cannot be read: ENOENT: no such file or directory, open '${file}'`,
    ]);
    await writeFile(file, 'ip = "127.0.0.1"\n');
    expect((await sealflow(['doctor', '--config', file])).code).toBe(2);
  });
});

async function namesBelow(...directories: string[]): Promise<string[]> {
  const names = await Promise.all(directories.map((directory) => readdir(directory, { recursive: true })));
  return names.flat().sort();
}

describe('with a server', () => {
  let cluster: Cluster;

  beforeAll(async () => {
    cluster = await Cluster.join();
    return () => cluster.end();
  });

  test('a host that is set up passes', async () => {
    const group = await cluster.group();
    const { code, stderr, byCheck } = await examine(group);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(byCheck.get('server')).toMatchObject({ result: 'ok', found: cluster.address });
    for (const check of [
      'server version',
      'namespace',
      'retention',
      'search attributes',
      'priority',
      'orchestrator',
      'versions',
      'sector size',
      'clock',
    ]) {
      expect(byCheck.get(check)).toMatchObject({ check, result: 'ok' });
    }
    expect(byCheck.get('clock')?.found).toMatch(/ (ahead of|behind) the server \(± .+\)$/);
  });

  test('a missing namespace is reported, and checks that depend on it are skipped', async () => {
    const group = await cluster.group();
    const { code, byCheck } = await examine(group, SMALL, { env: { TEMPORAL_NAMESPACE: 'elsewhere' } });
    expect(code).toBe(1);
    expect(byCheck.get('namespace')).toEqual({
      check: 'namespace',
      result: 'fail',
      found: 'elsewhere does not exist',
      wanted: 'a namespace that is set up',
      hint: 'run sealflow setup',
    });
    expect(byCheck.get('retention')).toMatchObject({ result: 'skipped', found: 'no namespace' });
    expect(byCheck.get('server version')?.result).toBe('ok');
  });

  test('what the worker serves, a drained host, and a host with another sector size than its group are seen', async () => {
    const group = await cluster.group();
    const worker = await group.serve(1, SMALL);
    const file = await group.writeConfig(1, SMALL);
    const checkOf = async (config: string, check: string): Promise<Finding | undefined> => {
      const { stdout } = await command(['doctor', '--config', config, '--json']);
      const findings = stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as Finding);
      return findings.find((finding) => finding.check === check);
    };
    await eventually(async () => (await checkOf(file, 'worker'))?.result === 'ok');
    expect((await checkOf(file, 'worker'))?.found).toMatch(
      new RegExp(`^serves .* \\(process ${worker.pid}\\)$`),
    );
    await command(['drain', '--config', file]);
    await worker.until('drained since ');
    await eventually(async () => (await checkOf(file, 'worker'))?.result === 'warn');
    expect((await checkOf(file, 'worker'))?.found).toMatch(/^serves nothing: drained since /);

    const other = await group.writeConfig(2, { ...SMALL, config: { sector_size: SECTOR_SIZES['8MiB'] } });
    expect(await checkOf(other, 'sector size')).toMatchObject({
      result: 'warn',
      found: `only this host serves 8MiB; ${group.ip(1)} serves 2KiB`,
    });
  });

  test('a worker logs at its start what is wrong, and serves anyway', async () => {
    const group = await cluster.group();
    const config = {
      engine: { command: ENGINE, reserved_cores: 0, environment: { FIL_PROOFS_ROWS_TO_DISCARD: '3' } },
    };
    const worker = await group.serve(1, { ...SMALL, config });
    await worker.until(
      ' WARN  doctor: environment: FIL_PROOFS_ROWS_TO_DISCARD=3; wanted: FIL_PROOFS_ROWS_TO_DISCARD unset',
    );
  });
});

describe('printed settings', () => {
  test('match the config', async () => {
    const group = await groupAt('127.0.0.1:1');
    const local_dir = join(group.root, 'sealer');
    await mkdir(local_dir, { recursive: true });
    const file = await group.writeConfig(1, { ...SMALL, config: { local_dir, ip: '10.10.10.21' } });
    const doctor = ['doctor', '--config', file];
    const all = ['--print-exports', '--print-mounts', '--print-tc', '--clients', '10.10.10.0/24'];
    const { code, stdout, stderr } = await command([...doctor, ...all, '--interface', 'eth1']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain(`\n${local_dir} 10.10.10.0/24(rw,sync,`);
    expect(stdout).toContain(`\n10.10.10.21:${local_dir} ${local_dir} nfs hard,`);
    expect(stdout).toContain('\ntc class add dev eth1 parent 1: classid 1:10 htb rate 4000000kbit');
  });

  test('name missing options', async () => {
    const group = await groupAt('127.0.0.1:1');
    const file = await group.writeConfig(1, { pools: [[1, 'P4']], config: { copy_limit_mb_per_sec: 0 } });
    const doctor = ['doctor', '--config', file];
    await expectRefused([...doctor, '--print-exports'], 2, ['sealflow: --print-exports needs --clients']);
    await expectRefused([...doctor, '--print-mounts'], 2, ['sealflow: --print-mounts needs --server']);
    const tc = [...doctor, '--print-tc', '--clients', '10.10.10.0/24', '--interface', 'eth1'];
    await expectRefused(tc, 2, ['sealflow: --print-tc needs --rate']);
    const { code, stderr } = await command([...tc, '--rate', '0']);
    expect({ code, says: stderr.includes('It must be a number above 0') }).toEqual({ code: 2, says: true });
    for (const [option, value] of [
      ['--clients', '10.10.10/24'],
      ['--interface', 'eth0; reboot'],
    ] as const)
      expect((await command([...doctor, '--print-tc', option, value])).code).toBe(2);
  });
});
