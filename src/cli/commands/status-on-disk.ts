/** `sealflow status --on-disk`: the sectors in the group's directory, and which of them no workflow claims. */
import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import { sectorsOnDisk, type SectorOnDisk } from '../../group/sectors-on-disk.js';
import { hostIdentity } from '../../engines/processes.js';
import { readConfig, type Config } from '../../config.js';
import { connectClient } from '../../temporal/connect/client.js';
import { targetOf } from '../../temporal/connect/target.js';
import { workflowId } from '../../contract.js';
import { bytes } from '../../units.js';
import { MountHungError, registerMount } from '../../mounts/mounts.js';
import { scaledTimes } from '../../phases.js';
import { sectorName } from '../../sector.js';
import { UserError } from '../../user-error.js';
import { NotOfGroupError, readMarker } from '../../group/marker.js';
import type { OnDisk } from '../json-forms.js';
import { print, printJson } from '../process.js';
import { table } from '../table.js';

type Row = SectorOnDisk & Pick<OnDisk, 'workflow'>;

/** Lists the directory even if no server answers. @throws UserError when the group's directory is missing, or hangs */
export async function statusOnDisk(configFile: string, json: boolean, timeScale = 1): Promise<void> {
  const config = readConfig(configFile);
  const { mountQuick, mountSlow } = scaledTimes(timeScale);
  registerMount(config.localDir, { quickMs: mountQuick, slowMs: mountSlow });
  const sectors = await read(config);
  const client = await connectClient(targetOf(config)).catch((error: unknown) => {
    if (!(error instanceof UserError)) throw error;
    process.stderr.write(`sealflow: ${error.message}: cannot determine which sectors are claimed\n`);
  });
  const rows: Row[] = await Promise.all(
    sectors.map(async (sector) => ({ ...sector, workflow: await claimOf(client ?? undefined, sector) })),
  );
  if (json) for (const row of rows) printJson(shown(row));
  else if (rows.length === 0) print(`no sectors in ${config.localDir}`);
  else printRows(rows);
}

async function read(config: Config): Promise<SectorOnDisk[]> {
  try {
    const { subdirectory } = await readMarker(config.localDir);
    const group = { root: config.localDir, subdirectory };
    return await sectorsOnDisk(group, await hostIdentity(config.ip));
  } catch (error) {
    if (!(error instanceof NotOfGroupError || error instanceof MountHungError)) throw error;
    throw new UserError(error.message, { exitCode: 1 });
  }
}

async function claimOf(client: Client | undefined, { id }: SectorOnDisk): Promise<OnDisk['workflow']> {
  if (!client) return 'unknown';
  if (!id) return 'none';
  try {
    const { status } = await client.workflow.getHandle(workflowId(id)).describe();
    return status.name === 'RUNNING' ? 'RUNNING' : 'none';
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return 'none';
    throw error;
  }
}

const shown = ({ id, ...rest }: Row): OnDisk => ({ ...(id && { sector: sectorName(id) }), ...rest });

function printRows(rows: readonly Row[]): void {
  print(
    table(
      rows.map(({ id, path, state, seal, done, engines, usedBytes, workflow, problem }) => ({
        sector: id ? sectorName(id) : path,
        size: seal?.size ?? '',
        state,
        workflow: id ? workflow : '',
        done: done.join(' '),
        engines: engines.map(({ at, host, alive }) => `${at} on ${host}${alive ? '' : '?'}`).join(' '),
        used: usedBytes === undefined ? '' : bytes(usedBytes),
        problem: problem ?? '',
      })),
    ),
  );
  if (rows.some(({ engines }) => engines.some(({ alive }) => alive === undefined)))
    print(
      '\n?: on another host, or one that is down: whether the engine still runs cannot be seen from here',
    );
  const unclaimed = rows.filter(({ state, workflow }) => state === 'begun' && workflow === 'none');
  if (unclaimed.length === 0) return;
  print('\nno workflow claims these, and none of their files are deleted. To resume them:');
  for (const row of unclaimed) print(`  ${startCommand(row)}`);
}

/** The command that restarts the sector with its original input. */
function startCommand({ id, path, seal }: Row): string {
  const sector = id ? sectorName(id) : path;
  if (!seal) return `# ${sector}: sector.json cannot be read; start it with its original ticket`;
  const { group, size, ticket, ticketEpoch, seed, chain } = seal;
  const at = ticketEpoch === undefined ? '' : `@${ticketEpoch}`;
  const given = [
    ...(ticket === undefined ? [] : [`--ticket ${ticket}${at}`]),
    ...(seed === undefined ? [] : [`--seed ${seed}`]),
    ...(chain ? ['--chain'] : []),
  ];
  return [`sealflow start ${sector} --group ${group} --size ${size}`, ...given].join(' ');
}
