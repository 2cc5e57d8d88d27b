/** Checks periodically what this host needs, and whether it is drained: the group's directory, its storage nodes, P4's parameters. */
import type { Config } from '../config.js';
import { MountGuard } from '../mounts/guard.js';
import type { GroupDirectory } from '../paths.js';
import { refuseUnfitDirectories } from '../storage/fitness.js';
import { refuseOwnDirectory } from '../storage/own-directory.js';
import { NODE_PHASES, type PhaseId } from '../phases.js';
import type { Log } from '../telemetry.js';
import { drainedSince } from '../group/drained.js';
import { GroupMount } from '../group/marker.js';
import { nodeReadinessChecks } from './nodes.js';
import { Readiness, type Obstacle, type ReadinessCheck } from './readiness.js';
import { configuredPhases } from './serving.js';

export interface HostReadinessOptions {
  config: Config;
  namespace: string;
  /** Returns why P4 cannot run here (no parameters), or undefined. */
  parametersMissing: ReadinessCheck;
  onChange: () => void;
  /** Called with each look at the group's directory, before anything is served: since when the host is drained. */
  onDrained: (since: Date | undefined) => void;
}

export class HostReadiness {
  readonly group: GroupMount;
  readonly readiness: Readiness;
  private readonly nodes: ReadonlyMap<string, MountGuard>;
  private readonly parameters: ReturnType<typeof once>;

  constructor(private readonly options: HostReadinessOptions) {
    const { config, onChange } = options;
    const guard = (directory: string): MountGuard => new MountGuard(directory, config);
    this.group = new GroupMount(guard(config.localDir), options.namespace);
    this.nodes = new Map(config.storageNodes.map((directory) => [directory, guard(directory)]));
    const all = configuredPhases(config.pools);
    this.parameters = once(options.parametersMissing);
    this.readiness = new Readiness(
      {
        'the directory of the group': { phases: all, check: () => this.verifyGroup() },
        ...(all.includes('P4') && {
          'proof parameters': { phases: ['P4'], check: this.parameters.check },
        }),
        ...nodeReadinessChecks(config.storageNodes, this.checkNode, all),
      },
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

  /** To be called when P4 has failed for its parameters: they are looked at again, and no P4 is served without them. */
  parametersFailed = (): void => {
    this.parameters.again();
    void this.readiness.refresh();
  };

  private async verifyGroup(): Promise<undefined> {
    const opened = await this.open();
    const failed = opened.find((result) => result.status === 'rejected');
    if (failed && opened.every((result) => result.status === 'rejected')) throw failed.reason;
    const [group] = opened.flatMap((result) => (result.status === 'fulfilled' ? result.value : []));
    if (group) this.options.onDrained(await drainedSince(group, this.options.config));
  }

  /** What keeps the host from serving all of its config. */
  get obstacles(): Obstacle[] {
    return [...withoutNodes(this.options.config), ...this.readiness.obstacles];
  }

  private open = (): Promise<PromiseSettledResult<GroupDirectory>[]> =>
    Promise.allSettled(this.options.config.groups.map((group) => this.group.open(group)));
}

/**
 * Stops checking after the first success, until `again` is called: parameters seldom disappear, and each check starts a
 * process.
 */
function once(check: ReadinessCheck): { check: ReadinessCheck; again: () => void } {
  let passed = false;
  return {
    check: async () => {
      const reason = passed ? undefined : await check();
      passed = reason === undefined;
      return reason;
    },
    again: () => void (passed = false),
  };
}

/** Warns if libuv has too few threads: each hung mount blocks up to two, and four more are needed. */
export function warnOfFewThreads(mounts: number, log: Log): void {
  const threads = Number(process.env['UV_THREADPOOL_SIZE'] ?? 4);
  const needed = 2 * mounts + 4;
  if (threads < needed)
    log.warn(`UV_THREADPOOL_SIZE=${threads}: hung mounts can block this worker; it needs ${needed}`);
}

/** Whether the config has what a phase needs: P5 and P6 write to storage nodes. */
export const canServe = ({ storageNodes }: Config, phase: PhaseId): boolean =>
  storageNodes.length > 0 || !NODE_PHASES.includes(phase);

function withoutNodes(config: Config): Obstacle[] {
  const phases = configuredPhases(config.pools).filter((phase) => !canServe(config, phase));
  if (phases.length === 0) return [];
  return [{ phases, reason: 'config.toml names no storage-nodes' }];
}
