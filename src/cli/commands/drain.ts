import { Command } from 'commander';
import { setTimeout as sleep } from 'node:timers/promises';
import { findEngines, type FoundEngine } from '../../engines/find.js';
import { hostIdentity } from '../../engines/processes.js';
import { readConfig, type Config } from '../../config.js';
import { drain } from '../../group/drained.js';
import { parseSectorFileName, sectorName } from '../../sector.js';
import { configuredPhases } from '../../workers/serving.js';
import type { Drained, Draining } from '../host-json-forms.js';
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
    .option('--json', 'print JSON, one object a line')
    .action(async ({ config: file, wait, json }: { config: string; wait?: boolean; json?: boolean }) => {
      const config = readConfig(file);
      const say = json ? sayJson : sayText;
      const { changed, isNoticed } = await changeDrained(config, file, drain);
      say.drained(config, file, { host: config.ip, drained: true, changed, noticed: isNoticed });
      const signal = untilSignal();
      if (wait) await unlessStopped(signal, () => untilIdle(config, say, signal));
    });

const sayJson = {
  drained: (_config: Config, _file: string, said: Drained): void => print(JSON.stringify(said)),
  running: ({ ip: host }: Config, engines: readonly FoundEngine[]): void => {
    const running = engines.map((engine) => ({ sector: nameOf(engine), phase: engine.attempt.phase }));
    print(JSON.stringify({ host, running } satisfies Draining));
  },
};

const sayText: typeof sayJson = {
  drained({ ip }, file, { noticed }) {
    print(`${ip} is drained: it takes no new work until sealflow undrain`);
    if (!noticed)
      print(
        `no worker of this user uses ${file} on this machine; one elsewhere, in a container, notices within its wait_sec`,
      );
  },
  running({ ip, pools }, engines) {
    if (engines.length > 0) print(`running: ${engines.map(describe).join(', ')}`);
    else print(`no engine of ${configuredPhases(pools).join(' ')} runs on ${ip}`);
  },
};

/** `t01000/7`, as all commands say it. */
const nameOf = ({ sector }: FoundEngine): string => {
  const id = parseSectorFileName(sector);
  return id ? sectorName(id) : sector;
};
const describe = (engine: FoundEngine): string => `${nameOf(engine)} ${engine.attempt.phase}`;

/** Waits until no engine runs, and tells the running ones whenever they change. @throws the signal's reason */
async function untilIdle(config: Config, say: typeof sayJson, signal: AbortSignal): Promise<void> {
  const phases = configuredPhases(config.pools);
  const self = await hostIdentity(config.ip);
  for (let told: string | undefined; ;) {
    // First of all the worker needs a moment to notice.
    await sleep(POLL_MS, undefined, { signal }).catch(() => signal.throwIfAborted());
    const engines = (await findEngines(config.localDir, self))
      .filter(({ attempt }) => phases.includes(attempt.phase))
      .sort((a, b) => describe(a).localeCompare(describe(b)));
    const running = engines.map(describe).join(', ');
    if (running !== told) say.running(config, engines);
    if (engines.length === 0) return;
    told = running;
  }
}
