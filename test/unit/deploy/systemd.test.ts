import { execFile } from 'node:child_process';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test, vi } from 'vitest';
import { findTool } from '../../../src/machine/tools.js';
import { temporaryDirectory } from '../../helpers/temporary.js';

vi.setConfig({ testTimeout: 60_000 });

const UNITS = fileURLToPath(new URL('../../../systemd/', import.meta.url));
const PROGRAM = '/usr/local/bin/sealflow';

const analyze = findTool('systemd-analyze');
if (!analyze) console.log('skipped: no systemd-analyze here (apt-get install systemd)');

/** What systemd says of a unit, with a program that is there in the place of ours. */
async function complaints(unit: string, change: (text: string) => string = (text) => text): Promise<string> {
  const directory = await temporaryDirectory();
  for (const name of await readdir(UNITS)) {
    const text = await readFile(join(UNITS, name), 'utf8');
    await writeFile(join(directory, name), change(text).replaceAll(PROGRAM, process.execPath));
  }
  // It tells a key that it does not know, and still ends with 0.
  const verify = promisify(execFile)(analyze ?? '', ['verify', join(directory, unit)]);
  const { stderr } = await verify.catch((error: unknown) => error as { stderr: string });
  return stderr;
}

test.skipIf(!analyze)('systemd has nothing to say against the units', async () => {
  expect(await complaints('sealflow-worker@p1.service')).toBe('');
  expect(await complaints('sealflow-orchestrator.service')).toBe('');
  for (const kind of ['service', 'timer']) expect(await complaints(`sealflow-verify@p1.${kind}`)).toBe('');
});

test.skipIf(!analyze)('systemd tells a mistake in a unit', async () => {
  const mistake = (text: string) => text.replace('OOMPolicy=continue', 'OOMPolicy=go-on');
  expect(await complaints('sealflow-worker@p1.service', mistake)).toMatch(/OOM ?policy/i);
});

test('a worker that is stopped leaves its engines', async () => {
  const unit = await readFile(join(UNITS, 'sealflow-worker@.service'), 'utf8');
  for (const line of [
    'KillMode=process',
    'OOMPolicy=continue',
    'Restart=always',
    'LimitNOFILE=1048576',
    'TasksMax=infinity',
    `ExecStart=${PROGRAM} worker --config /etc/sealflow/%i.toml`,
  ])
    expect(unit.split('\n')).toContain(line);
  // A mount namespace of its own would not see what the host mounts later.
  expect(unit).not.toMatch(/^(?:PrivateTmp|ProtectSystem|ProtectHome|PrivateMounts)=/m);
});
