import { execa } from 'execa';

/** Output of `temporal --version`. */
export interface CliVersion {
  /** `1.8.2`; `0.0.0-DEV` for a build without a version. */
  version: string;
  /** Version of the server inside: `1.31.2`. */
  server: string;
}

/** Server 1.29 introduced priorities, which the order of phases needs. CLI 1.5.0 and later contain it. */
export const OLDEST_SERVER = '1.29.0';

// The program may first have to be read from disk (195 MB).
const TIMEOUT_MS = 30_000;

/** Runs `--version`. @returns undefined when the program does not run, or is not the Temporal CLI */
export async function versionOf(path: string): Promise<CliVersion | undefined> {
  try {
    const { stdout } = await execa(path, ['--version'], { timeout: TIMEOUT_MS });
    return parseVersion(stdout);
  } catch {
    return undefined;
  }
}

/** Reads `temporal version 1.8.2 (Server 1.31.2, UI 2.50.1)`. */
export function parseVersion(text: string): CliVersion | undefined {
  const match = /temporal version (\S+) \(Server (\d+\.\d+\.\d+)/.exec(text);
  return match?.[1] && match[2] ? { version: match[1], server: match[2] } : undefined;
}
