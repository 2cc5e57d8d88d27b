/** A group of hosts on this machine: its directory, its storage node, config.toml files, and hosts as processes or in this one. */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'smol-toml';
import { PHASES, SECTOR_SIZES, type PhaseId, type SectorSize } from '../../src/phases.js';
import { attemptDir, doneFile, sectorDir, type GroupDirectory } from '../../src/paths.js';
import { sectorFileName, sectorOf } from '../../src/sector.js';
import { setUpGroupDirectory } from '../../src/group/marker.js';
import { ENGINE, engineRuns, killEngines, type EngineRun } from './engine.js';
import { eventually, isAlive } from './eventually.js';
import { startHost, type InProcessHost } from './in-process-host.js';
import { startSealflow, type Running, type SealflowOptions } from './sealflow.js';

/** A pool: slots, then the phases that share them. */
export type Pool = readonly [number, ...PhaseId[]];
/** What a host serves when it is the only one of its group. */
export const ALL_PHASES: readonly Pool[] = [
  [10, 'P1'],
  [4, 'P2', 'P3'],
  [4, 'P4'],
  [2, 'P5', 'P6'],
];

export interface HostOptions {
  pools?: readonly Pool[];
  /** Keys of config.toml instead of the usual ones; `undefined` leaves one out. */
  config?: Record<string, unknown>;
  /** Environment of its engines: FIXTURE_… and the like. */
  engineEnv?: NodeJS.ProcessEnv;
}

/** What only a process has. */
export interface WorkerOptions extends HostOptions {
  run?: SealflowOptions;
  /** Of the command line, beside the usual ones. */
  args?: readonly string[];
}

export class Group {
  readonly directory: GroupDirectory;
  readonly node: string;
  /** FIXTURE_CHECKPOINTS of its engines. */
  readonly checkpoints: string;
  private readonly workers: Running[] = [];
  private readonly hosts: InProcessHost[] = [];
  private readonly ends: (() => Promise<void>)[] = [];
  /** Directories in which its engines run. */
  private readonly engineDirectories: string[];

  constructor(
    readonly root: string,
    readonly number: number,
    readonly size: SectorSize,
    private readonly address: string,
  ) {
    const subdirectory = `node-${number}`;
    this.directory = { root: join(root, 'sealer'), subdirectory };
    this.node = join(root, 'storage', subdirectory);
    this.checkpoints = join(root, 'checkpoints');
    this.engineDirectories = [root];
  }

  /** Makes its directories as an administrator does. */
  async setUp(): Promise<void> {
    for (const path of [this.directory.root, this.node, this.checkpoints])
      await mkdir(path, { recursive: true });
    await this.setUpDirectory(this.directory.root);
  }

  async setUpDirectory(localDir: string): Promise<void> {
    const { number, directory } = this;
    await setUpGroupDirectory(localDir, number, directory.subdirectory);
  }

  /** A loopback address as the host's own: engines of another one count as foreign. */
  ip = (host: number): string => `127.${1 + (this.number >> 8)}.${this.number & 255}.${host}`;

  /** @returns the path of the config.toml of a host. */
  async writeConfig(
    host: number,
    { pools = ALL_PHASES, config = {}, engineEnv = {} }: HostOptions = {},
  ): Promise<string> {
    const file = join(this.root, `host-${host}.toml`);
    const usual = {
      scheduler_url: `http://${this.address}`,
      local_dir: this.directory.root,
      copy_limit_mb_per_sec: 500,
      group_id: [this.number],
      sector_size: SECTOR_SIZES[this.size],
      ip: this.ip(host),
      'storage-nodes': [this.node],
      allow_system_disk: true,
      worker: pools.map(([num, ...phases]) => ({
        num,
        supported_phase: phases.map((phase) => PHASES[phase].queueName),
        // How often it looks for room: each look costs, and there are many of these workers on two cores.
        wait_sec: 0.5,
      })),
    };
    const engine = {
      command: ENGINE,
      reserved_cores: 0,
      environment: { FIXTURE_CHECKPOINTS: this.checkpoints, ...engineEnv },
      ...(config['engine'] as object | undefined),
    };
    await writeFile(file, stringify({ ...usual, ...config, engine }));
    return file;
  }

