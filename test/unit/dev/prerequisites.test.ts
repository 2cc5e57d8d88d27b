/** What `sealflow dev` refuses before it starts anything. */
import { beforeEach, expect, test, vi } from 'vitest';
import { requirePrerequisites } from '../../../src/dev/prerequisites.js';
import type { Memory } from '../../../src/machine/memory-limit.js';
import { devBytes } from '../../../src/dev/memory-need.js';
import type { SectorSize } from '../../../src/phases.js';
import { UserError } from '../../../src/user-error.js';

const GB = 1e9;

// A given engine: no compiler is looked for.
beforeEach(() => void vi.stubEnv('SEALFLOW_ENGINE', process.execPath));

/** The refusal on a machine with this memory; undefined if there is none. */
async function refusal(memory: Memory, size: SectorSize = '2KiB') {
  const error: unknown = await requirePrerequisites(size, () => Promise.resolve(memory)).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error === undefined) return undefined;
  const { message, hint, exitCode } = error as UserError;
  return { message, hint, exitCode };
}

const needed = (size: SectorSize): string => (devBytes(size, {}) / GB).toFixed(1);

test('enough memory is no lack, one byte less is', async () => {
  const available = devBytes('2KiB', {});
  expect(await refusal({ total: 8 * GB, available })).toBeUndefined();
  expect(await refusal({ total: 8 * GB, available: available - 1 })).toBeDefined();
});

test('memory that others use is named with both figures and the mend', async () => {
  expect(await refusal({ total: 16 * GB, available: 1.5 * GB })).toEqual({
    message: `sealing a 2KiB sector needs ${needed('2KiB')} GB of memory: 1.5 GB of 16.0 GB available`,
    hint: 'end other programs',
    exitCode: 2,
  });
});

test('a machine that is too small', async () => {
  expect(await refusal({ total: 2 * GB, available: 1.5 * GB })).toMatchObject({
    message: `sealing a 2KiB sector needs ${needed('2KiB')} GB of memory: 1.5 GB of 2.0 GB available`,
    hint: 'use a machine with more memory',
  });
});

test('a cgroup’s limit is named: no other program is to blame', async () => {
  const limitedBy = '/sys/fs/cgroup/docker/abc';
  expect(await refusal({ total: 2 * GB, available: 1.9 * GB, limitedBy })).toMatchObject({
    message:
      `sealing a 2KiB sector needs ${needed('2KiB')} GB of memory: 1.9 GB available ` +
      'below the limit of /sys/fs/cgroup/docker/abc',
    hint: 'raise the memory limit of the container or unit (docker run --memory, MemoryMax=), or end other programs in it',
  });
});

test('larger sectors need more', async () => {
  expect(await refusal({ total: 5 * GB, available: 5 * GB }, '8MiB')).toBeUndefined();
  expect((await refusal({ total: 5 * GB, available: 5 * GB }, '512MiB'))?.message).toContain(
    `sealing a 512MiB sector needs ${needed('512MiB')} GB of memory`,
  );
});
