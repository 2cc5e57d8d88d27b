import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { OnStep } from '../../machine/on-step.js';
import { buildEnvironment } from '../../machine/build-environment.js';
import { describeEnd, runBound, type RunResult } from '../../machine/run-bound.js';
import { requireTool } from '../../machine/tools.js';
import { UserError } from '../../user-error.js';
import { isAtLeast } from '../../machine/versions.js';
import type { CliMaker, MakeOptions } from './cli-maker.js';

const MODULE = fileURLToPath(new URL('../../../server/temporal-cli/', import.meta.url));
const PACKAGE = 'github.com/temporalio/cli/cmd/temporal';
// Without it the CLI reports version 0.0.0-DEV, because it was not built from a checkout of a tag.
const VERSION_VARIABLE = 'github.com/temporalio/cli/internal/temporalcli.Version';

/** Builds the CLI from the module that the repository pins. @throws UserError when Go is missing, too old, or fails */
export const buildWithGo: CliMaker = { name: 'a build with Go', deadlineMs: 3_600_000, make: build };

async function build(version: string, into: string, { onStep, signal }: MakeOptions): Promise<void> {
  // Ignores the user's workspace and module mode. GOTMPDIR: leftovers of a killed Go are removed with our own.
  const env = {
    ...buildEnvironment(),
    CGO_ENABLED: '0',
    GOWORK: 'off',
    GO111MODULE: 'on',
    GOTMPDIR: dirname(into),
  };
  const go = (args: string[], onLine: Partial<Lines> = {}): Promise<RunResult> =>
    runBound('go', args, { cwd: MODULE, env, signal, ...onLine });

  await requireGo(go);
  onStep?.('fetching Go modules');
  const total = await fetchModules(go, onStep);
  let compiled = 0;
  const ldflags = `-s -w -X ${VERSION_VARIABLE}=${version}`;
  const args = ['build', '-v', '-mod=readonly', '-buildvcs=false', '-trimpath', '-ldflags', ldflags];
  onStep?.('compiling', 0);
  // -v prints a package when it starts to compile it; packages in Go's build cache are not printed.
  const onStderr = (): void => onStep?.(`compiling ${++compiled} of ${total}`, Math.min(1, compiled / total));
  const end = await go([...args, '-o', into, PACKAGE], { onStderr });
  // Linking comes last and is not printed either.
  if (end.code !== 0) throw failed(end);
}

interface Lines {
  onStdout: (line: string) => void;
  onStderr: (line: string) => void;
}
type Go = (args: string[], onLine?: Partial<Lines>) => Promise<RunResult>;

/** Fetches the modules. @returns the number of packages to compile */
async function fetchModules(go: Go, onStep: OnStep | undefined): Promise<number> {
  let packages = 0;
  let fetched = 0;
  const end = await go(['list', '-mod=readonly', '-deps', PACKAGE], {
    onStdout: () => packages++,
    onStderr: (line) => {
      if (line.startsWith('go: downloading')) onStep?.(`fetching Go modules, ${++fetched} so far`);
    },
  });
  if (end.code !== 0) throw failed(end);
  return packages;
}

/**
 * Go 1.21 and later downloads the toolchain that a module requires, unless this is disabled or fails. Querying the
 * version inside the module triggers the download and shows the outcome before anything is built.
 */
async function requireGo(go: Go): Promise<void> {
  const needed = /^go (\S+)$/m.exec(await readFile(join(MODULE, 'go.mod'), 'utf8'))?.[1] ?? '0';
  const hint = `install Go ${needed} or newer (https://go.dev/doc/install), or the Temporal CLI itself (https://docs.temporal.io/cli)`;
  requireTool('go', hint);
  let found = '';
  const end = await go(['env', 'GOVERSION'], { onStdout: (line) => (found += line) });
  if (end.code !== 0) throw new UserError(`Go cannot build the Temporal CLI (${describeEnd(end)})`, { hint });
  if (!isAtLeast(found, needed)) {
    throw new UserError(`Go is too old to build the Temporal CLI: found ${found}, ${needed} is required`, {
      hint,
    });
  }
}

const failed = (end: RunResult): UserError =>
  new UserError(`the Temporal CLI cannot be built (go: ${describeEnd(end)})`, {
    exitCode: 1,
    hint: 'install the Temporal CLI (https://docs.temporal.io/cli), or set TEMPORAL_CLI to its path',
  });
