import { describe, expect, test } from 'vitest';
import {
  attemptDir,
  deletingName,
  doneFile,
  formatAt,
  goneName,
  groupDirectories,
  isDeletingName,
  isGoneName,
  keptLogs,
  nodeName,
  parseAnyAttempt,
  parseAt,
  parseAttempt,
  parseEpoch,
  plainName,
  sealedLink,
  sectorDir,
  stored,
  invalidatedName,
} from '../../src/paths.js';
import { sectorOf } from '../../src/sector.js';

const GROUP = { root: '/sealer', subdirectory: '10.10.4.23' };
const SECTOR = sectorOf('t01000/7');
const SEVENTY = sectorOf('t01000/70');
const OTHER_MINER = sectorOf('t010001/7');
const UUID = '11111111-2222-4333-8444-555555555555';

const ESCAPES = [
  '',
  '.',
  '..',
  '../x',
  'a/../..',
  '/etc',
  '/',
  'a/b',
  'a\0b',
  '\0',
  'a\\..',
  ' a',
  'a\n',
  '.hidden',
  '~',
  'é',
];

describe('a plain name', () => {
  test.each(ESCAPES)('is not %j', (name) => {
    expect(() => plainName(name)).toThrow(RangeError);
  });

  test.each(['sealed', '10.10.4.23', 'p_aux', 'sc-02-data-tree-r-last-0.dat', 'a..b', '-', '_'])(
    'may be %j',
    (name) => {
      expect(plainName(name)).toBe(name);
    },
  );
});

describe('the subdirectory of a group', () => {
  test.each(ESCAPES)('is not %j', (subdirectory) => {
    const group = { ...GROUP, subdirectory };
    for (const make of [
      () => sectorDir(group, SECTOR),
      () => doneFile(group, SECTOR),
      () => groupDirectories(group),
    ]) {
      expect(make).toThrow(RangeError);
    }
  });

  test('holds the directories of the old layout', () => {
    expect(sectorDir(GROUP, SECTOR)).toBe('/sealer/nfs/10.10.4.23/cache/s-t01000-7');
    expect(sealedLink(GROUP, SECTOR)).toBe('/sealer/nfs/10.10.4.23/sealed/s-t01000-7');
    expect(doneFile(GROUP, SECTOR)).toBe('/sealer/nfs/10.10.4.23/done/s-t01000-7.json');
    expect(keptLogs(GROUP, SECTOR, 'P6')).toBe('/sealer/nfs/10.10.4.23/done/s-t01000-7.logs.gz');
  });

  test('is made one level at a time', () => {
    const made = new Set(['/sealer']);
    for (const path of groupDirectories(GROUP)) {
      expect(made).toContain(path.slice(0, path.lastIndexOf('/')));
      made.add(path);
    }
    for (const path of [sectorDir, sealedLink, doneFile].map((of) => of(GROUP, SECTOR))) {
      expect(made).toContain(path.slice(0, path.lastIndexOf('/')));
    }
  });
});

describe('an epoch', () => {
  test.each([
    ['1', 1],
    ['10', 10],
    ['999999999', 999_999_999],
  ])('%j is one', (name, number) => expect(parseEpoch(name)).toBe(number));

  test.each(['', '0', '01', '-1', '1.5', '1 ', '1\n', 'P1-1', '.new-1', '1e3', '9999999999'])(
    '%j is none',
    (name) => expect(parseEpoch(name)).toBeUndefined(),
  );
});

