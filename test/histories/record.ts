/**
 * Records the missing histories for replay.test.ts:
 *
 *     node --import ./test/helpers/ts-loader.mjs test/histories/record.ts
 *
 * Existing ones stay: they stand for sectors in progress. A change that they cannot replay needs `patched`.
 */
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { WORKFLOW_QUEUE } from '../../src/contract.js';
import { FakeGroup } from '../helpers/fake-group.js';
import { inputOf, Sealing } from '../helpers/sealing.js';
import { connectTemporal, runOrchestrator, startShared } from '../helpers/temporal.js';
import { scenarios, type Scenario } from './scenarios.js';

const shared = await startShared();
const temporal = await connectTemporal(shared);
const orchestrator = await runOrchestrator(temporal, WORKFLOW_QUEUE);
for (const [number, scenario] of scenarios().entries()) await record(scenario, number);
await orchestrator.stop();
await temporal.close();
await shared.stop();

async function record({ name, fakes, input, drive }: Scenario, number: number): Promise<void> {
  const file = fileURLToPath(new URL(`${name}.json`, import.meta.url));
  if (existsSync(file)) return;
  const id = { sector: `t01000/${number}`, group: 1, size: '2KiB' } as const;
  const sealing = new Sealing(temporal, WORKFLOW_QUEUE, inputOf(name, { ...id, ...input }), fakes);
  const group = new FakeGroup(temporal, id.group, id.size);
  group.take(id.sector, fakes);
  try {
    await group.serve();
    await sealing.start();
    await drive(sealing);
    const { events } = JSON.parse(historyToJSON(await sealing.handle.fetchHistory()), withoutTraces) as { events: object[] };
    const lines = events.map((event) => JSON.stringify(event));
    await writeFile(file, `{"events":[\n${lines.join(',\n')}\n]}\n`);
    console.log(`${name}: ${events.length} events`);
  } finally {
    await sealing.stop();
    await group.stop();
  }
}

/** Stack traces contain paths of the machine that recorded them. */
function withoutTraces(key: string, value: unknown): unknown {
  return key === 'stackTrace' ? undefined : value;
}
