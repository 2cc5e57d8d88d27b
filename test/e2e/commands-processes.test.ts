/** Each command as a process: nobody reads what it prints, Ctrl-C while it waits. */
import { join } from 'node:path';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { ONLY_TELL } from '../../src/cli/run-command.js';
import { CommandSite, expectClear, programOf, TABLE } from '../helpers/command-table.js';
import { run } from '../helpers/commands.js';
import { eventually } from '../helpers/eventually.js';
import { MAIN, startSealflow } from '../helpers/sealflow.js';
import { temporaryDirectory } from '../helpers/temporary.js';

vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

let site: CommandSite;

beforeAll(async () => {
  site = await CommandSite.join();
  return () => site.cluster.end();
});

describe('processes', () => {
  test.for(Object.entries(TABLE))('nobody reads what %s prints: it ends quietly', async ([name]) => {
    const end = await unread(await site.argsOf(name, await site.mixed()));
    expect(end.stderr).not.toMatch(/EPIPE|unexpected|node:|^ +at /m);
    // 0 and 1 where it has printed all in one piece.
    if (ONLY_TELL.has(programOf(name))) expect(['0', '1', '141']).toContain(end.code);
  });

  test.for(Object.entries(TABLE).filter(([, { waits }]) => waits))(
    'Ctrl-C while %s waits',
    async ([name, { waits }]) => {
      const sector = site.cluster.newSector();
      if (name !== 'start') await site.cluster.start(site.group, sector);
      const running = startSealflow(await site.argsOf(name, [sector], waits));
      if (name === 'start')
        await eventually(
          async () => (await site.cluster.status(sector).catch(() => undefined)) !== undefined,
        );
      else await running.until(`${sector} waits: `);
      running.kill('SIGINT');
      const end = await running.ended;
      expect(end.code).toBe('SIGINT');
      expectClear(end);
    },
  );
});

/** Runs a command whose stdout is closed before it prints. @returns its exit code, and its stderr */
async function unread(args: readonly string[]): Promise<{ code: string; stderr: string }> {
  const script = '"$@" 2>"$ERRORS" | true; echo ${PIPESTATUS[0]}';
  const errors = join(await temporaryDirectory(), 'stderr');
  const program = ['env', `ERRORS=${errors}`, 'SEALFLOW_ENGINE=' + (site.env['SEALFLOW_ENGINE'] ?? '')];
  const [first = '', ...rest] = [...program, 'bash', '-c', script, 'bash', process.execPath, MAIN, ...args];
  const code = (await run(first, ...rest)).trim();
  return { code, stderr: await run('cat', errors) };
}
