import { Command } from 'commander';
import { setTimeout as sleep } from 'node:timers/promises';
import { findEngines, type FoundEngine } from '../../engines/find.js';
import { hostIdentity } from '../../engines/processes.js';
import { readConfig, type Config } from '../../config.js';
import { UserError } from '../../user-error.js';
import { findWorkers } from '../../workers/found-workers.js';
import { print, unlessStopped, untilSignal } from '../process.js';

const POLL_MS = 1_000;

export const drainCommand = (): Command =>
  new Command('drain')
    .description(
      "let this host's worker finish its running phases and take no new work, until it is restarted",
    )
    .requiredOption('--config <file>', 'config.toml of the worker')
    .option('--wait', 'return once no engine of its phases runs on this host')
    .action(async ({ config: file, wait }: { config: string; wait?: boolean }) => {
      const config = readConfig(file);
      const workers = await findWorkers(file);
      if (workers.length === 0) {
        throw new UserError(`no worker uses ${file} on this machine`, {
          exitCode: 1,
          hint: 'run drain where the worker runs (in its container), with the same file',
        });
      }
      for (const pid of workers) process.kill(pid, 'SIGUSR2');
      print(`${config.ip} takes no new work until its worker is restarted`);
      const signal = untilSignal();
      if (wait) await unlessStopped(signal, () => untilIdle(config, signal));
    });

/** Waits until no engine runs, and prints the running ones whenever they change. @throws the signal's reason */
async function untilIdle(config: Config, signal: AbortSignal): Promise<void> {
  const phases = config.pools.flatMap((pool) => pool.phases);
  const self = await hostIdentity(config.ip);
  for (let printed = ''; ; await sleep(POLL_MS, undefined, { signal }).catch(() => undefined)) {
    signal.throwIfAborted();
    const engines = (await findEngines(config.localDir, self)).filter(({ attempt }) =>
      phases.includes(attempt.phase),
    );
    if (engines.length === 0) break;
    const running = engines.map(describe).sort().join(', ');
    if (running !== printed) print(`running: ${running}`);
    printed = running;
  }
  print(`no engine of ${phases.join(' ')} runs on ${config.ip}`);
}

const describe = ({ sector, attempt }: FoundEngine): string => `${sector} ${attempt.phase}`;
