/** What the kernel and systemd tell, with samples of real hosts. */
import { describe, expect, test } from 'vitest';
import { parseCpu } from '../../../src/machine/cpu.js';
import {
  busiest,
  describeLoad,
  loadBetween,
  sampleDisks,
  parseDiskStats,
} from '../../../src/machine/disk-load.js';
import { openFilesLimit, parseOpenFiles } from '../../../src/machine/limits.js';
import { parseOwnUnit, parseUnits } from '../../../src/machine/systemd.js';

/** Linux 6.18 (20 fields); the two looks are 2 s apart. */
const BEFORE = `   7       0 loop0 2488 43 77344 579 18890 1558 5152522 81814 0 19412 92562 0 0 0 0 4477 10168
 254       0 vda 3030915 238225 280635602 14702242 4363387 1009001 257202560 2500228 0 1455760 17646119 1050152 13974 181061864 243103 1212297 200545
 253       0 zram0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
`;
const AFTER = `   7       0 loop0 2488 43 77344 579 18890 1558 5152522 81814 0 19412 92562 0 0 0 0 4477 10168
 254       0 vda 3030915 238225 280635602 14702242 4363487 1009001 257402560 2511728 9 1457720 17657619 1050152 13974 181061864 243103 1212297 200545
`;
/** Linux 3.10 (11 fields), as on CentOS 7. */
const OLD = `   8       0 sda 25164 8 1421362 8316 65537 4460 1660690 43262 0 19276 51477
   9       1 md1 10 0 80 0 20 0 160 0 0 0 0
`;

describe('the load of disks', () => {
  test('is reckoned as by iostat', () => {
    const before = { disks: parseDiskStats(BEFORE), at: 1_000 };
    const after = { disks: parseDiskStats(AFTER), at: 3_000 };
    // 1,960 ms busy of 2,000; 100 writes took 11,500 ms.
    expect(loadBetween(before, after, ['vda', 'loop0', 'zram0', 'sdz'])).toEqual([
      { disk: 'vda', busy: 0.98, writeWaitMs: 115 },
      { disk: 'loop0', busy: 0, writeWaitMs: 0 },
    ]);
    const [load] = loadBetween(before, after, ['vda']);
    expect(load && describeLoad(load)).toBe('vda busy 98 %, write wait 115 ms');
    expect(loadBetween(before, { ...after, at: 1_000 }, ['vda'])).toEqual([]);
  });

  test('reads what old kernels tell', () => {
    expect(parseDiskStats(OLD).get('sda')).toEqual({ writes: 65_537, writeMs: 43_262, busyMs: 19_276 });
    expect([...parseDiskStats(OLD).keys()]).toEqual(['sda', 'md1']);
  });

  test('is that of the busiest', () => {
    const idle = { disk: 'sda', busy: 0.1, writeWaitMs: 900 };
    const [slow, fast] = [
      { disk: 'sdb', busy: 1, writeWaitMs: 50 },
      { disk: 'sdc', busy: 1, writeWaitMs: 2 },
    ];
    expect(busiest([idle, fast, slow])).toBe(slow);
    expect(busiest([])).toBeUndefined();
  });

  test("is read from this machine's kernel", async () => {
    const look = await sampleDisks();
    expect(
      loadBetween(look, { ...look, at: look.at + 1 }, [...look.disks.keys()]).every(({ busy }) => busy === 0),
    ).toBe(true);
  });
});

test('the limit of open files', async () => {
  const limits = `Limit                     Soft Limit           Hard Limit           Units
Max processes             96403                96403                processes
Max open files            1024                 1048576              files
`;
  expect(parseOpenFiles(limits)).toEqual({ soft: 1024, hard: 1_048_576 });
  expect(parseOpenFiles(limits.replace('1048576', 'unlimited'))).toEqual({ soft: 1024, hard: Infinity });
  expect((await openFilesLimit()).soft).toBeGreaterThan(0);
});

test('the processor', () => {
  const amd = `processor	: 0
vendor_id	: AuthenticAMD
model name	: AMD EPYC 7502 32-Core Processor
flags		: fpu vme de sse4_2 avx2 sha_ni xsaveopt
`;
  expect(parseCpu(amd)).toEqual({ model: 'AMD EPYC 7502 32-Core Processor', sha: true });
  expect(parseCpu(amd.replace(' sha_ni', ''))).toMatchObject({ sha: false });
  const arm = 'processor\t: 0\nBogoMIPS\t: 243.75\nFeatures\t: fp asimd evtstrm aes pmull sha1 sha2 crc32\n';
  expect(parseCpu(arm)).toEqual({ model: '', sha: true });
});

describe('systemd', () => {
  test('tells several units', () => {
    const shown = `KillMode=process
OOMPolicy=continue
Id=sealflow-worker@p1.service

KillMode=control-group
OOMPolicy=stop
Id=sealflow-worker@p4.service
`;
    expect(parseUnits(shown)).toEqual([
      { KillMode: 'process', OOMPolicy: 'continue', Id: 'sealflow-worker@p1.service' },
      { KillMode: 'control-group', OOMPolicy: 'stop', Id: 'sealflow-worker@p4.service' },
    ]);
    expect(parseUnits('')).toEqual([]);
  });

  test('tells which one this process belongs to', () => {
    expect(parseOwnUnit('0::/system.slice/sealflow-worker.service\n')).toBe('sealflow-worker.service');
    const v1 =
      '12:pids:/system.slice/sealflow-worker@p1.service\n1:name=systemd:/system.slice/x.service/sub\n';
    expect(parseOwnUnit(v1)).toBe('sealflow-worker@p1.service');
    expect(parseOwnUnit('0::/user.slice/user-0.slice/session-3.scope\n')).toBeUndefined();
  });
});
