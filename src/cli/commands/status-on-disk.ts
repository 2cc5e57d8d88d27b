/** `sealflow status --on-disk`: the sectors in the group's directory, and which of them no workflow claims. */
import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import { sectorsOnDisk, type SectorOnDisk } from '../../group/sectors-on-disk.js';
import { hostIdentity } from '../../engines/processes.js';
import { readConfig } from '../../config.js';
import { connectClient } from '../../temporal/connect/client.js';
import { targetOf } from '../../temporal/connect/target.js';
import { workflowId } from '../../contract.js';
import { bytes } from '../../units.js';
import { sectorOf } from '../../sector.js';
import { UserError } from '../../user-error.js';
import { NotOfGroupError, readMarker } from '../../group/marker.js';
import { print, printJson } from '../process.js';
import { table } from '../table.js';

/** `none`: no open workflow; `unknown`: Temporal does not answer. */
type Claim = 'RUNNING' | 'none' | 'unknown';

/** Lists the directory even if no server answers. @throws UserError when the group's directory is missing. */
export async function statusOnDisk(configFile: string, json: boolean): Promise<void> {
  const config = readConfig(configFile);
  const marker = await readMarker(config.localDir).catch((error: unknown) => {
    if (error instanceof NotOfGroupError) throw new UserError(error.message, { exitCode: 1 });
    throw error;
  });
  const group = { root: config.localDir, subdirectory: marker.subdirectory };
  const sectors = await sectorsOnDisk(group, await hostIdentity(config.ip));
  const client = await connectClient(targetOf(config)).catch((error: unknown) => {
    if (!(error instanceof UserError)) throw error;
    process.stderr.write(`sealflow: ${error.message}: cannot determine which sectors are claimed\n`);
  });
  const rows = await Promise.all(
    sectors.map(async (sector) => ({
      ...sector,
      workflow: client ? await claimOf(client, sector) : 'unknown',
    })),
  );
  if (json) for (const row of rows) printJson(row);
  else if (rows.length === 0) print(`no sectors in ${config.localDir}`);
  else printRows(rows);
}

async function claimOf(client: Client, { sector }: SectorOnDisk): Promise<Claim> {
  try {
    const { status } = await client.workflow.getHandle(workflowId(sectorOf(sector))).describe();
    return status.name === 'RUNNING' ? 'RUNNING' : 'none';
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return 'none';
    throw error;
  }
}

function printRows(rows: (SectorOnDisk & { workflow: string })[]): void {
  print(
    table(
      rows.map(({ sector, state, seal, done, engines, usedBytes, workflow, problem }) => ({
        sector,
        size: seal?.size ?? '',
        state,
        workflow,
        done: done.join(' '),
        engines: engines.map(({ at, host, alive }) => `${at} on ${host}${alive ? '' : '?'}`).join(' '),
        used: bytes(usedBytes),
        problem: problem ?? '',
      })),
    ),
  );
  const unclaimed = rows.filter(({ state, workflow }) => state === 'begun' && workflow === 'none');
  if (unclaimed.length === 0) return;
  print('\nno workflow claims these, and none of their files are deleted. To resume them:');
  for (const row of unclaimed) print(`  ${startCommand(row)}`);
}

/** The command that restarts the sector with its original input. */
function startCommand({ sector, seal }: SectorOnDisk): string {
  if (!seal) return `# ${sector}: sector.json cannot be read; start it with its original ticket`;
  const { group, size, ticket, ticketEpoch, seed } = seal;
  const at = ticketEpoch === undefined ? '' : `@${ticketEpoch}`;
  const rest = seed === undefined ? '' : ` --seed ${seed}`;
  return `sealflow start ${sector} --group ${group} --size ${size} --ticket ${ticket}${at}${rest}`;
}
