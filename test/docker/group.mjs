/** docker/compose.yaml with a group's directory, storage node and configs of this test. */
import { chown, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parse, stringify } from 'smol-toml';
import { ROOT } from '../../scripts/prepare.mjs';
import { eventually } from './shell.mjs';

export const USER = 10000;
export const WORKERS = ['p1', 'p2p3', 'p4p5', 'p6'];
export const SERVICES = ['server', 'orchestrator', ...WORKERS];
const COMPOSE = join(ROOT, 'docker', 'compose.yaml');
const FIXTURE = ['node', '/opt/sealflow/test/fixtures/engine.mjs'];

export class ComposedGroup {
  /** @param program `docker-compose`, or `docker compose` */
  constructor({ sh, program, scratch, signal }) {
    Object.assign(this, { sh, program, scratch, signal });
  }

  sealer = (...names) => join(this.scratch, 'sealer', ...names);
  storage = (...names) => join(this.scratch, 'storage', ...names);
  checkpoints = (...names) => join(this.scratch, 'checkpoints', ...names);

  compose = (...args) =>
    this.sh(...this.program, '--file', COMPOSE, '--file', join(this.scratch, 'more.json'), ...args);

  /** Directories, configs, and the mounts that only the tests need. */
  async prepare() {
    for (const name of ['sealer', 'storage', 'checkpoints', 'config']) {
      await mkdir(join(this.scratch, name));
      await chown(join(this.scratch, name), USER, USER);
    }
    await this.configure({ fixture: false });
    const volumes = [
      `${ROOT}test/fixtures:/opt/sealflow/test/fixtures:ro`,
      `${this.checkpoints()}:/checkpoints`,
    ];
    const services = Object.fromEntries(WORKERS.map((name) => [name, { volumes }]));
    await writeFile(join(this.scratch, 'more.json'), JSON.stringify({ services }));
  }

  /** The configs of docker/config with the least size, a disk that need not be its own, and perhaps the tests' engine. */
  async configure({ fixture }) {
    for (const role of WORKERS) {
      const config = parse(await readFile(join(ROOT, 'docker', 'config', `${role}.toml`), 'utf8'));
      const changes = { sector_size: 2048, allow_system_disk: true };
      if (fixture)
        changes.engine = {
          ...config.engine,
          command: FIXTURE,
          environment: { FIXTURE_CHECKPOINTS: '/checkpoints' },
        };
      for (const pool of config.worker) pool.wait_sec = 1;
      await writeFile(join(this.scratch, 'config', `${role}.toml`), stringify({ ...config, ...changes }));
    }
  }

  async setUp() {
    const setup = ['setup', '--local-dir', '/sealer', '--group', '1', '--subdirectory', 'storage'];
    await this.compose('run', '--rm', '--no-deps', '-T', 'p1', ...setup);
    await this.compose('up', '--detach', '--no-build', ...SERVICES);
  }

  end = () => this.compose('down', '--volumes', '--timeout', '20');

  // ---- containers ----

  container = (service) => this.compose('ps', '-a', '-q', service);

  async inspect(service, format) {
    return await this.sh('docker', 'inspect', '--format', format, await this.container(service));
  }

  untilHealthy = (service) =>
    eventually(
      `${service} is healthy`,
      async () => (await this.inspect(service, '{{.State.Health.Status}}')) === 'healthy',
      this,
    );

  /** Runs a program in a service's container. */
  exec = async (service, ...command) =>
    await this.sh('docker', 'exec', await this.container(service), ...command);

  // ---- sectors ----

  sealflow = (...args) => this.exec('orchestrator', 'sealflow', ...args);

  /** Short backoffs for sectors that something happens to. */
  start = (sector, ...options) =>
    this.sealflow('start', sector, ...['--group', '1', '--size', '2KiB', '--test', ...options]);

  sealed = async (sector) =>
    await eventually(
      `${sector} is sealed`,
      async () => {
        const status = JSON.parse(await this.sealflow('status', sector, '--json'));
        const [attention] = status.attention;
        if (attention) throw new Error(`${sector} needs attention: ${attention.type}: ${attention.message}`);
        return status.workflow === 'COMPLETED' && status;
      },
      { ...this, seconds: 300 },
    );

  receipt = async (file) => JSON.parse(await readFile(this.storage('receipts', `${file}.json`), 'utf8'));

  isCleaned = (file) =>
    !existsSync(this.sealer('nfs/storage/cache', file)) &&
    existsSync(this.sealer('nfs/storage/done', `${file}.json`));

  // ---- the tests' engine (test/fixtures/engine/behaviour.mjs) ----

  hold = (file, phase, moment = '') => writeFile(this.checkpoints(`${file}-${phase}.hold`), moment);
  release = (file, phase) => rm(this.checkpoints(`${file}-${phase}.hold`));

  /** What engines have noted: `{ what, at, pid, words }`. */
  async noted(file, phase) {
    const text = await readFile(this.checkpoints('engines.log'), 'utf8').catch(() => '');
    return text
      .split('\n')
      .map((line) => line.split(' '))
      .filter(([, sector, at]) => sector === file && at.includes(`/${phase}-`))
      .map(([what, , at, pid, , ...words]) => ({ what, at, pid: Number(pid), words: words.join(' ') }));
  }

  /** Waits until the nth engine of a phase stands at its hold. */
  held = (file, phase, nth = 1) =>
    eventually(
      `${phase} of ${file} is at work, engine ${nth}`,
      async () => (await this.noted(file, phase)).filter(({ what }) => what === 'held')[nth - 1],
      this,
    );
}