  /**
   * Serves a host within this process, and waits until it does. It costs a tenth of a worker process: for all tests but those of
   * what only a process has (signals, its end, metrics, its environment).
   */
  async host(host: number, options: HostOptions = {}): Promise<InProcessHost> {
    const started = startHost(await this.writeConfig(host, options));
    this.hosts.push(started);
    await started.until(' serves ');
    return started;
  }

  /** Starts a host's worker process. */
  async start(host: number, options: WorkerOptions = {}): Promise<Running> {
    const args = ['worker', '--config', await this.writeConfig(host, options), ...(options.args ?? [])];
    const worker = startSealflow(args, options.run);
    this.workers.push(worker);
    return worker;
  }

  /** Starts a host's worker process, and waits until it serves. */
  async serve(host: number, options: WorkerOptions = {}): Promise<Running> {
    const worker = await this.start(host, options);
    await worker.until(' serves ');
    return worker;
  }

  // ---- engines ----

  /** Sets what the engines of a sector's phase do (test/fixtures/engine/behaviour.mjs), until it is taken back. */
  async tell(sector: string, phase: PhaseId, setting: string, text = ''): Promise<void> {
    await writeFile(this.setting(sector, phase, setting), text);
  }

  async takeBack(sector: string, phase: PhaseId, setting: string): Promise<void> {
    await rm(this.setting(sector, phase, setting));
  }

  private setting = (sector: string, phase: PhaseId, setting: string): string =>
    join(this.checkpoints, `${sectorFileName(sectorOf(sector))}-${phase}.${setting}`);

  /** Starts of engines so far, of one sector and phase if so asked. */
  async starts(sector?: string, phase = ''): Promise<EngineRun[]> {
    const name = sector && sectorFileName(sectorOf(sector));
    return (await engineRuns(this.checkpoints)).filter(
      (run) => run.what === 'start' && (!name || run.sector === name) && run.at.includes(phase),
    );
  }

  /** Waits for the nth engine of a sector's phase. */
  async engine(sector: string, phase: PhaseId, nth = 1): Promise<EngineRun> {
    await eventually(async () => (await this.starts(sector, phase)).length >= nth);
    return (await this.starts(sector, phase))[nth - 1] as EngineRun;
  }

  // ---- files ----

  sector = (sector: string): string => sectorDir(this.directory, sectorOf(sector));
  done = (sector: string): string => doneFile(this.directory, sectorOf(sector));
  attempt = (sector: string, at: string, ...names: string[]): string =>
    join(attemptDir(this.sector(sector), at), ...names);

  /** Something below `root` that workers and engines use, a mount: it is ended behind them, the last one first. */
  onEnd(end: () => Promise<void>): void {
    this.ends.unshift(end);
  }

  /** Its engines run in this directory too, which is not below `root`. */
  alsoIn = (directory: string): void => void this.engineDirectories.push(directory);

  /** Ends its hosts and engines, and what they used. */
  async end(): Promise<void> {
    for (const worker of this.workers) worker.kill('SIGKILL');
    await Promise.all([...this.workers.map(({ ended }) => ended), ...this.hosts.map((host) => host.stop())]);
    for (const directory of this.engineDirectories) await killEngines(`${directory}/`);
    for (const end of this.ends) await end();
  }

  /** What its hosts have logged, for a test that failed. */
  said(): string {
    const workers = this.workers.map(({ pid, said }) => `worker ${pid}:\n${said.stderr}`);
    return [...workers, ...this.hosts.map(({ said }) => `host:\n${said.stderr}`)].join('\n');
  }
}

/** Waits until a process is gone. */
export const untilGone = (pid: number): Promise<void> => eventually(async () => !(await isAlive(pid)));
