/** Checks periodically what this host needs: the group's directory, its storage nodes, P4's parameters. */
import type { Config } from '../config.js';
import { MountGuard } from '../mounts/guard.js';
import type { GroupDirectory } from '../paths.js';
import { refuseUnfitDirectories } from '../storage/fitness.js';
import { refuseOwnDirectory } from '../storage/own-directory.js';
import { NODE_PHASES, type PhaseId } from '../phases.js';
import type { Log } from '../telemetry.js';
import { GroupMount } from '../group/marker.js';
import { nodeReadinessChecks } from './nodes.js';
import { Readiness, type ReadinessCheck } from './readiness.js';

export interface HostReadinessOptions {
  config: Config;
  namespace: string;
  /** Returns why P4 cannot run here (no parameters), or undefined. */
  parametersMissing: ReadinessCheck;
  log: Log;
  onChange: () => void;
}

export class HostReadiness {
  readonly group: GroupMount;
  readonly readiness: Readiness;
  private readonly nodes: ReadonlyMap<string, MountGuard>;

  constructor(private readonly options: HostReadinessOptions) {
    const { config, log, onChange } = options;
    const guard = (directory: string): MountGuard => new MountGuard(directory, config);
    this.group = new GroupMount(guard(config.localDir), options.namespace);
    this.nodes = new Map(config.storageNodes.map((directory) => [directory, guard(directory)]));
    const all = [...new Set(config.pools.flatMap(({ phases }) => phases))].sort();
    this.readiness = new Readiness(
      {
        'the directory of the group': { phases: all, check: () => this.verifyGroup() },
        ...(all.includes('P4') && {
          'proof parameters': { phases: ['P4'], check: once(options.parametersMissing) },
        }),
        ...nodeReadinessChecks(config.storageNodes, this.checkNode, all),
      },
      log,
      onChange,
    );
  }

  /**
   * Checks that a storage node may be written to.
   * @throws MountWrongError when it may not, or is a group's own directory; MountHungError
   */
  checkNode = async (directory: string): Promise<void> => {
    const node = this.nodes.get(directory);
    await node?.check();
    for (const group of await this.openGroups()) await refuseOwnDirectory(directory, group);
    await refuseUnfitDirectories(directory);
    // A storage node has no marker: only the file system of the first check identifies it.
    await node?.pinIdentity();
  };

  /** @throws MountWrongError when the storage node is not mounted; MountHungError */
  verifyMounted = async (directory: string): Promise<void> => {
    await this.nodes.get(directory)?.verifyMounted();
  };

  /** The directories of the config's groups that are currently usable. */
  async openGroups(): Promise<GroupDirectory[]> {
    const opened = await this.open();
    return opened.flatMap((result) => (result.status === 'fulfilled' ? result.value : []));
  }

  private async verifyGroup(): Promise<undefined> {
    const opened = await this.open();
    const failed = opened.find((result) => result.status === 'rejected');
    if (failed && opened.every((result) => result.status === 'rejected')) throw failed.reason;
  }

  private open = (): Promise<PromiseSettledResult<GroupDirectory>[]> =>
    Promise.allSettled(this.options.config.groups.map((group) => this.group.open(group)));
}

/** Stops checking after the first success: parameters do not disappear, and each check starts a process. */
function once(check: ReadinessCheck): ReadinessCheck {
  let passed = false;
  return async () => {
    const reason = passed ? undefined : await check();
    passed = reason === undefined;
    return reason;
  };
}

/** Warns if libuv has too few threads: each hung mount blocks up to two, and four more are needed. */
export function warnOfFewThreads(mounts: number, log: Log): void {
  const threads = Number(process.env['UV_THREADPOOL_SIZE'] ?? 4);
  const needed = 2 * mounts + 4;
  if (threads < needed)
    log.warn(`UV_THREADPOOL_SIZE=${threads}: hung mounts can block this worker; it needs ${needed}`);
}

/** The phases that can be served: P5 and P6 only if storage nodes are configured. */
export function servedPhases(config: Config, phases: readonly PhaseId[], log: Log): PhaseId[] {
  const unserved = phases.filter((phase) => config.storageNodes.length === 0 && NODE_PHASES.includes(phase));
  if (unserved.length > 0) log.warn(`${unserved.join(' ')} not served: config.toml names no storage-nodes`);
  return phases.filter((phase) => !unserved.includes(phase));
}
