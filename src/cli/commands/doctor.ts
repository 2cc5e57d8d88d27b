import { isIP } from 'node:net';
import { Command, InvalidArgumentError } from 'commander';
import { readConfig, type Config } from '../../config.js';
import { servedPhases } from '../../doctor/checks/config.js';
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
    .option('--print-exports', 'the line of /etc/exports for the P1 host, with --clients')
    .option('--print-mounts', 'the line of /etc/fstab for the other hosts, with --server')
    .option('--print-tc', "commands that limit the others' NFS reads, with --clients, --interface, --rate")
    .option('--clients <network>', 'the other hosts of the group, like 10.10.10.0/24', parseNetwork)
    .option('--server <host>', 'the P1 host as the others reach it (default: ip, if P1 is served here)')
    .option('--interface <name>', "the P1 host's network interface towards the others", parseInterface)
    .option('--rate <MB/s>', 'for all of them together (default: copy_limit_mb_per_sec)', parseRate)
    .action(async (options: DoctorCommandOptions) => {
      const config = readConfig(options.config);
      const texts = await textsFor(config, options);
      if (texts.length > 0) print(texts.join('\n\n'));
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

async function textsFor(config: Config, options: DoctorCommandOptions): Promise<string[]> {
  const texts: string[] = [];
  if (options.printExports) {
    const clients = needed('--print-exports', '--clients', options.clients);
    const mountPoint = mountOf(config.localDir, await readMountTable())?.mountPoint ?? '/';
    texts.push(printExports(config, { clients, mountPoint, asRoot: process.getuid?.() === 0 }));
  }
  if (options.printMounts) {
    const own = servedPhases(config).includes('P1') ? config.ip : undefined;
    texts.push(printMounts(config, needed('--print-mounts', '--server', options.server ?? own)));
  }
  if (options.printTc) {
    const copies = config.copyLimitBytesPerSec > 0 ? config.copyLimitBytesPerSec / 1e6 : undefined;
    texts.push(
      printTc({
        clients: needed('--print-tc', '--clients', options.clients),
        interface: needed('--print-tc', '--interface', options.interface),
        mbPerSec: needed('--print-tc', '--rate', options.rate ?? copies),
      }),
    );
  }
  return texts;
}

function needed<T>(option: string, missing: string, value: T | undefined): T {
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
  // What the kernel allows (dev_valid_name), less what a shell would read otherwise.
  if (!/^[A-Za-z0-9_.-]{1,15}$/.test(text))
    throw new InvalidArgumentError('It must be the name of an interface, like eth0 (`ip link`).');
  return text;
}

function parseRate(text: string): number {
  const rate = Number(text);
  if (!(rate > 0 && rate < Infinity))
    throw new InvalidArgumentError('It must be a number above 0, in MB per second.');
  return rate;
}
