import js from '@eslint/js';
import globals from 'globals';
import { builtinModules } from 'node:module';
import tseslint from 'typescript-eslint';

const nodeBuiltins = builtinModules.flatMap((name) => [name, `node:${name}`]);

/** Workflow code, and what it imports: runs in Temporal's sandbox, where neither Node nor the outside world exists. */
const sandboxed = [
  'src/workflows/**',
  'src/phases.ts',
  'src/sector.ts',
  'src/contract.ts',
  'src/messages.ts',
  'src/search-attributes.ts',
  'src/failures.ts',
];
/** The one room of a sector's claim: what it is made of is nobody else's to use. */
const claimRoom = ['src/attempts/**'];

export default tseslint.config(
  { ignores: ['dist/', 'engine/', 'node_modules/', 'coverage/', '.stryker-tmp/'] },
  js.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      // A promise that nobody waits for is a fault that nobody sees.
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': ['error', { checksVoidReturn: false }],
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true, allowNullish: true },
      ],
      // Messages to people are put together from what is there, often nothing.
      '@typescript-eslint/no-confusing-void-expression': 'off',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      // Temporal's own types: enums of another package, a client's connection as an interface.
      '@typescript-eslint/no-unsafe-enum-assignment': 'off',
      '@typescript-eslint/no-unsafe-class-instance-assignment': 'off',
      '@typescript-eslint/only-throw-error': 'off',
      '@typescript-eslint/prefer-promise-reject-errors': 'off',
    },
  },
  {
    files: sandboxed,
    rules: {
      'no-restricted-imports': [
        'error',
        {
          paths: nodeBuiltins.map((name) => ({ name, message: 'workflow code runs without Node' })),
          patterns: [
            {
              regex: '^(\\.\\./)+(?!\\.\\./|phases|sector|contract|messages|search-attributes|failures)',
              message:
                'workflows see only phases, sector, contract, messages, search-attributes and failures',
            },
          ],
        },
      ],
      'no-restricted-globals': ['error', 'process', 'Buffer', 'setImmediate', 'fetch'],
    },
  },
  {
    // A sector's directory is changed through a claim (src/attempts/claim.ts), which asks the epoch last thing before the act.
    files: ['src/**'],
    ignores: claimRoom,
    rules: {
      '@typescript-eslint/no-restricted-imports': [
        'error',
        {
          patterns: [
            {
              regex: 'attempts/(epochs|start|attempt|free|make-by-rename)\\.js$',
              importNames: [
                'claimEpoch',
                'endEpoch',
                'assertEnded',
                'makeAttempt',
                'voidAttempt',
                'freeSuperseded',
                'freeBefore',
                'makeByRename',
              ],
              message: 'changes a sector: through a claim only (src/attempts/claim.ts)',
            },
          ],
        },
      ],
    },
  },
  {
    // What a sector is and what follows from an event is decided without Temporal, so that it can be tested without.
    files: ['src/workflows/core/**'],
    rules: {
      '@typescript-eslint/no-restricted-imports': [
        'error',
        { patterns: [{ group: ['@temporalio/*'], message: 'the core is free of Temporal' }] },
      ],
    },
  },
  {
    // What activities change themselves lies outside of a sector's directory, or has been renamed away.
    files: ['src/activities/**'],
    rules: {
      'no-restricted-syntax': [
        'error',
        {
          selector: 'ImportSpecifier[imported.name=/^(rename|unlink|rmdir|mkdir|link|touch|writeNewFile)$/]',
          message: "a sector's directory is changed through a claim only (src/attempts/claim.ts)",
        },
      ],
    },
  },
  {
    // What lies on a mount is touched through src/mounts only. The two that are left out read /proc.
    files: [
      'src/files.ts',
      'src/attempts/**',
      'src/activities/**',
      'src/storage/**',
      'src/workers/{group-directory,scratch,nodes}.ts',
      'src/doctor/**',
      'src/verify/**',
    ],
    ignores: ['src/attempts/processes.ts', 'src/attempts/found-engines.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          paths: [
            {
              name: 'node:fs',
              allowImportNames: ['constants'],
              message: 'may hang: src/mounts/remote-fs.ts',
            },
            { name: 'node:fs/promises', message: 'may hang: src/mounts/remote-fs.ts' },
          ],
        },
      ],
    },
  },
  {
    files: ['**/*.mjs', '**/*.js', '**/*.cjs'],
    languageOptions: {
      globals: globals.node,
    },
  },
);