describe('an attempt', () => {
  test('is read from its name', () => {
    expect(parseAttempt(2, 'P2-3')).toEqual({ epoch: 2, phase: 'P2', number: 3 });
  });

  test.each([
    '',
    'P2',
    'P2-',
    'P2-0',
    'P2-03',
    'P6-1',
    'P0-1',
    'p2-3',
    'P2-3 ',
    'P2-3x',
    'P2-3/..',
    '.new-P2-3',
    'xP2-3',
  ])('%j is none', (name) => {
    expect(parseAttempt(1, name)).toBeUndefined();
    expect(parseAnyAttempt(1, name)).toBeUndefined();
  });

  test('that is void or gone is none, but keeps its number', () => {
    for (const name of ['invalidated-P2-3', 'gone-P2-3']) {
      expect(parseAttempt(2, name)).toBeUndefined();
      expect(parseAnyAttempt(2, name)).toEqual({ epoch: 2, phase: 'P2', number: 3 });
    }
    expect(invalidatedName(parseAt('2/P2-3'))).toBe('invalidated-P2-3');
    expect(parseAnyAttempt(2, 'gone-invalidated-P2-3')).toBeUndefined();
  });

  test('is written below the sector directory', () => {
    expect(formatAt({ epoch: 2, phase: 'P2', number: 3 })).toBe('2/P2-3');
    expect(attemptDir('/x/s-t01000-7', '2/P2-3')).toBe('/x/s-t01000-7/2/P2-3');
  });

  test.each([
    '',
    '/',
    '2',
    'P2-3',
    '2/P2-3/',
    '/2/P2-3',
    '2/../P2-3',
    '../2/P2-3',
    '2//P2-3',
    '2/invalidated-P2-3',
    '2/P2-3\0',
    '0/P1-1',
  ])('is not %j', (at) => {
    expect(() => parseAt(at)).toThrow(RangeError);
    expect(() => attemptDir('/x', at)).toThrow(RangeError);
  });
});

describe('what P6 renames away', () => {
  test('is known again as the sector, and as no other', () => {
    const name = goneName(SECTOR, UUID);
    expect(name).toBe(`.gone-s-t01000-7-${UUID}`);
    expect(isGoneName(SECTOR, name)).toBe(true);
    // Also to a version that does not know that name.
    expect(isGoneName(SECTOR, deletingName(name))).toBe(true);
    expect([name, deletingName(name)].map(isDeletingName)).toEqual([false, true]);
    for (const other of [SEVENTY, OTHER_MINER]) {
      expect(isGoneName(other, name)).toBe(false);
      expect(isGoneName(SECTOR, goneName(other, UUID))).toBe(false);
    }
  });

  test.each(['s-t01000-7', '.gone-s-t01000-7', 'gone-s-t01000-7-x', '.gone-', '', '.'])(
    'is not %j',
    (name) => {
      expect(isGoneName(SECTOR, name)).toBe(false);
    },
  );

  // A name that cannot be sealflow's is nobody's business, and no reason to fail.
  test.each(['.gone-s-t01000-7-a b', '.gone-s-t01000-7-é', '.gone-s-t01000-7-a\n'])('is not %j', (name) => {
    expect(isGoneName(SECTOR, name)).toBe(false);
  });

  test.each(ESCAPES)('has no %j in its name', (uuid) => {
    expect(() => goneName(SECTOR, uuid)).toThrow(RangeError);
  });
});

describe('a storage node', () => {
  test('is named by its last component', () => {
    expect(nodeName('/mnt/nfs/10.10.4.23')).toBe('10.10.4.23');
    expect(nodeName('/mnt/nfs/10.10.4.23/')).toBe('10.10.4.23');
  });

  test('holds a sector where lotus looks for it', () => {
    expect(stored.sealed(SECTOR)).toBe('sealed/s-t01000-7');
    expect(stored.cache(SECTOR)).toBe('cache/s-t01000-7');
    expect(stored.receipt(SECTOR)).toBe('receipts/s-t01000-7.json');
  });

  test('knows a receipt by its name', () => {
    expect(stored.sectorOfReceipt('s-t01000-7.json')).toEqual(SECTOR);
    for (const name of ['s-t01000-7', `s-t01000-7.json.${UUID}`, '.json', 'x.json', '../s-t01000-7.json'])
      expect(stored.sectorOfReceipt(name)).toBeUndefined();
  });

  test('holds unfinished copies in one place, each in a directory of its own', () => {
    const part = stored.stagingDirectory(SECTOR, UUID);
    expect(part).toBe(`.sealflow/s-t01000-7.${UUID}`);
    expect(() => stored.stagingDirectory(SECTOR, '../x')).toThrow(RangeError);
  });
});
