import { setTimeout as sleep } from 'node:timers/promises';
import type { Connection } from '@temporalio/client';
import { msNumberToTs, tsToMs } from '@temporalio/common/lib/time.js';
import { DAY_MS } from '../../units.js';
import { UserError } from '../../user-error.js';
import { GRPC, hasCode } from './grpc.js';

/** Search attributes of workflows: name to type. */
export type SearchAttributes = Readonly<Record<string, 'Keyword' | 'Int' | 'Datetime' | 'KeywordList'>>;

export interface NamespaceSetup {
  namespace: string;
  /** Minimum retention of closed workflows. */
  retentionDays: number;
  searchAttributes: SearchAttributes;
}

/** Changes that were made. */
export interface NamespaceChanges {
  created: boolean;
  retentionRaised: boolean;
  attributesAdded: string[];
}

/**
 * Days that Temporal retains closed workflows; the server's default is one. P6's receipts detect a second start of a sector for good,
 * so it only has to cover the recent past.
 */
export const RETENTION_DAYS = 365;

/** `temporal.api.enums.v1.IndexedValueType`. */
const VALUE_TYPES = { Keyword: 2, Int: 3, Datetime: 6, KeywordList: 7 } as const;
/** Types that attributes had in the version before; what they held of ended workflows is no longer found by them. */
const EARLIER_TYPES: Readonly<Record<string, number>> = { SealHost: VALUE_TYPES.Keyword };
/** Frontends refresh their caches of namespaces and attributes every 10 to 60 s. */
const USABLE_MS = 120_000;
const POLL_MS = 250;

/**
 * Sets up a namespace for sealflow: creates it if missing, raises its retention, adds missing search attributes, replaces
 * those whose type has changed since the version before, and waits until all of it is usable. Idempotent; never lowers the retention.
 *
 * @throws UserError when the server refuses, or an attribute exists with another type
 */
export async function setUpNamespace(
  connection: Connection,
  setup: NamespaceSetup,
): Promise<NamespaceChanges> {
  const created = await createIfMissing(connection, setup);
  await waitUntilUsable(connection, setup.namespace, []);
  const retentionRaised = await raiseRetention(connection, setup);
  const attributesAdded = await addAttributes(connection, setup);
  await waitUntilUsable(connection, setup.namespace, Object.keys(setup.searchAttributes));
  return { created, retentionRaised, attributesAdded };
}

async function createIfMissing(connection: Connection, setup: NamespaceSetup): Promise<boolean> {
  const { namespace, retentionDays } = setup;
  const { workflowService } = connection;
  const known = await refusable(
    workflowService.describeNamespace({ namespace }),
    { unless: GRPC.notFound },
    `cannot describe namespace ${namespace}`,
  );
  if (known) return false;
  const workflowExecutionRetentionPeriod = msNumberToTs(retentionDays * DAY_MS);
  const created = await refusable(
    workflowService.registerNamespace({ namespace, workflowExecutionRetentionPeriod }),
    { unless: GRPC.alreadyExists },
    `cannot create namespace ${namespace}`,
    `temporal operator namespace create --namespace ${namespace} --retention ${retentionDays}d`,
  );
  return created !== undefined;
}

async function raiseRetention(connection: Connection, setup: NamespaceSetup): Promise<boolean> {
  const { namespace, retentionDays } = setup;
  const { workflowService } = connection;
  const { config } = await workflowService.describeNamespace({ namespace });
  const retention = config?.workflowExecutionRetentionTtl;
  if (retention && tsToMs(retention) >= retentionDays * DAY_MS) return false;
  const workflowExecutionRetentionTtl = msNumberToTs(retentionDays * DAY_MS);
  await refusable(
    workflowService.updateNamespace({ namespace, config: { workflowExecutionRetentionTtl } }),
    {},
    `cannot raise the retention of namespace ${namespace}`,
    `temporal operator namespace update --namespace ${namespace} --retention ${retentionDays}d`,
  );
  return true;
}

async function addAttributes(connection: Connection, setup: NamespaceSetup): Promise<string[]> {
  const { namespace, searchAttributes } = setup;
  const { operatorService } = connection;
  const command = (names: string[]): string =>
    `temporal operator search-attribute create --namespace ${namespace}` +
    names.map((name) => ` --name ${name} --type ${searchAttributes[name]}`).join('');
  const known = await refusable(
    operatorService.listSearchAttributes({ namespace }),
    {},
    `cannot list the search attributes of namespace ${namespace}`,
    command(Object.keys(searchAttributes)),
  );
  const existing: Record<string, number> = known?.customAttributes ?? {};
  const outdated: string[] = [];
  for (const [name, type] of Object.entries(searchAttributes)) {
    if (existing[name] === undefined || existing[name] === VALUE_TYPES[type]) continue;
    if (existing[name] === EARLIER_TYPES[name]) {
      await refusable(
        operatorService.removeSearchAttributes({ namespace, searchAttributes: [name] }),
        { unless: GRPC.notFound },
        `cannot replace the search attribute ${name} of namespace ${namespace}`,
        `temporal operator search-attribute remove --namespace ${namespace} --name ${name}`,
      );
      outdated.push(name);
    } else {
      throw new UserError(`search attribute ${name} of namespace ${namespace} is not of type ${type}`, {
        hint: `remove it (temporal operator search-attribute remove --name ${name}), or use another namespace`,
      });
    }
  }
  const missing = Object.entries(searchAttributes).filter(
    ([name]) => existing[name] === undefined || outdated.includes(name),
  );
  if (missing.length === 0) return [];
  const names = missing.map(([name]) => name);
  await refusable(
    operatorService.addSearchAttributes({
      namespace,
      searchAttributes: Object.fromEntries(missing.map(([name, type]) => [name, VALUE_TYPES[type]])),
    }),
    { unless: GRPC.alreadyExists },
    `cannot add the search attributes ${names.join(', ')} to namespace ${namespace}`,
    command(names),
  );
  return names;
}

/** Counts workflows by every attribute until the frontend knows the namespace and all attributes. */
async function waitUntilUsable(
  connection: Connection,
  namespace: string,
  attributes: string[],
): Promise<void> {
  const query = attributes.map((name) => `${name} IS NOT NULL`).join(' OR ');
  const deadline = Date.now() + USABLE_MS;
  for (;;) {
    try {
      await connection.workflowService.countWorkflowExecutions({ namespace, query });
      return;
    } catch (error) {
      if (!hasCode(error, GRPC.notFound, GRPC.invalidArgument)) throw error;
      if (Date.now() > deadline) {
        throw new UserError(`namespace ${namespace} is set up, but not usable yet: ${error.details}`, {
          exitCode: 1,
          hint: 'try again in a minute',
          cause: error,
        });
      }
      await sleep(POLL_MS);
    }
  }
}

/**
 * Awaits a call that the server may refuse, and then reports what was refused.
 *
 * @param unless with this status, returns undefined instead of throwing
 * @param command alternative that a person with permission can run
 */
async function refusable<T>(
  call: Promise<T>,
  { unless }: { unless?: number },
  what: string,
  command?: string,
): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if (unless !== undefined && hasCode(error, unless)) return undefined;
    if (
      !hasCode(error, GRPC.permissionDenied, GRPC.unauthenticated, GRPC.unimplemented, GRPC.invalidArgument)
    )
      throw error;
    throw new UserError(`${what}: ${error.details}`, {
      exitCode: 1,
      hint: command
        ? `ask somebody with permission to run: ${command}`
        : 'check the API key or client certificate (TEMPORAL_* variables)',
      cause: error,
    });
  }
}
