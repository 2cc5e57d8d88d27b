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
  'src/errors.ts',
];

export default tseslint.config(
  { ignores: ['dist/', 'engine/', 'node_modules/'] },
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
              regex: '^\\.\\./(?!phases|sector|contract|messages|search-attributes|errors)',
              message: 'workflows see only phases, sector, contract, messages, search-attributes and errors',
            },
          ],
        },
      ],
      'no-restricted-globals': ['error', 'process', 'Buffer', 'setImmediate', 'fetch'],
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
