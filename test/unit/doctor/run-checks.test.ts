import { setTimeout as sleep } from 'node:timers/promises';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { exitCodeOf, fail, ok, skipped, warn, type Finding } from '../../../src/doctor/finding.js';
import { renderFinding, summarize } from '../../../src/doctor/render.js';
import { startChecks, type Check } from '../../../src/doctor/run-checks.js';
import { diskCheck, groupCheck, nfsCheck, ownerCheck, trials } from '../../../src/doctor/mount-checks.js';
import { UserError } from '../../../src/user-error.js';
import { hangMount } from '../../helpers/fifo.js';
import { temporaryDirectory } from '../../helpers/temporary.js';
import { config } from './samples.js';

const run = (...checks: Check[]): Promise<Finding[]> => Promise.all(startChecks(checks));
const never = (): Promise<never> => new Promise(() => undefined);

describe('checks side by side', () => {
  test('keep their order, and one that fails hides no other', async () => {
    const findings = await run(
      { name: 'slow', run: async () => (await sleep(20), ok('a')) },
      {
        name: 'throws',
        run: () => {
          throw new Error('unexpected');
        },
      },
      { name: 'refuses', run: () => Promise.reject(new UserError('no profile', { hint: 'write one' })) },
      { name: 'fast', run: () => skipped('why') },
    );
    expect(findings).toEqual([
      { check: 'slow', result: 'ok', found: 'a', wanted: '', hint: '' },
      {
        check: 'throws',
        result: 'fail',
        found: 'unexpected',
        wanted: 'a check that completes',
        hint: 'fix the reported problem, and run doctor again',
      },
      {
        check: 'refuses',
        result: 'fail',
        found: 'no profile',
        wanted: 'a check that completes',
        hint: 'write one',
      },
      { check: 'fast', result: 'skipped', found: 'why', wanted: '', hint: '' },
    ]);
  });

  test('are not waited for without end', async () => {
    expect(await run({ name: 'hangs', deadlineMs: 10, run: never })).toEqual([
      {
        check: 'hangs',
        result: 'fail',
        found: 'no answer within 0.01 s',
        wanted: 'an answer',
        hint: 'a mount, a disk or a server that it depends on hangs',
      },
    ]);
  });
});

test('a mount that hangs fails each check that looks at it, with its name', async () => {
  const root = await temporaryDirectory();
  const [hung, fine] = [join(root, 'hung'), join(root, 'fine')];
  await mkdir(hung);
  await mkdir(fine);
  const comeBack = await hangMount(hung);
  const host = { ...config(), localDir: hung, storageNodes: [fine], allowSystemDisk: true };
  const findings = await run(
    groupCheck(host, 'default'),
    diskCheck(host, hung),
    nfsCheck(hung),
    ownerCheck(host, hung),
    ...trials(host, hung),
    ownerCheck(host, fine),
  );
  const last = findings.pop();
  expect(last).toMatchObject({ check: `owner ${fine}`, result: 'ok' });
  expect(findings).toHaveLength(6);
  for (const finding of findings) {
    expect(finding).toMatchObject({
      result: 'fail',
      wanted: 'a mount that answers',
      hint: 'check its server and the network; see `dmesg`',
    });
    expect(finding.found.startsWith(`${hung} is hung: no answer since `)).toBe(true);
  }
  await comeBack();
});

test('a directory that is not there is told once', async () => {
  const missing = join(await temporaryDirectory(), 'missing');
  const host = { ...config(), localDir: missing };
  const [disk, ...others] = await run(
    diskCheck(host, missing),
    nfsCheck(missing),
    ownerCheck(host, missing),
    ...trials(host, missing),
  );
  expect(disk).toEqual({
    check: `disk ${missing}`,
    result: 'fail',
    found: `${missing} does not exist`,
    wanted: 'a mounted directory',
    hint: `create it, or mount it (\`findmnt ${missing}\`)`,
  });
  expect(others.map(({ result, found }) => `${result}: ${found}`)).toEqual(
    others.map(() => 'skipped: missing'),
  );
});

describe('findings', () => {
  const findings = [
    { check: 'cores', ...ok('2 of 4') },
    { check: 'systemd unit', ...skipped('systemd does not run here') },
    { check: 'SHA-NI', ...warn('none', 'SHA-NI', 'another host') },
    { check: 'room /sealer', ...fail('1 GB free\nand fragmented', '518 GB', 'make room') },
  ];

  test('are short where all is well, and say more where it is not', () => {
    expect(findings.map(renderFinding).join('\n')).toBe(
      [
        'ok       cores                         2 of 4',
        'skipped  systemd unit                  systemd does not run here',
        'warn     SHA-NI',
        '           found   none',
        '           wanted  SHA-NI',
        '           hint    another host',
        'FAIL     room /sealer',
        '           found   1 GB free',
        '                   and fragmented',
        '           wanted  518 GB',
        '           hint    make room',
      ].join('\n'),
    );
    expect(summarize(findings)).toBe('1 ok, 1 warn, 1 fail, 1 skipped');
  });

  test('are a failure only where one fails', () => {
    expect(exitCodeOf(findings)).toBe(1);
    expect(exitCodeOf(findings.slice(0, 3))).toBe(0);
  });
});
