import { Command } from 'commander';
import { setTimeout as sleep } from 'node:timers/promises';
import { findEngines, type FoundEngine } from '../../engines/find.js';
import { hostIdentity } from '../../engines/processes.js';
import { readConfig, type Config } from '../../config.js';
import { drain } from '../../group/drained.js';
import { configuredPhases } from '../../workers/serving.js';
import { print, unlessStopped, untilSignal } from '../process.js';
import { changeDrained } from './undrain.js';

const POLL_MS = 1_000;

export const drainCommand = (): Command =>
  new Command('drain')
    .description(
      "let this host's worker finish its running phases and take no new work, until `sealflow undrain`",
    )
    .requiredOption('--config <file>', 'config.toml of the host')
    .option('--wait', 'return once no engine of its phases runs on this host')
    .action(async ({ config: file, wait }: { config: string; wait?: boolean }) => {
      const config = readConfig(file);
      const { isNoticed } = await changeDrained(config, file, drain);
      print(`${config.ip} is drained: it takes no new work until sealflow undrain`);
      if (!isNoticed)
        print(
          `no worker of this user uses ${file} on this machine; one elsewhere, in a container, notices within its wait_sec`,
        );
      const signal = untilSignal();
      if (wait) await unlessStopped(signal, () => untilIdle(config, signal));
    });

/** Waits until no engine runs, and prints the running ones whenever they change. @throws the signal's reason */
async function untilIdle(config: Config, signal: AbortSignal): Promise<void> {
  const phases = configuredPhases(config.pools);
  const self = await hostIdentity(config.ip);
  for (let printed = ''; ;) {
    // First of all the worker needs a moment to notice.
    await sleep(POLL_MS, undefined, { signal }).catch(() => signal.throwIfAborted());
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
