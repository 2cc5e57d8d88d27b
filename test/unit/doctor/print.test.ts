import { describe, expect, test } from 'vitest';
import { printExports } from '../../../src/doctor/print/exports.js';
import { printMounts } from '../../../src/doctor/print/mounts.js';
import { printTc } from '../../../src/doctor/print/tc.js';
import { judgeNfs } from '../../../src/doctor/checks/nfs.js';
import { parseMountTable } from '../../../src/mounts/mount-table.js';

const host = { localDir: '/sealer' };
const commandsOf = (text: string): string[] => text.split('\n').filter((line) => !line.startsWith('#'));
const optionsOf = (text: string): string[] =>
  text.split('\n').flatMap((line) => /^# {3}(\S+) +\S/.exec(line)?.[1] ?? []);

describe('the export', () => {
  test('is of the directory, to the others, safe', () => {
    const text = printExports(host, { clients: '10.10.10.0/24', mountPoint: '/sealer', asRoot: false });
    expect(commandsOf(text)).toEqual(['/sealer 10.10.10.0/24(rw,sync,no_subtree_check,mp,root_squash)']);
    expect(optionsOf(text)).toEqual(['rw', 'sync', 'no_subtree_check', 'mp', 'root_squash']);
  });

  test('of a directory below a mount asks for that mount', () => {
    const [line] = commandsOf(
      printExports(
        { localDir: '/data/sealer' },
        { clients: '10.10.10.33', mountPoint: '/data', asRoot: false },
      ),
    );
    expect(line).toBe('/data/sealer 10.10.10.33(rw,sync,no_subtree_check,mp=/data,root_squash)');
  });

  test('lets root be root where the workers are', () => {
    const text = printExports(
      { localDir: '/my sealer' },
      { clients: '10.10.10.33', mountPoint: '/', asRoot: true },
    );
    expect(commandsOf(text)).toEqual([
      '"/my sealer" 10.10.10.33(rw,sync,no_subtree_check,mp,no_root_squash)',
    ]);
  });
});

describe('the mount', () => {
  const OPTIONS =
    'hard,vers=3,nolock,proto=tcp,timeo=600,retrans=2,rsize=1048576,wsize=1048576,noatime,_netdev,nofail';

  test('has options that doctor is content with, each with its reason', () => {
    const text = printMounts(host, '10.10.10.21');
    expect(commandsOf(text)).toEqual([`10.10.10.21:/sealer /sealer nfs ${OPTIONS} 0 0`]);
    for (const option of OPTIONS.split(',')) expect(optionsOf(text)).toContain(option);
    const line = `1 2 0:51 / /sealer rw,${OPTIONS} - nfs 10.10.10.21:/sealer rw`;
    expect(judgeNfs(parseMountTable(line)[0])).toMatchObject({ result: 'ok' });
  });

  test('of an IPv6 server', () => {
    const [line = ''] = commandsOf(printMounts({ localDir: '/my sealer' }, 'fd00::21'));
    expect(line.startsWith('[fd00::21]:/my\\040sealer /my\\040sealer nfs hard,')).toBe(true);
    expect(line).toContain(',proto=tcp6,');
  });
});

describe('the traffic limit', () => {
  const limit = { interface: 'eth1', clients: '10.10.10.0/24', mbPerSec: 500 };

  test('binds NFS to the others, and nothing else', () => {
    expect(commandsOf(printTc(limit))).toEqual([
      'tc qdisc del dev eth1 root 2>/dev/null || true',
      'tc qdisc add dev eth1 root handle 1: htb default 0',
      'tc class add dev eth1 parent 1: classid 1:10 htb rate 4000000kbit burst 5000000 cburst 5000000 quantum 60000',
      'tc filter add dev eth1 parent 1: protocol ip prio 1 u32 \\',
      '  match ip protocol 6 0xff match ip sport 2049 0xffff match ip dst 10.10.10.0/24 flowid 1:10',
      'tc qdisc add dev eth1 parent 1:10 handle 10: fq_codel || true',
    ]);
  });

  test('of an IPv6 network', () => {
    const text = printTc({ ...limit, clients: 'fd00::/64', mbPerSec: 1 });
    expect(text).toContain('protocol ipv6 prio 1 u32');
    expect(text).toContain('match ip6 dst fd00::/64');
    expect(text).toContain('rate 8000kbit burst 65536');
  });
});
