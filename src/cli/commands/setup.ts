import { Command, Option } from 'commander';
import { networkInterfaces } from 'node:os';
import type { Connection } from '@temporalio/client';
import { SEARCH_ATTRIBUTES } from '../../search-attributes.js';
import { connectServer } from '../../temporal/connect/client.js';
import { buildEngine } from '../../engines/build/build.js';
import { findEngine } from '../../engines/locate.js';
import { createDisplay, plainDisplay } from '../../dev/display.js';
import { readConfig, type Config } from '../../config.js';
import type { Engine } from '../../engines/engine.js';
import { engineEnvironment } from '../../engines/environment.js';
import { ensureParameters } from '../../engines/parameters.js';
import { fetchParameters } from '../../engines/published/fetch-parameters.js';
import { isPublished } from '../../engines/published/list.js';
import { SECTOR_SIZE_NAMES, type SectorSize } from '../../phases.js';
import { RETENTION_DAYS, setUpNamespace } from '../../temporal/embedded/namespace.js';
import { UserError } from '../../user-error.js';
import { setUpGroupDirectory } from '../../group/marker.js';
import { parseCount } from '../arguments.js';
import { print, printJson, untilSignal } from '../process.js';
import { targetFrom, withServer, type ServerOptions } from '../server.js';

interface SetupOptions extends ServerOptions {
  retentionDays: number;
  localDir?: string;
  group?: number;
  subdirectory?: string;
  engine?: boolean;
  parameters?: SectorSize;
  json?: boolean;
}

export const setupCommand = (): Command =>
  withServer(new Command('setup'))
    .description('set up the Temporal namespace; or a group directory, the engine, proof parameters')
    .option('--retention-days <n>', 'how long Temporal retains closed workflows', parseCount, RETENTION_DAYS)
    .option('--local-dir <dir>', 'make this the directory of a group (on the P1 host)')
    .option('--group <n>', 'with --local-dir: number of the group', parseCount)
    .option(
      '--subdirectory <name>',
      'with --local-dir: name below nfs/; the storage node in the old system (default: own IP)',
    )
    .option('--engine', 'build the engine (needs Rust)')
    .addOption(
      new Option(
        '--parameters <size>',
        'generate the proof parameters, or fetch those of 32GiB and 64GiB that are missing; [engine] of --config counts',
      ).choices(SECTOR_SIZE_NAMES.slice()),
    )
    .option('--json', 'print JSON')
    .action(async (options: SetupOptions) => {
      const done: Record<string, unknown> = {};
      if (options.localDir !== undefined) done['group'] = await setUpGroup(options, options.localDir);
      if (options.engine || options.parameters) Object.assign(done, await setUpEngine(options));
      if (Object.keys(done).length === 0) done['namespace'] = await setUpServer(options);
      if (options.json) printJson(done);
    });

async function setUpServer(options: SetupOptions) {
  const target = targetFrom(options);
  const client = await connectServer(target);
  const { namespace } = target;
  const changes = await setUpNamespace(client.connection as Connection, {
    namespace,
    retentionDays: options.retentionDays,
    searchAttributes: SEARCH_ATTRIBUTES,
  });
  if (!options.json) {
    print(`namespace ${namespace} at ${target.address}: ${changes.created ? 'created' : 'exists'}`);
    print(
      `retention: ${changes.retentionRaised ? `raised to ${options.retentionDays} days` : 'long enough'}`,
    );
    print(`search attributes: ${changes.attributesAdded.join(', ') || 'all present'}`);
  }
  return { name: namespace, ...changes };
}

async function setUpGroup({ group, subdirectory, json, ...server }: SetupOptions, localDir: string) {
  if (group === undefined) throw new UserError('--local-dir needs --group');
  const marker = await setUpGroupDirectory(
    localDir,
    group,
    subdirectory ?? ownAddress(),
    targetFrom(server).namespace,
  );
  if (!json)
    print(`${localDir} is the directory of group ${marker.group}, sectors are in nfs/${marker.subdirectory}`);
  return marker;
}

async function setUpEngine({ engine: build, parameters, config: file, json }: SetupOptions) {
  const config = file === undefined ? undefined : readConfig(file).engine;
  const signal = untilSignal();
  const display = json ? plainDisplay(() => undefined) : createDisplay(process.stdout);
  const engine = build
    ? display.step(
        'engine',
        async (onStep) => ({ ...(await buildEngine({ onStep, signal })), ...environmentOf(config) }),
        ({ command }) => command.join(' '),
      )
    : Promise.resolve(await existingEngine(config));
  const directory =
    parameters &&
    display.step(
      `proof parameters for ${parameters}`,
      async (onStep) => {
        if (build) onStep('waiting for the engine');
        const get = isPublished(parameters) ? fetchParameters : ensureParameters;
        return await get(await engine, parameters, { onStep, warn, signal });
      },
      (path) => path,
    );
  await display.start();
  try {
    const { command } = await engine;
    return { engine: command, ...(directory && { parameters: await directory }) };
  } catch (error) {
    if (!signal.aborted) throw error;
    throw new UserError('stopped', {
      exitCode: 1,
      hint: 'the same command goes on where it stopped',
      cause: error,
    });
  }
}

/** On stderr: what was replaced is worth knowing after the display has moved on. */
const warn = (line: string): void => void process.stderr.write(`sealflow: ${line}\n`);

/** The directory of the parameters may be set there. */
const environmentOf = (config?: Config['engine']): Partial<Engine> =>
  config ? { environment: engineEnvironment(config.environment) } : {};

async function existingEngine({ command, environment }: Partial<Config['engine']> = {}): Promise<Engine> {
  const engine = await findEngine({ command, environment });
  if (!engine) throw new UserError('the engine is not built', { hint: 'add --engine' });
  return engine;
}

function ownAddress(): string {
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  return addresses.find(({ internal, family }) => !internal && family === 'IPv4')?.address ?? '127.0.0.1';
}
