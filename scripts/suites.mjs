/**
 * The projects of vitest.config.ts: which run at the same time, the fast ones first, and how many test files of them. Most
 * tests wait for other programs; those of `engine` want all cores.
 */
export const TOGETHER = [
  // `mocks` are unit tests that replace modules.
  { names: ['unit', 'mocks', 'workflow'], files: 5 },
  { names: ['e2e', 'chaos'], files: 5 },
  { names: ['engine'], files: 1 },
];

/** The suite that a project belongs to, as `npm test -- unit` names it. */
export const suiteOf = (project) => (project === 'mocks' ? 'unit' : project);
