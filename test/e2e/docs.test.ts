/**
 * Every `sealflow` line of the command blocks in README.md and docs/ runs against a real group, with what a reader replaces
 * (paths, addresses, sectors, hex) replaced by the group's own. A line with something new fails until it is in the tables here.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { publishedFiles } from '../fixtures/engine/published.mjs';
import { Cluster } from '../helpers/cluster.js';
import { docsBlocks, documentedCommands, innermost } from '../helpers/docs.js';
import { engineProgram } from '../helpers/engine-program.js';
import { eventually } from '../helpers/eventually.js';
import { Gateway } from '../helpers/gateway.js';
import type { Group } from '../helpers/group.js';
import type { InProcessHost } from '../helpers/in-process-host.js';
import { command } from '../helpers/in-process.js';
import type { End } from '../helpers/sealflow.js';
import { temporaryDirectory } from '../helpers/temporary.js';

vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

const HEX = 'ab'.repeat(32);

let cluster: Cluster;
let group: Group;
let idle: Group;
let host: InProcessHost;
let config: string;
/** Of a host that nobody serves: draining it takes nothing away from the other lines. */
let otherConfig: string;
let sealed: string;
let env: NodeJS.ProcessEnv;

beforeAll(async () => {
  cluster = await Cluster.join();
  group = await cluster.lastingGroup();
  idle = await cluster.lastingGroup();
  host = await group.host(1);
  config = await group.writeConfig(1);
  otherConfig = await group.writeConfig(2);
  env = { SEALFLOW_ENGINE: await engineProgram(group.root) };
  await cluster.untilServed(group);
  sealed = cluster.newSector();
  await cluster.start(group, sealed);
  await cluster.sealed(sealed);
  return () => cluster.end();
});

/** In a group that nobody serves: it waits, and costs nothing. */
const queued = (sector: string): Promise<void> => cluster.start(idle, sector, { ticket: HEX });
const waitingForSeed = async (sector: string): Promise<void> => {
  await cluster.start(group, sector, { ticket: HEX });
  await eventually(async () => (await cluster.status(sector)).state === 'waiting-for-seed');
};

async function inAttention(sector: string): Promise<void> {
  await group.tell(sector, 'P2', 'fail', '*:2:BadInput');
  await cluster.start(group, sector, { ticket: HEX });
  await cluster.attention(sector);
  await group.takeBack(sector, 'P2', 'fail');
}

async function waitingForLanded(sector: string): Promise<void> {
  const place = ['--group', String(group.number), '--size', '2KiB', '--clean-after', 'landed'];
  await cluster.sealflow('start', sector, ...place, '--ticket', HEX, '--seed', HEX);
  await eventually(async () => (await cluster.status(sector)).state === 'waiting-for-landed');
}

/** Both of its messages can be made. */
async function sealedInTime(sector: string): Promise<void> {
  await cluster.start(group, sector, { ticket: HEX, ticketEpoch: 4_200_000, seed: HEX });
  await cluster.sealed(sector);
}

interface Row {
  /** Brings a sector to where one gives this command. None: it need not be there. */
  prepare?: (sector: string) => Promise<void>;
  /** Arguments beside those in the docs. */
  also?: () => string[];
  /** What it prints, in its first lines. */
  says?: RegExp;
  /** Exit codes, if not 0 alone. */
  codes?: number[];
}

