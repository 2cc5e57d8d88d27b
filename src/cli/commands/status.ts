import { Command } from 'commander';
import type { Client } from '@temporalio/client';
import { WORKFLOW_TYPE } from '../../contract.js';
import type { CopyProgress, HeartbeatDetails } from '../../heartbeat.js';
import { describeLoad } from '../../machine/disk-load.js';
import { sealHost, sealPhase, sealState } from '../../search-attributes.js';
import { PHASE_IDS, PHASES } from '../../phases.js';
import { sectorName, type SectorId } from '../../sector.js';
import { amount, duration } from '../../units.js';
import { UserError } from '../../user-error.js';
import { parseCount, parseSectors } from '../arguments.js';
import { print, printJson } from '../process.js';
import { clientFrom, withServer, type ServerOptions } from '../server.js';
import { describeInQueue } from '../../temporal/ask/in-queue.js';
import { servedQueues } from '../../temporal/ask/pollers.js';
import {
  sectorStatus,
  waitOf,
  waitsOfWorkflow,
  type SectorStatus,
} from '../../temporal/ask/sector-status.js';
import { listedWaits } from '../../temporal/ask/why-waiting.js';
import { table } from '../table.js';
import { statusOnDisk } from './status-on-disk.js';

interface StatusOptions extends ServerOptions {
  limit: number;
  json?: boolean;
  onDisk?: boolean;
}

export const statusCommand = (): Command =>
  withServer(new Command('status'))
    .description('list all sectors, or show some in detail')
    .argument('[sectors...]', 'like t01000/7 or t01000/1-500', parseSectors)
    .option('--limit <n>', 'list at most this many sectors', parseCount, 100)
    .option('--on-disk', 'list the sectors in local_dir of --config, and which of them no workflow claims')
    .option('--json', 'print JSON')
    .action(async (sectors: SectorId[], { limit, json, onDisk, ...server }: StatusOptions) => {
      if (onDisk) {
        if (server.config === undefined) throw new UserError('--on-disk needs --config config.toml');
        await statusOnDisk(server.config, json ?? false);
        return;
      }
      const client = await clientFrom(server);
      if (sectors.length === 0) await list(client, limit, json ?? false);
      const isServed = servedQueues(client);
      for (const sector of sectors) {
        const status = await sectorStatus(client, sector, isServed);
        if (!status) throw new UserError(`no workflow found for ${sectorName(sector)}`, { exitCode: 1 });
        if (json) printJson(status);
        else describe(status);
      }
    });

async function list(client: Client, limit: number, json: boolean): Promise<void> {
  const rows = [];
  const isServed = servedQueues(client);
  for await (const info of client.workflow.list({
    query: `WorkflowType = '${WORKFLOW_TYPE}'`,
    pageSize: limit,
  })) {
    if (rows.length === limit) break;
    const attributes = info.typedSearchAttributes;
    const waits = (await listedWaits(client, info, isServed)).map(({ why }) => why).join('; ');
    rows.push({
      sector: info.workflowId.replace(/^seal-(t0[0-9]+)-/, '$1/'),
      workflow: info.status.name,
      state: attributes.get(sealState) ?? '',
      phase: attributes.get(sealPhase) ?? '',
      host: (attributes.get(sealHost) ?? []).join(' '),
      started: info.startTime.toISOString(),
      ended: info.closeTime?.toISOString() ?? '',
      waits,
    });
  }
  if (json) for (const row of rows) printJson(row);
  else if (rows.length === 0) print('no sectors');
  else print(table(rows.map((row) => (row.waits ? { ...row, state: 'waits' } : row))));
}

/** `copying sealed 43 %, 28.1 of 65.4 GB, 98 MB/s, 6.3 min left` */
function describeEngine({ step, fraction, disk, copy }: HeartbeatDetails): string {
  const done = fraction === null ? '' : ` ${(fraction * 100).toFixed(0)} %`;
  const load = disk ? ` (${describeLoad(disk)})` : '';
  return `${step}${done}${load}${copy ? describeCopy(copy) : ''}`;
}

function describeCopy({ bytes, total, bytesPerSec, passedOver: skipped = [] }: CopyProgress): string {
  const rate = bytesPerSec
    ? `, ${amount(bytesPerSec)}/s, ${duration(((total - bytes) / bytesPerSec) * 1000)} left`
    : '';
  const others = skipped.length > 0 ? ` (not ${skipped.join('; not ')})` : '';
  return `, ${amount(bytes)} of ${amount(total)}${rate}${others}`;
}

function describe(status: SectorStatus): void {
  const { sector, size, group, state, workflow, attention, storage } = status;
  print(`${sector}  ${size}  group ${group}  ${state} (workflow ${workflow})`);
  for (const { phase, type, message, hint, since } of attention) {
    print(`  ${phase} needs attention since ${new Date(since).toISOString()}: ${type}: ${message}`);
    print(`    ${hint}`);
  }
  for (const why of waitsOfWorkflow(status)) print(`  waits: ${why}`);
  const rows = PHASE_IDS.map((id) => {
    const { state: phaseState, tries, host = '', seconds, failure = '' } = status.phases[id];
    const engine = status.engines.find(({ phase }) => phase === id);
    const waits = waitOf(status, id);
    const inQueue = status.inQueue.find(({ phase }) => phase === id);
    return {
      phase: id,
      '': PHASES[id].title,
      state: waits ? 'waits' : phaseState,
      tries: tries > 1 ? String(tries) : '',
      host: engine?.host ?? host,
      seconds: seconds?.toFixed(1) ?? '',
      now: waits
        ? `waits: ${waits.why}`
        : engine
          ? describeEngine(engine)
          : inQueue
            ? describeInQueue(inQueue)
            : failure,
    };
  });
  print(table(rows));
  if (status.commR) print(`commR    ${Buffer.from(status.commR, 'base64').toString('hex')}`);
  if (storage) print(`sealed   ${storage.node}: ${storage.sealed}, receipt ${storage.receipt}`);
}
