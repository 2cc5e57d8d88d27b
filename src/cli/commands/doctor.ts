import { isIP } from 'node:net';
import { Command, InvalidArgumentError } from 'commander';
import { readConfig, type Config } from '../../config.js';
import { declaredPhases } from '../../doctor/checks/config.js';
import { examine } from '../../doctor/doctor.js';
import { exitCodeOf, type Finding } from '../../doctor/finding.js';
import { printExports } from '../../doctor/print/exports.js';
import { printMounts } from '../../doctor/print/mounts.js';
import { printTc } from '../../doctor/print/tc.js';
import { renderFinding, summarize } from '../../doctor/render.js';
import { mountOf, readMountTable } from '../../mounts/mount-table.js';
import { UserError } from '../../user-error.js';
import { print, printJson } from '../process.js';

interface DoctorCommandOptions {
  config: string;
  deep?: boolean;
  json?: boolean;
  printExports?: boolean;
  printMounts?: boolean;
  printTc?: boolean;
  clients?: string;
  server?: string;
  interface?: string;
  rate?: number;
}

export const doctorCommand = (): Command =>
  new Command('doctor')
    .description(
      'check this host: config, server, mounts, disks, memory, engine; or print NFS and tc settings',
    )
    .requiredOption('--config <file>', 'config.toml of this host')
    .option('--deep', 'also compare the digests of the proof parameters (minutes at 32GiB)')
    .option('--json', 'print JSON')
    .option('--print-exports', 'print the /etc/exports line of the P1 host; needs --clients')
    .option('--print-mounts', 'print the /etc/fstab line of the other hosts; needs --server')
    .option(
      '--print-tc',
      "print tc commands that limit the others' NFS reads; needs --clients, --interface, --rate",
    )
    .option('--clients <network>', 'the other hosts of the group, like 10.10.10.0/24', parseNetwork)
    .option(
      '--server <host>',
      'address at which the others reach the P1 host (default: ip, if P1 is served here)',
    )
    .option('--interface <name>', 'network interface of the P1 host that faces the others', parseInterface)
    .option('--rate <MB/s>', 'limit for all clients together (default: copy_limit_mb_per_sec)', parseRate)
    .action(async (options: DoctorCommandOptions) => {
      const config = readConfig(options.config);
      const outputs = await requestedOutputs(config, options);
      if (outputs.length > 0) print(outputs.join('\n\n'));
      else process.exitCode = await runDoctor(config, options);
    });

async function runDoctor(
  config: Config,
  { deep = false, json = false }: DoctorCommandOptions,
): Promise<number> {
  const findings: Finding[] = [];
  for await (const finding of examine(config, { deep })) {
    findings.push(finding);
    if (json) printJson(finding);
    else print(renderFinding(finding));
  }
  if (!json) print(`\n${summarize(findings)}`);
  return exitCodeOf(findings);
}

async function requestedOutputs(config: Config, options: DoctorCommandOptions): Promise<string[]> {
  const outputs: string[] = [];
  if (options.printExports) {
    const clients = required('--print-exports', '--clients', options.clients);
    const mountPoint = mountOf(config.localDir, await readMountTable())?.mountPoint ?? '/';
    outputs.push(printExports(config, { clients, mountPoint, asRoot: process.getuid?.() === 0 }));
  }
  if (options.printMounts) {
    const own = declaredPhases(config).includes('P1') ? config.ip : undefined;
    outputs.push(printMounts(config, required('--print-mounts', '--server', options.server ?? own)));
  }
  if (options.printTc) {
    const copyRate = config.copyLimitBytesPerSec > 0 ? config.copyLimitBytesPerSec / 1e6 : undefined;
    outputs.push(
      printTc({
        clients: required('--print-tc', '--clients', options.clients),
        interface: required('--print-tc', '--interface', options.interface),
        mbPerSec: required('--print-tc', '--rate', options.rate ?? copyRate),
      }),
    );
  }
  return outputs;
}

function required<T>(option: string, missing: string, value: T | undefined): T {
  if (value === undefined) throw new UserError(`${option} needs ${missing}`);
  return value;
}

function parseNetwork(text: string): string {
  const [, address = '', bits] = /^([^/]+)(?:\/([0-9]{1,3}))?$/.exec(text) ?? [];
  const version = isIP(address);
  if (version === 0 || Number(bits ?? 0) > (version === 4 ? 32 : 128))
    throw new InvalidArgumentError('It must be an address or a network, like 10.10.10.0/24.');
  return text;
}

function parseInterface(text: string): string {
  // What the kernel allows (dev_valid_name), minus characters that are special to a shell.
  if (!/^[A-Za-z0-9_.-]{1,15}$/.test(text))
    throw new InvalidArgumentError('It must be an interface name, like eth0 (see `ip link`).');
  return text;
}

function parseRate(text: string): number {
  const rate = Number(text);
  if (!(rate > 0 && rate < Infinity))
    throw new InvalidArgumentError('It must be a number above 0, in MB per second.');
  return rate;
}
