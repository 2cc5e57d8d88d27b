import { join } from 'node:path';
import type { OnStep } from '../../machine/on-step.js';
import { buildEnvironment } from '../../machine/build-environment.js';
import { describeEnd, runBound } from '../../machine/run-bound.js';
import { UserError } from '../../user-error.js';

export interface CargoBuild {
  crate: string;
  /** Name of the binary. */
  program: string;
  features: readonly string[];
  targetDirectory: string;
  onStep?: OnStep | undefined;
  signal?: AbortSignal | undefined;
}

/** cargo prints the number of units only in its progress bar, which without a terminal must be forced. */
const SHOW_PROGRESS = {
  CARGO_TERM_PROGRESS_WHEN: 'always',
  CARGO_TERM_PROGRESS_WIDTH: '80',
  CARGO_TERM_COLOR: 'never',
  CARGO_TERM_QUIET: 'false',
};

/**
 * Runs `cargo build --release` with the dependency versions of Cargo.lock.
 *
 * @returns the path of the binary
 * @throws UserError with the first error that cargo prints
 */
export async function cargoBuild(build: CargoBuild): Promise<string> {
  const { crate, program, features, targetDirectory, onStep, signal } = build;
  let binary: string | undefined;
  const errors: string[] = [];
  onStep?.('compiling');
  const args = [
    'build',
    '--release',
    '--locked',
    '--bin',
    program,
    '--message-format',
    'json-render-diagnostics',
  ];
  const end = await runBound('cargo', [...args, ...features.flatMap((name) => ['--features', name])], {
    cwd: crate,
    env: { ...buildEnvironment(), ...SHOW_PROGRESS, CARGO_TARGET_DIR: targetDirectory },
    signal,
    // Read from cargo's messages, not guessed: a user's cargo config may add the target's name to the path.
    onStdout: (line) => (binary = binaryOf(line) ?? binary),
    onStderr: (line) => {
      const [, done, total] = /Building \[[=> ]*\] (\d+)\/(\d+)/.exec(line) ?? [];
      if (done && total) onStep?.(`compiling ${done} of ${total}`, Number(done) / Number(total));
      else if (/^\s*Downloaded /.test(line)) onStep?.('fetching crates');
      else if (line.startsWith('error')) errors.push(line);
    },
  });
  if (end.code === 0 && binary !== undefined) return binary;
  // The first error is the cause; the last line only reports that there were errors.
  throw new UserError(`the engine cannot be built: ${errors[0] ?? describeEnd(end)}`, {
    exitCode: 1,
    hint: `cargo build --release --manifest-path ${join(crate, 'Cargo.toml')} shows the full output`,
  });
}

function binaryOf(message: string): string | undefined {
  const { reason, executable } = JSON.parse(message) as { reason: string; executable?: string | null };
  return reason === 'compiler-artifact' && executable ? executable : undefined;
}
