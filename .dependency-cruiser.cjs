/**
 * Which room may import from which: each only from those below it, and no circle anywhere. A new room gets its place here; one that
 * wants to import upwards wants to be another room.
 */
const ROOMS = [
  'src/cli',
  ['src/dev', 'src/doctor'],
  'src/workers',
  ['src/activities', 'src/verify'],
  'src/storage',
  'src/group',
  'src/sector-directory',
  ['src/engines', 'src/temporal', 'src/chain'],
  'src/machine',
  'src/workflows',
  'src/mounts',
].map((room) => [room].flat());

/** Beside the rooms lie single files that all may use; they use no room, but for these. */
const FILES = '^src/[^/]+\\.ts$';
const FILES_MAY_USE = ['src/mounts'];

const inside = (rooms) => rooms.map((room) => `^${room}/`);

const upwards = ROOMS.map((rooms, floor) => ({
  name: `not upwards from ${rooms.join(' and ')}`,
  severity: 'error',
  from: { path: inside(rooms) },
  to: { path: inside(ROOMS.slice(0, floor).flat()) },
})).slice(1);

module.exports = {
  forbidden: [
    { name: 'no circle', severity: 'error', from: {}, to: { circular: true } },
    ...upwards,
    {
      name: 'files beside the rooms use none of them',
      severity: 'error',
      from: { path: FILES },
      to: { path: inside(ROOMS.flat().filter((room) => !FILES_MAY_USE.includes(room))) },
    },
    {
      name: 'a sector is changed through a claim only',
      comment: 'src/sector-directory/claim.ts asks the epoch last thing before the act',
      severity: 'error',
      from: { pathNot: '^src/sector-directory/(claim\\.ts$|changes/)' },
      to: { path: '^src/sector-directory/changes/' },
    },
    {
      name: "only one file makes Temporal's failures of activities",
      comment: 'src/activities/temporal-failure.ts: everything below throws domain errors',
      severity: 'error',
      from: {
        path: inside(['src/storage', 'src/group', 'src/sector-directory', 'src/engines', 'src/mounts']),
      },
      to: { path: '@temporalio' },
    },
    {
      name: 'no import of what is not there',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      extensions: ['.ts', '.cts', '.js', '.mjs'],
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default'],
    },
  },
};