const COMMANDS: Record<string, Row> = {
  // The docs' sectors have 32 GiB, these 2 KiB.
  start: { also: () => ['--size', '2KiB'], says: /^t0\d+\/\d+ started \(workflow seal-t0\d+-\d+\)\n/ },
  status: { prepare: queued, says: /^(SECTOR +(WORKFLOW|SIZE) |t0\d+\/\d+ +2KiB +group \d+ )/ },
  seed: { prepare: queued, says: /: stored\n/ },
  retry: { prepare: inAttention, says: /: (going on|back to P2)\n/ },
  priority: { prepare: queued, says: /: is high now; / },
  cancel: { prepare: waitingForSeed, says: /: cancelled, its files are retained\n/ },
  // Nobody is there to confirm it.
  abort: { prepare: waitingForSeed, also: () => ['--yes'], says: /: aborted, / },
  message: { prepare: sealedInTime, says: /^(PreCommitSectorBatch2|ProveCommitSectors3) of t0/ },
  landed: { prepare: waitingForLanded },
  setup: { says: /./ },
  doctor: { codes: [0, 1], says: /^(ok +config |# )/ },
  verify: { says: /^ok / },
  health: { says: / polled \d+ s ago / },
  drain: { says: / is drained: it takes no new work until sealflow undrain\n/ },
  undrain: { says: / is no longer drained\n/ },
};
/** They go on until they are ended. The other tests of e2e run them, with the same words (test/helpers/group.ts, own-cluster.ts). */
const SERVICES: Record<string, string> = { orchestrator: '', worker: '--config CONFIG' };
const DRAINING = ['drain', 'undrain'];

/** What a reader replaces: how it looks in the docs, and by what. */
const PLACEHOLDERS: Record<string, [RegExp, (name: string) => string | Promise<string>]> = {
  CONFIG: [
    /^(\/etc\/sealflow\/p\d\.toml|config\.toml)$/,
    (name) => (DRAINING.includes(name) ? otherConfig : config),
  ],
  NODE: [/^\/mnt\/nfs\/10\.10\.4\.23$/, () => group.node],
  DIRECTORY: [/^\/sealer$/, () => newDirectory()],
  HEX: [/^HEX$/, () => HEX],
  'HEX@EPOCH': [/^HEX@EPOCH$/, () => `${HEX}@4200000`],
  ADDRESS: [/^10\.10\.19\.17:7233$/, () => cluster.address],
  SECTOR: [/^t01000\/\d+$/, (name) => sectorsFor(name, 1, ([sector = '']) => sector)],
  MINER: [/^t01000$/, () => cluster.newSector().split('/')[0] ?? ''],
  // Two, whatever there are in the docs.
  RANGE: [
    /^t01000\/\d+-\d+$/,
    (name) => sectorsFor(name, 2, ([first, second]) => `${first}-${second?.split('/')[1]}`),
  ],
  '@FILE': [/^@/, (name) => sectorsFor(name, 2, fileOf)],
};

/** The line in words that can be compared: two that differ by their placeholders only are one. */
const wordsOf = (argv: readonly string[]): string[] =>
  argv.map((arg) => Object.entries(PLACEHOLDERS).find(([, [pattern]]) => pattern.test(arg))?.[0] ?? arg);

async function newDirectory(): Promise<string> {
  const directory = join(await temporaryDirectory(), 'sealer');
  await mkdir(directory);
  return directory;
}

/** As many sectors as a line names, in the state that it is for. */
async function sectorsFor(
  name: string,
  count: number,
  named: (sectors: string[]) => string | Promise<string>,
): Promise<string> {
  if (name === 'verify') return sealed;
  const sectors = Array.from({ length: count }, cluster.newSector);
  await Promise.all(sectors.map(async (sector) => await COMMANDS[name]?.prepare?.(sector)));
  return await named(sectors);
}

async function fileOf(sectors: readonly string[]): Promise<string> {
  const file = join(await temporaryDirectory(), 'seeds');
  await writeFile(file, sectors.map((sector) => `${sector} ${HEX}\n`).join(''));
  return `@${file}`;
}

/** What options have here. */
const HERE: Record<string, () => string> = { '--group': () => String(group.number), '--count': () => '2' };

/** The arguments of a line here. */
async function argumentsOf(name: string, words: readonly string[]): Promise<string[]> {
  const args: string[] = [];
  for (const [i, word] of words.entries())
    args.push(HERE[words[i - 1] ?? '']?.() ?? (await (PLACEHOLDERS[word]?.[1](name) ?? word)));
  // The server is the cluster's, unless the line has a config or needs none.
  const hasPlace = [...args, name].some((arg) => ['--config', '--address', 'verify'].includes(arg));
  const also = COMMANDS[name]?.also?.() ?? [];
  return [name, ...args, ...also, ...(hasPlace ? [] : ['--address', cluster.address])];
}

/** Where `setup` makes or fetches something for the machine. */
async function setUpMachine(args: readonly string[]): Promise<End> {
  const directory = await temporaryDirectory();
  if (args.includes('--engine')) {
    // It gets as far as it can without a compiler: the build itself is tested with the real engine.
    const end = await command(args, { PATH: '', SEALFLOW_CACHE: directory });
    expect(end.stderr).toContain('cargo is not installed');
    return { ...end, code: 0, stdout: end.stderr };
  }
  const files = publishedFiles('32GiB');
  const gateway = await Gateway.start(files.map(({ cid, content }) => [cid, content]));
  return await command(args, { FIL_PROOFS_PARAMETER_CACHE: directory, IPFS_GATEWAY: gateway.url });
}

const lines = new Map<string, string>();
for (const { at, argv } of await documentedCommands()) {
  const [program, ...words] = wordsOf(innermost(argv));
  const line = words.join('\0');
  if (program === 'sealflow' && !lines.has(line)) lines.set(line, at);
}

test.each([...lines].map(([line, at]) => [`${at} ${line.replaceAll('\0', ' ')}`, line.split('\0')] as const))(
  '%s',
  async (_, [name = '', ...words]) => {
    if (name in SERVICES) {
      expect(words.join(' ')).toBe(SERVICES[name]);
      return;
    }
    expect(Object.keys(COMMANDS)).toContain(name);
    const args = await argumentsOf(name, words);
    const isForMachine = args.includes('--engine') || args.includes('--parameters');
    const end = await (isForMachine ? setUpMachine(args) : command(args, env));
    const { codes = [0], says = /(?:)/ } = COMMANDS[name] ?? {};
    expect(codes, `${end.stdout}${end.stderr}`).toContain(end.code);
    expect(end.stdout).toMatch(says);
  },
);

/** A line without what differs from one group to another. */
const shapeOf = (line: string): string =>
  line
    .replace(/^\S+Z (?=INFO|WARN)/, '')
    .replaceAll(/\b[ft]0\d+\/\d+/g, 'SECTOR')
    .replaceAll(/\b\d+\.\d+\.\d+\.\d+\b/g, 'IP')
    .replaceAll(/\b\d+(\.\d+)?\b/g, 'N')
    .replaceAll(hostname(), 'HOST')
    .replaceAll(/ +/g, ' ')
    .replace(/2KiB|32GiB/, 'SIZE')
    .trim();

describe('samples of what is printed', () => {
  const samples = docsBlocks().filter(({ kind }) => kind === 'text');
  const sampleWith = (text: string): string[] =>
    samples.flatMap((block) => (block.text.includes(text) ? block.text.trim().split('\n') : []));

  test('the log of a worker', () => {
    const logged = new Set(host.said.stderr.split('\n').map(shapeOf));
    const expected = [...sampleWith('INFO  serves P1 '), ...sampleWith(' P2 begins: ')]
      .filter((line) => line.startsWith('INFO') && !line.includes('…') && !line.includes('drained'))
      .map(shapeOf);
    expect(expected.length).toBeGreaterThanOrEqual(3);
    for (const shape of expected) expect(logged).toContain(shape);
  });

  test('a sector that waits for its seed', async () => {
    const sector = cluster.newSector();
    await waitingForSeed(sector);
    const { stdout } = await cluster.sealflow('status', sector);
    const printed = stdout.split('\n').map(shapeOf);
    const sample = sampleWith('waiting-for-seed').map(shapeOf);
    expect(sample.length).toBeGreaterThan(4);
    expect(printed.slice(0, sample.length)).toEqual(sample);
  });
});
