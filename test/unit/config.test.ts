import { existsSync, readdirSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { parseConfig, readConfig } from '../../src/config.js';
import { UserError } from '../../src/user-error.js';
import { temporaryDirectory } from '../helpers/temporary.js';

/** As operators of force-remote-worker have it. */
const OLD = `scheduler_url = "http://10.10.19.17:3456"
local_dir = "/sealer"
copy_limit_mb_per_sec = 500
group_id = [1]
sector_size = 536870912
ip = "10.10.19.17"

[[worker]]
num = 1
supported_phase = ["PreCommitPhase1","PreCommitPhase2","CommitPhase1","CommitPhase2"]
wait_sec = 60

[[worker]]
num = 1
supported_phase = ["CopyTask","CleanTask"]
wait_sec = 60
`;

const OLD_WITH_COMMENTS = `scheduler_url = "http://10.10.19.17:3456"   # Temporal frontend; https = TLS; TEMPORAL_* variables and profiles override
local_dir = "/sealer"
copy_limit_mb_per_sec = 500                 # MB = 10^6 bytes; ceiling of each copy
group_id = [1]
sector_size = 536870912                     # bytes
ip = "10.10.19.17"                          # this host

[[worker]]                                  # a pool: num slots shared by its phases
num = 1
supported_phase = ["PreCommitPhase1","PreCommitPhase2","CommitPhase1","CommitPhase2"]
wait_sec = 60                               # work arrives at once; this is how often a host without room checks again

[[worker]]
num = 1
supported_phase = ["CopyTask","CleanTask"]
wait_sec = 60
`;

const READ = {
  schedulerUrl: 'http://10.10.19.17:3456',
  localDir: '/sealer',
  copyLimitBytesPerSec: 500_000_000,
  copyLimitTotalBytesPerSec: 0,
  groups: [1],
  size: '512MiB',
  ip: '10.10.19.17',
  pools: [
    { slots: 1, phases: ['P1', 'P2', 'P3', 'P4'], waitMs: 60_000 },
    { slots: 1, phases: ['P5', 'P6'], waitMs: 60_000 },
  ],
  storageNodes: [],
  allowSystemDisk: false,
  engine: { reserved_cores: 2, environment: {} },
  cleanAfter: 'proof',
  metricsListen: undefined,
};

const FILE = 'conf/config.toml';

/** The message of the error that the text is refused with. */
function refusal(text: string): string {
  try {
    parseConfig(text, FILE);
  } catch (error) {
    expect(error).toBeInstanceOf(UserError);
    expect((error as UserError).exitCode).toBe(2);
    return (error as Error).message;
  }
  throw new Error('the config was accepted');
}

/** The old file with one line in the place of another. */
const changed = (line: string, into: string): string => {
  expect(OLD).toContain(line);
  return OLD.replace(line, into);
};
const without = (key: string): string => OLD.replace(new RegExp(`^${key} = .*\n`, 'm'), '');
const atTop = (lines: string): string => `${lines}\n${OLD}`;

describe('the file of force-remote-worker', () => {
  test('is read as it is', () => {
    expect(parseConfig(OLD, FILE)).toEqual(READ);
  });

  test('may have comments', () => {
    expect(parseConfig(OLD_WITH_COMMENTS, FILE)).toEqual(READ);
  });

  test('may have Windows line ends', () => {
    expect(parseConfig(OLD.replaceAll('\n', '\r\n'), FILE)).toEqual(READ);
  });

  test('is read from disk', async () => {
    const path = join(await temporaryDirectory(), 'config.toml');
    await writeFile(path, OLD);
    expect(readConfig(path)).toEqual(READ);
  });

  test('that is not there is named', async () => {
    const path = join(await temporaryDirectory(), 'config.toml');
    expect(() => readConfig(path)).toThrow(new RegExp(`^${path}: cannot be read: ENOENT`));
  });
});

describe('every example', () => {
  const directory = fileURLToPath(new URL('../../examples', import.meta.url));
  const files = existsSync(directory)
    ? readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.toml'))
    : [];
  if (files.length === 0) test.skip('is read (there is none)', () => undefined);
  else
    test.each(files)('%s is read', (name) => expect(readConfig(join(directory, name)).pools).not.toEqual([]));
});

describe('the optional keys', () => {
  test('have their effect', () => {
    const text = `${atTop('"storage-nodes" = ["/mnt/nfs/10.10.4.23"]\nallow_system_disk = true\ncopy_limit_total_mb_per_sec = 800')}
[clean]
after = "landed"
[engine]
command = ["node", "engine.mjs"]
reserved_cores = 0
environment = { RUST_LOG = "debug" }
[metrics]
listen = "0.0.0.0:9090"`;
    expect(parseConfig(text, FILE)).toEqual({
      ...READ,
      storageNodes: ['/mnt/nfs/10.10.4.23'],
      allowSystemDisk: true,
      engine: { command: ['node', 'engine.mjs'], reserved_cores: 0, environment: { RUST_LOG: 'debug' } },
      cleanAfter: 'landed',
      copyLimitTotalBytesPerSec: 800_000_000,
      metricsListen: '0.0.0.0:9090',
    });
  });

  test.each([
    ['0.0.0.0:9090', '0.0.0.0:9090'],
    [':9090', '0.0.0.0:9090'],
    ['localhost:9', '127.0.0.1:9'],
    ['LocalHost:9', '127.0.0.1:9'],
    ['[::1]:9', '[::1]:9'],
    ['[::]:65535', '[::]:65535'],
  ])('metrics may listen at %s', (listen, address) => {
    expect(parseConfig(`${OLD}[metrics]\nlisten = "${listen}"\n`, FILE).metricsListen).toBe(address);
  });

  test.each([
    ['4.1', 4_100_000],
    ['0.0000001', 1],
    ['0.0', 0],
    ['1000000000', 1e15],
  ])('a limit of %s MB is whole bytes, and 0 only if it is none', (megabytes, bytes) => {
    const text = changed('= 500', `= ${megabytes}\ncopy_limit_total_mb_per_sec = ${megabytes}`);
    const { copyLimitBytesPerSec, copyLimitTotalBytesPerSec } = parseConfig(text, FILE);
    expect([copyLimitBytesPerSec, copyLimitTotalBytesPerSec]).toEqual([bytes, bytes]);
  });

  test('each limit of one decimal is whole bytes', () => {
    const limits = Array.from({ length: 10_000 }, (_, i) => (i + 1) / 10);
    const broken = limits.filter((limit) => {
      const { copyLimitBytesPerSec } = parseConfig(changed('= 500', `= ${limit}`), FILE);
      return copyLimitBytesPerSec !== Math.round(limit * 10) * 100_000;
    });
    expect(broken).toEqual([]);
  });

  test('the longest wait is one that a timer holds', () => {
    const { pools } = parseConfig(changed('wait_sec = 60', 'wait_sec = 2147483'), FILE);
    expect(pools[0]?.waitMs).toBeLessThan(2 ** 31);
  });

  test('of a pool and of the copy have defaults', () => {
    const config = parseConfig(without('copy_limit_mb_per_sec').replaceAll(/^wait_sec.*\n/gm, ''), FILE);
    expect(config.copyLimitBytesPerSec).toBe(0);
    expect(config.pools.map(({ waitMs }) => waitMs)).toEqual([60_000, 60_000]);
  });

  test('a phase may be in two pools, in each once', () => {
    const text = changed('["CopyTask","CleanTask"]', '["CopyTask","CommitPhase2"]');
    expect(parseConfig(text, FILE).pools[1]?.phases).toEqual(['P5', 'P4']);
  });

  test.each(['http://scheduler:7233', 'http://10.0.0.1:7233/', 'https://ns.example.tmprl.cloud:7233'])(
    'scheduler_url may be %s',
    (url) => expect(parseConfig(changed('http://10.10.19.17:3456', url), FILE).schedulerUrl).toBe(url),
  );

  test.each([
    ['2048', '2KiB'],
    ['8388608', '8MiB'],
    ['34359738368', '32GiB'],
    ['68719476736', '64GiB'],
    ['34_359_738_368', '32GiB'],
  ])('sector_size may be %s', (bytes, size) => {
    expect(parseConfig(changed('536870912', bytes), FILE).size).toBe(size);
  });

  test('ip may be of version 6', () => {
    expect(parseConfig(changed('"10.10.19.17"', '"fe80::1"'), FILE).ip).toBe('fe80::1');
  });
});

describe('an unknown key is told with the one that was meant', () => {
  test.each([
    ['at the top', atTop('local_dirs = "/x"'), 'unknown key local_dirs (did you mean local_dir?)'],
    [
      'written with an underscore',
      atTop('storage_nodes = []'),
      'unknown key storage_nodes (did you mean storage-nodes?)',
    ],
    ['in another case', atTop('Group_ID = [1]'), 'unknown key Group_ID (did you mean group_id?)'],
    [
      'in a pool',
      OLD.replace('wait_sec', 'wait_secs'),
      'unknown key worker[0].wait_secs (did you mean wait_sec?)',
    ],
    ['in the second pool', `${OLD}nun = 2\n`, 'unknown key worker[1].nun (did you mean num?)'],
    [
      'in [engine]',
      `${OLD}[engine]\nreserved_core = 1\n`,
      'unknown key engine.reserved_core (did you mean reserved_cores?)',
    ],
    [
      'in [metrics]',
      `${OLD}[metrics]\nlisten = ":1"\nlistn = 2\n`,
      'unknown key metrics.listn (did you mean listen?)',
    ],
    ['a table', `${OLD}[metric]\nlisten = ":1"\n`, 'unknown key metric (did you mean metrics?)'],
  ])('%s', (_, text, message) => {
    expect(refusal(text)).toContain(`${FILE}: ${message}; known: `);
  });

  test.each([
    [
      'below [[worker]]',
      `${OLD}storage-nodes = ["/mnt/a"]\n`,
      'unknown key worker[1].storage-nodes: it belongs at the top of the file, above the first [table] or [[worker]]',
    ],
    ['at the top', atTop('reserved_cores = 0'), 'unknown key reserved_cores: it belongs below [engine]'],
    ['in another table', `${OLD}[engine]\nnum = 1\n`, 'unknown key engine.num: it belongs below [[worker]]'],
  ])('or with its place: %s', (_, text, message) => {
    expect(refusal(text)).toBe(`${FILE}: ${message}`);
  });

  test('and without a suggestion where none is near', () => {
    expect(refusal(atTop('frobnicate = 1'))).toContain(
      `${FILE}: unknown key frobnicate; known: scheduler_url, local_dir,`,
    );
  });

  test('all at once', () => {
    const message = refusal(`${atTop('one = 1\ntwo = 2')}[engine]\nthree = 3\n`);
    for (const key of ['one', 'two', 'engine.three']) expect(message).toContain(`unknown key ${key}`);
  });
});

describe('a missing key is named:', () => {
  test.each(['scheduler_url', 'local_dir', 'group_id', 'sector_size', 'ip'])('%s', (key) => {
    expect(refusal(without(key))).toMatch(new RegExp(`^${FILE}: ${key} is missing: `));
  });

  test('worker', () => {
    expect(refusal(OLD.slice(0, OLD.indexOf('[[worker]]')))).toMatch(
      new RegExp(`^${FILE}: worker is missing`),
    );
  });

  test.each(['num', 'supported_phase'])('worker[0].%s', (key) => {
    expect(refusal(without(key))).toMatch(new RegExp(`^${FILE}: worker\\[0\\]\\.${key} is missing`));
  });

  test('metrics.listen', () => {
    expect(refusal(`${OLD}[metrics]\n`)).toMatch(new RegExp(`^${FILE}: metrics\\.listen is missing`));
  });
});

describe('a wrong value is told with its key, itself and what is allowed:', () => {
  const pool = 'supported_phase = ["CopyTask","CleanTask"]';
  test.each([
    ['scheduler_url = 3456', changed('"http://10.10.19.17:3456"', '3456'), 'must be a text in quotes'],
    [
      'scheduler_url = "10.10.19.17:3456"',
      changed('http://10.10.19.17', '10.10.19.17'),
      'must be like http://',
    ],
    ['scheduler_url = "ftp://x"', changed('http://10.10.19.17:3456', 'ftp://x'), 'must be like http://'],
    [
      'scheduler_url = "http://x:1/api/tasks"',
      changed('http://10.10.19.17:3456', 'http://x:1/api/tasks'),
      'must be like',
    ],
    ['local_dir = 1', changed('"/sealer"', '1'), 'must be a text in quotes'],
    ['local_dir = "sealer"', changed('/sealer', 'sealer'), 'must be an absolute path'],
    ['local_dir = ""', changed('/sealer', ''), 'must be an absolute path'],
    ['copy_limit_mb_per_sec = "500"', changed('= 500', '= "500"'), 'must be a number'],
    ['copy_limit_mb_per_sec = -1', changed('= 500', '= -1'), 'must be 0 or more'],
    ['group_id = 1', changed('[1]', '1'), 'must be a list, like group_id = [1]'],
    ['group_id = []', changed('[1]', '[]'), 'must have 1 or more'],
    ['group_id[0] = "1"', changed('[1]', '["1"]'), 'must be a number'],
    ['group_id[1] = 1.5', changed('[1]', '[1, 1.5]'), 'must be a whole number'],
    ['group_id[0] = -1', changed('[1]', '[-1]'), 'must be 0 or more'],
    ['sector_size = "32GiB"', changed('536870912', '"32GiB"'), 'must be a number'],
    ['sector_size = 1024', changed('536870912', '1024'), '2048 (2KiB), 8388608 (8MiB), 536870912 (512MiB)'],
    ['sector_size = 0', changed('536870912', '0'), 'must be the bytes of a sector'],
    ['ip = "10.10.19"', changed('"10.10.19.17"', '"10.10.19"'), 'must be an IP address'],
    ['ip = "0.0.0.0"', changed('"10.10.19.17"', '"0.0.0.0"'), 'means every address'],
    ['ip = "::"', changed('"10.10.19.17"', '"::"'), 'means every address'],
    ['ip = "localhost"', changed('"10.10.19.17"', '"localhost"'), 'must be an IP address'],
    ['ip = true', changed('"10.10.19.17"', 'true'), 'must be a text in quotes'],
    ['worker[0].num = 0', changed('num = 1', 'num = 0'), 'must be 1 or more, like num = 1'],
    ['worker[0].num = "1"', changed('num = 1', 'num = "1"'), 'must be a number'],
    ['worker[0].num = 1.5', changed('num = 1', 'num = 1.5'), 'must be a whole number'],
    [
      'worker[0].wait_sec = 0',
      changed('wait_sec = 60', 'wait_sec = 0'),
      'must be more than 0, like wait_sec = 60',
    ],
    ['worker[0].wait_sec = "1m"', changed('wait_sec = 60', 'wait_sec = "1m"'), 'must be a number'],
    [
      'worker[1].supported_phase = "CopyTask"',
      changed(pool, 'supported_phase = "CopyTask"'),
      'must be a list',
    ],
    ['worker[1].supported_phase = []', changed(pool, 'supported_phase = []'), 'must have 1 or more'],
    [
      'worker[1].supported_phase[0] = 5',
      changed(pool, 'supported_phase = [5]'),
      'must be one of PreCommitPhase1',
    ],
    [
      'worker[1].supported_phase[1] = "CopyTsk"',
      changed('"CleanTask"', '"CopyTsk"'),
      '(did you mean CopyTask?)',
    ],
    [
      'worker[1].supported_phase[1] = "commitphase2"',
      changed('"CleanTask"', '"commitphase2"'),
      'did you mean CommitPhase2?',
    ],
    [
      'worker[1].supported_phase[0] = "PC1"',
      changed('"CopyTask"', '"PC1"'),
      'must be one of PreCommitPhase1, PreCommitPhase2',
    ],
    [
      'worker = {"num":1}',
      `worker = { num = 1 }\n${OLD.slice(0, OLD.indexOf('[[worker]]'))}`,
      'must be a list',
    ],
    ['storage-nodes = "/mnt"', atTop('storage-nodes = "/mnt"'), 'must be a list'],
    ['storage-nodes[1] = "mnt"', atTop('storage-nodes = ["/mnt/a", "mnt"]'), 'must be an absolute path'],
    ['allow_system_disk = "yes"', atTop('allow_system_disk = "yes"'), 'must be true or false'],
    ['engine = 1', atTop('engine = 1'), 'must be a table'],
    ['engine.command = "engine"', `${OLD}[engine]\ncommand = "engine"\n`, 'must be a list'],
    ['engine.command = []', `${OLD}[engine]\ncommand = []\n`, 'must have 1 or more'],
    ['engine.command[0] = ""', `${OLD}[engine]\ncommand = [""]\n`, 'must not be empty'],
    ['engine.reserved_cores = -1', `${OLD}[engine]\nreserved_cores = -1\n`, 'must be 0 or more'],
    ['engine.environment.A = 1', `${OLD}[engine]\nenvironment = { A = 1 }\n`, 'must be a text in quotes'],
    ['copy_limit_mb_per_sec = 1e+300', changed('= 500', '= 1e300'), 'must be 1000000000 or less'],
    ['group_id = [4,4]', changed('[1]', '[4, 4]'), 'names a group twice'],
    [
      'worker[0].wait_sec = 2147484',
      changed('wait_sec = 60', 'wait_sec = 2147484'),
      'must be 2147483 or less',
    ],
    ...['127.0.0.1:99999', '127.0.0.1:0', 'host:9', '::1:9', '[::1]', '[127.0.0.1]:9', '[fe80::1%lo]:9'].map(
      (listen): [string, string, string] => [
        `metrics.listen = "${listen}"`,
        `${OLD}[metrics]\nlisten = "${listen}"\n`,
        'must be like 0.0.0.0:9090',
      ],
    ),
    ['metrics.listen = "9090"', `${OLD}[metrics]\nlisten = "9090"\n`, 'must be like 0.0.0.0:9090'],
  ])('%s', (named, text, allowed) => {
    const message = refusal(text);
    expect(message).toContain(`${FILE}: ${named}: `);
    expect(message).toContain(allowed);
    expect(message).not.toContain('\n');
  });

  test('a phase twice in a pool', () => {
    expect(refusal(changed('"CleanTask"', '"CopyTask"'))).toBe(
      `${FILE}: worker[1].supported_phase = ["CopyTask","CopyTask"]: names a phase twice`,
    );
  });

  test('no pool at all', () => {
    expect(refusal(`worker = []\n${OLD.slice(0, OLD.indexOf('[[worker]]'))}`)).toContain(
      `${FILE}: worker = []: `,
    );
  });

  test('each one of several, a line each', () => {
    const message = refusal(changed('"/sealer"', '"sealer"').replace('num = 1', 'num = 0'));
    expect(message.split('\n')).toEqual([
      expect.stringContaining('local_dir = "sealer"') as string,
      expect.stringContaining('worker[0].num = 0') as string,
    ]);
  });
});

// A node is found again by the last component of its directory alone.
describe('storage nodes', () => {
  test('of the same name are refused', () => {
    expect(refusal(atTop('storage-nodes = ["/mnt/a/10.10.4.23", "/mnt/b/10.10.4.23"]'))).toContain(
      'storage-nodes',
    );
  });

  test('without a name are refused', () => {
    expect(refusal(atTop('storage-nodes = ["/"]'))).toContain('storage-nodes');
  });

  test.each([
    ['/sealer', 'is'],
    ['/sealer/', 'is'],
    ['/mnt/../sealer', 'is'],
    ['/sealer/nfs/10.10.4.23', 'lies in'],
    ['/sealer/storage', 'lies in'],
  ])('that is local_dir or lies in it are refused: %s', (node, how) => {
    expect(refusal(atTop(`storage-nodes = ["/mnt/a", "${node}"]`))).toBe(
      `${FILE}: storage-nodes[1] = "${node}": ${how} local_dir (/sealer), where P6 deletes the scratch`,
    );
  });

  test('around local_dir are refused, and how to mend it is told', () => {
    const text = changed('"/sealer"', '"/data/sealer/"').replace(
      'group_id',
      'storage-nodes = ["/data"]\ngroup_id',
    );
    expect(refusal(text)).toBe(
      `${FILE}: storage-nodes[0] = "/data": holds local_dir (/data/sealer/), where P6 deletes the scratch`,
    );
    expect(() => parseConfig(text, FILE)).toThrow(
      expect.objectContaining({
        hint: 'name a mounted directory that is neither in local_dir nor around it',
      }) as Error,
    );
  });

  test('beside local_dir are accepted, whatever their names begin with', () => {
    const nodes = ['/sealer-2', '/seal', '/mnt/sealer'];
    expect(parseConfig(atTop(`storage-nodes = ${JSON.stringify(nodes)}`), FILE).storageNodes).toEqual(nodes);
  });
});

describe('what is not TOML is told with line and column:', () => {
  test.each([
    ['an open string', 'scheduler_url = "http://x', 1],
    ['no value', 'local_dir = "/x"\nip =\n', 2],
    ['a key twice', 'ip = "1.1.1.1"\nip = "1.1.1.1"\n', 2],
  ])('%s', (_, text, line) => {
    expect(refusal(text)).toMatch(new RegExp(`^${FILE}:${line}:[0-9]+: \\S`));
    expect(refusal(text)).not.toContain('\n');
  });

  test('a number that JavaScript cannot hold', () => {
    expect(refusal(changed('536870912', '9007199254740993'))).toMatch(new RegExp(`^${FILE}:5:[0-9]+: `));
  });
});
