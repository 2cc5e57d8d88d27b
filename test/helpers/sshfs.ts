/**
 * A directory of this machine seen through sshfs: by way of an sshd of one's own on the loopback, with its own keys. A view can
 * keep what it has seen for a minute, as NFS clients do, and it can hang.
 */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { endGroup, hasEnded, spawnBound } from '../../src/machine/bound-process.js';
import { freePort } from '../../src/temporal/embedded/ports.js';
import { run, runs } from './commands.js';
import { eventually } from './eventually.js';
import type { Group } from './group.js';

/**
 * For how many seconds a view believes what it has seen of names and attributes, and that a name is not there. NFS clients
 * do for 3 to 60 (acregmin, acdirmax).
 */
const CACHED = 'dir_cache=yes,dcache_timeout=60,attr_timeout=60,entry_timeout=60,negative_timeout=60';
const UNCACHED = 'dir_cache=no,attr_timeout=0,entry_timeout=0,negative_timeout=0';

const STOP_GRACE_MS = 5_000;

export class SshServer {
  private constructor(
    private readonly group: Group,
    private readonly directory: string,
    private readonly port: number,
  ) {}

  /** Ends with the group. */
  static async start(group: Group): Promise<SshServer> {
    const directory = join(group.root, 'sshd');
    await mkdir(directory, { mode: 0o700 });
    // sshd wants this directory of its package, which the service makes when it starts.
    await mkdir('/run/sshd', { recursive: true, mode: 0o755 });
    for (const key of ['host', 'user'])
      await run('ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f', join(directory, key));
    await writeFile(join(directory, 'allowed'), await readFile(join(directory, 'user.pub')));
    await chmod(join(directory, 'allowed'), 0o600);
    const server = new SshServer(group, directory, await freePort('127.0.0.1'));
    await server.listen();
    return server;
  }

  private async listen(): Promise<void> {
    const { directory, port } = this;
    const settings = {
      Port: port,
      ListenAddress: '127.0.0.1',
      HostKey: join(directory, 'host'),
      AuthorizedKeysFile: join(directory, 'allowed'),
      PidFile: 'none',
      PermitRootLogin: 'yes',
      PasswordAuthentication: 'no',
      StrictModes: 'no',
      Subsystem: 'sftp internal-sftp',
    };
    const file = join(directory, 'sshd_config');
    const lines = Object.entries(settings).map(([name, value]) => `${name} ${value}\n`);
    await writeFile(file, lines.join(''));
    const [sshd = ''] = (await run('sh', '-c', 'command -v sshd')).split('\n');
    const child = spawnBound(sshd, ['-D', '-e', '-f', file], { stdio: 'ignore' });
    this.group.onEnd(() => endGroup(child, STOP_GRACE_MS));
    await eventually(() => hasEnded(child) || runs('ssh-keyscan', '-p', String(port), '127.0.0.1'));
    if (hasEnded(child)) throw new Error('sshd ended as soon as it was started');
  }

  /** Mounts a view of `directory` at `path`, which is made; it ends with the group. */
  async view(directory: string, path: string, how: 'cached' | 'uncached'): Promise<View> {
    await mkdir(path, { recursive: true });
    const view = new View(path, [
      ...['-f', '-p', String(this.port)],
      ...['-o', `IdentityFile=${join(this.directory, 'user')}`],
      ...['-o', 'StrictHostKeyChecking=no', '-o', 'UserKnownHostsFile=/dev/null', '-o', 'LogLevel=ERROR'],
      ...['-o', how === 'cached' ? CACHED : UNCACHED],
      ...[`127.0.0.1:${directory}`, path],
    ]);
    this.group.onEnd(() => view.end());
    await view.mount();
    return view;
  }
}

export class View {
  private child: ChildProcess | undefined;

  constructor(
    readonly path: string,
    private readonly args: readonly string[],
  ) {}

  async mount(): Promise<void> {
    const child = spawnBound('sshfs', this.args, { stdio: 'ignore' });
    this.child = child;
    await eventually(async () => hasEnded(child) || (await runs('mountpoint', '-q', this.path)));
    if (hasEnded(child)) throw new Error(`sshfs does not mount ${this.path}`);
  }

  /** From now on no call in it comes back. It goes on at the end of the test at the latest. */
  hang(): void {
    this.child?.kill('SIGSTOP');
    // Before the group's processes are ended: one that waits for an answer cannot be killed.
    onTestFinished(() => this.throwIfCancelled());
  }

  throwIfCancelled(): void {
    this.child?.kill('SIGCONT');
  }

  async end(): Promise<void> {
    const { child } = this;
    this.throwIfCancelled();
    if (!child || hasEnded(child)) return;
    const ended = once(child, 'exit');
    await eventually(() => hasEnded(child) || runs('umount', this.path));
    await ended;
  }
}
