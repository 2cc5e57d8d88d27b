/** The commands, what each takes and needs, and a cluster and a host's config.toml to run them with. A new one joins by its line. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { Cluster } from './cluster.js';
import { run } from './commands.js';
import { engineProgram } from './engine-program.js';
import { eventually } from './eventually.js';
import type { Group } from './group.js';
import type { End } from './sealflow.js';
import { temporaryDirectory } from './temporary.js';

const HEX = 'ab'.repeat(32);
const PLACE = ['--group', '49', '--size', '2KiB'];

export interface Row {
  /** What its arguments name. */
  takes: 'sectors' | 'seed' | 'nothing';
  /** What must answer it. */
  needs: 'orchestrator' | 'set up' | 'namespace' | 'server' | 'config';
  args?: string[];
  /** Arguments with which it waits, until Ctrl-C. */
  waits?: string[];
}

/** By name, with what it has before its sectors. */
export const TABLE: Record<string, Row> = {
  abort: { takes: 'sectors', needs: 'orchestrator', args: ['--yes', '--no-wait'], waits: ['--yes'] },
  cancel: { takes: 'sectors', needs: 'namespace', args: ['--no-wait'], waits: [] },
  doctor: { takes: 'nothing', needs: 'config' },
  drain: { takes: 'nothing', needs: 'config' },
  undrain: { takes: 'nothing', needs: 'config' },
  health: { takes: 'nothing', needs: 'namespace', args: ['--orchestrator'] },
  landed: { takes: 'sectors', needs: 'orchestrator' },
  'message precommit': { takes: 'sectors', needs: 'orchestrator' },
  'message prove-commit': { takes: 'sectors', needs: 'orchestrator' },
  priority: { takes: 'sectors', needs: 'orchestrator', args: ['high'] },
  retry: { takes: 'sectors', needs: 'orchestrator' },
  seed: { takes: 'seed', needs: 'orchestrator' },
  setup: { takes: 'nothing', needs: 'server' },
  start: {
    takes: 'sectors',
    needs: 'set up',
    args: [...PLACE, '--test', '--force'],
    waits: [...PLACE, '--test', '--force', '--wait'],
  },
  status: { takes: 'sectors', needs: 'set up' },
  verify: { takes: 'sectors', needs: 'config' },
};
/** They go on until they are ended, and have tests of their own. */
export const SERVICES = ['dev', 'worker', 'orchestrator'];

export const rows = (...takes: Row['takes'][]): [string, Row][] =>
  Object.entries(TABLE).filter(([, row]) => takes.includes(row.takes));
export const needing = (...needs: Row['needs'][]): [string, Row][] =>
  Object.entries(TABLE).filter(([, row]) => needs.includes(row.needs));

/** `message` of `message precommit`. */
export const programOf = (name: string): string => name.split(' ')[0] ?? '';

/** What commands are run on: call `end` of its cluster when all are done. */
export class CommandSite {
  private constructor(
    readonly cluster: Cluster,
    readonly group: Group,
    /** The config.toml of a host. */
    readonly config: string,
    /** What commands need of their environment. */
    readonly env: NodeJS.ProcessEnv,
  ) {}

  static async join(): Promise<CommandSite> {
    const cluster = await Cluster.join();
    const group = await cluster.lastingGroup();
    const config = await group.writeConfig(1);
    await run('mkdir', join(group.node, 'receipts'));
    const env = { SEALFLOW_ENGINE: await engineProgram(group.root) };
    return new CommandSite(cluster, group, config, env);
  }

  /** The arguments for these sectors. */
  async argsOf(name: string, sectors: readonly string[], given = TABLE[name]?.args): Promise<string[]> {
    const row = TABLE[name] as Row;
    const target = {
      nothing: async () => await Promise.resolve([]),
      sectors: async () => await Promise.resolve(sectors),
      seed: async () => [`@${await fileOf(...sectors.map((sector) => `${sector} ${HEX}`))}`],
    }[row.takes];
    const place = {
      config: ['--config', this.config],
      server: ['--address', this.cluster.address],
    }[row.needs === 'config' ? 'config' : 'server'];
    return [...name.split(' '), ...(await target()), ...(given ?? []), ...place];
  }

  /** A sector without a workflow; one whose workflow runs, in a group that nobody serves; one whose workflow has ended. */
  async mixed(): Promise<string[]> {
    const { cluster, group } = this;
    const [none, open, ended] = [cluster.newSector(), cluster.newSector(), cluster.newSector()];
    for (const sector of [open, ended]) await cluster.start(group, sector);
    await eventually(async () => (await cluster.status(open)).phases.P1.state === 'queued');
    await cluster.handle(ended).terminate();
    return [none, open, ended];
  }
}

export async function fileOf(...lines: string[]): Promise<string> {
  const file = join(await temporaryDirectory(), 'lines');
  await writeFile(file, lines.map((line) => `${line}\n`).join(''));
  return file;
}

export function expectClear({ stdout, stderr }: End): void {
  for (const text of ['unexpected error', '    at ', 'node:'])
    expect(`${stdout}\n${stderr}`).not.toContain(text);
}
