/** The rules of this house: what imports what, and which ways lead where. The language's own are in .oxlintrc.json. */
import { builtinModules } from 'node:module';
import tseslint from 'typescript-eslint';

const nodeBuiltins = builtinModules.flatMap((name) => [name, `node:${name}`]);

/** Workflow code, and what it imports: runs in Temporal's sandbox, where neither Node nor the outside world exists. */
const sandboxed = [
  'src/workflows/**',
  'src/phases.ts',
  'src/sector.ts',
  'src/contract.ts',
  'src/contract-chain.ts',
  'src/messages.ts',
  'src/search-attributes.ts',
  'src/failures.ts',
];
export default tseslint.config(
  // Test files and scripts have no rules here.
  {
    ignores: [
      'dist/',
      'engine/',
      'node_modules/',
      'coverage/',
      '.stryker-tmp/',
      '**/*.test.ts',
      '**/*.mjs',
      '**/*.js',
      '**/*.cjs',
    ],
  },
  {
    files: ['**/*.ts'],
    languageOptions: { parser: tseslint.parser },
    plugins: { '@typescript-eslint': tseslint.plugin },
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
    // A sector's directory is changed through a claim (src/sector-directory/claim.ts), which asks the epoch last thing before the act;
    // .dependency-cruiser.cjs keeps others from what is behind it. The files that are left out change what no run has claimed yet, or
    // what has been renamed away.
    files: ['src/sector-directory/**', 'src/activities/**', 'src/workers/**', 'src/verify/**'],
    ignores: [
      'src/sector-directory/changes/**',
      'src/sector-directory/{claim,reservation,remove-tree,gone}.ts',
      'src/workers/{only-worker,worker-note,bundle-workflows}.ts',
    ],
    rules: {
      'no-restricted-syntax': [
        'error',
        {
          selector:
            'ImportSpecifier[imported.name=/^(rename|unlink|rm|rmdir|mkdir|link|symlink|touch|writeFile|writeJson|writeNewFile)$/]',
          message: "a sector's directory is changed through a claim only (src/sector-directory/claim.ts)",
        },
      ],
    },
  },
  {
    // Errors become failures of Temporal's in one place.
    files: ['src/**'],
    ignores: ['src/activities/temporal-failure.ts', 'src/workflows/**', 'src/cli/**', 'src/temporal/**'],
    rules: {
      '@typescript-eslint/no-restricted-imports': [
        'error',
        {
          paths: ['activity', 'client', 'common', 'worker'].map((name) => ({
            name: `@temporalio/${name}`,
            importNames: ['ApplicationFailure', 'ApplicationFailureCategory'],
            message: 'throw a domain error; src/activities/temporal-failure.ts makes the failure of it',
          })),
        },
      ],
    },
  },
  {
    // One way to a server, with its TLS, proxy and the cause when it fails.
    files: ['src/cli/**', 'src/dev/**', 'src/doctor/**', 'src/workers/**', 'src/temporal/{ask,embedded}/**'],
    rules: {
      '@typescript-eslint/no-restricted-imports': [
        'error',
        {
          paths: [
            { name: '@temporalio/client', importNames: ['Connection'] },
            { name: '@temporalio/worker', importNames: ['NativeConnection'] },
          ].map((path) => ({ ...path, allowTypeImports: true, message: 'connect by src/temporal/connect' })),
        },
      ],
    },
  },
  {
    // What lies on a mount is touched through src/mounts only.
    files: [
      'src/files.ts',
      'src/sector-directory/**',
      'src/engines/{progress,protocol,start,watch}.ts',
      'src/activities/**',
      'src/storage/**',
      'src/group/**',
      'src/workers/nodes.ts',
      'src/doctor/**',
      'src/verify/**',
    ],
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
    // Test files share modules: what a helper does when it is loaded, it does for the first file of a process only.
    files: ['test/helpers/**/*.ts', 'test/{chaos,e2e,engine,unit,workflow}/**/*.ts'],
    ignores: ['**/*.test.ts'],
    rules: {
      'no-restricted-syntax': [
        'error',
        {
          selector:
            "Program > ExpressionStatement > CallExpression:matches([callee.name=/^(before|after)(Each|All)$/], [callee.object.name='vi'])",
          message:
            'export a function that test files call: hooks and settings at the top count for one file of several',
        },
      ],
    },
  },
);
