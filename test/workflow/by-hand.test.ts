/** Workflows started with the Temporal CLI or the Web UI: the input is as typed, with no checks beforehand. */
import { describe, expect, test } from 'vitest';
import { WORKFLOW_TYPE } from '../../src/contract.js';
import { sealGroup, sealMiner, sealSectorNumber, sealSize } from '../../src/search-attributes.js';
import { sectorOf } from '../../src/sector.js';
import { fakeActivities } from '../helpers/fakes.js';
import { useOrchestrator } from '../helpers/orchestrator.js';
import { failureOf, OTHER_SEED, SEED, TICKET } from '../helpers/sealing.js';

describe('a workflow started by hand', () => {
  const { prepare } = useOrchestrator();

  test('seals with the minimal input', async () => {
    const sealing = await prepare({ fakes: fakeActivities() });
    const { sector, group } = sealing.input;
    await sealing.start(
      JSON.parse(`{"v":1,"sector":"${sector}","size":"32GiB","group":${group},"ticket":"${TICKET}"}`),
    );
    await sealing.until(({ state }) => state === 'waiting-for-seed');
    await sealing.handle.executeUpdate('provideSeed', { args: [{ seed: SEED }] });
    expect(await sealing.handle.result()).toMatchObject({ sector });
    expect(sealing.fakes.order()).toHaveLength(6);
    const shown = await sealing.lists();
    expect(shown.get(sealMiner)).toBe('t01000');
    expect(shown.get(sealSectorNumber)).toBe(sectorOf(sector).number);
    expect(shown.get(sealSize)).toBe('32GiB');
    expect(shown.get(sealGroup)).toBe(String(group));
  });

  test('accepts the mainnet prefix (f01000) in the sector name', async () => {
    const sealing = await prepare({ fakes: fakeActivities() });
    const { sector } = sealing.input;
    await sealing.start({ ...sealing.input, sector: sector.replace('t', 'f') });
    expect(await sealing.handle.result()).toMatchObject({ sector });
    expect(sealing.fakes.inputsOf('P1')[0]?.seal.sector).toBe(sector);
  });

  const wrong: [string, (input: Record<string, unknown>) => unknown][] = [
    ['ticket', ({ ticket: _none, ...rest }) => rest],
    ['ticket', (input) => ({ ...input, ticket: `0x${TICKET}` })],
    ['ticket', (input) => ({ ...input, ticket: TICKET.toUpperCase() })],
    ['sector', (input) => ({ ...input, sector: 't01000-7' })],
    ['sector', (input) => ({ ...input, sector: '1000/7' })],
    ['sector', (input) => ({ ...input, sector: 't01000/-7' })],
    ['sector', (input) => ({ ...input, sector: '../../etc/passwd' })],
    ['size', (input) => ({ ...input, size: '32 GiB' })],
    ['size', (input) => ({ ...input, size: 34359738368 })],
    ['group', (input) => ({ ...input, group: '1' })],
    ['group', (input) => ({ ...input, group: 1.5 })],
    ['seed', (input) => ({ ...input, seed: '00'.repeat(32) })],
    ['priority', (input) => ({ ...input, priority: 'yes' })],
    ['timeScale', (input) => ({ ...input, timeScale: 0 })],
    ['seeed', (input) => ({ ...input, seeed: OTHER_SEED })],
    ['v', ({ v: _none, ...rest }) => rest],
    ['v', (input) => ({ ...input, v: -1 })],
    ['input', () => null],
    ['input', () => 't01000/7'],
    ['input', (input) => [input]],
  ];
  test.each(wrong.map(([field, change], number) => ({ field, change, number })))(
    'fails on invalid input and names $field ($number)',
    async ({ field, change }) => {
      const sealing = await prepare({ fakes: fakeActivities(), serve: [] });
      await sealing.start(change({ ...sealing.input }));
      const message = await failureOf(sealing.handle.result());
      expect(message).toMatch(/^InvalidInput: /);
      expect(message).toMatch(new RegExp(`\\b${field}\\b`));
    },
  );

  test('names every invalid field', async () => {
    const sealing = await prepare({ fakes: fakeActivities(), serve: [] });
    await sealing.start({ v: 1, sector: 'x' });
    const message = await failureOf(sealing.handle.result());
    for (const field of ['sector', 'size', 'group', 'ticket']) expect(message).toContain(`${field}: `);
  });

  test('fails without any input', async () => {
    const sealing = await prepare({ fakes: fakeActivities(), serve: [] });
    const { temporal, queue, handle } = sealing;
    await temporal.client.workflow.start(WORKFLOW_TYPE, { workflowId: handle.workflowId, taskQueue: queue });
    expect(await failureOf(handle.result())).toMatch(/^InvalidInput: input: /);
  });

  test('fails when the workflow ID is not the sector’s, and names both', async () => {
    const sealing = await prepare({ fakes: fakeActivities(), serve: [] });
    const id = sealing.handle.workflowId;
    await sealing.start({ ...sealing.input, sector: 't01001/7' });
    const message = await failureOf(sealing.handle.result());
    expect(message).toMatch(/^InvalidInput: /);
    for (const name of [id, 't01001/7', 'seal-t01001-7']) expect(message).toContain(name);
  });
});
