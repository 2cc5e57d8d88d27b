import { execa } from 'execa';

/** What `temporal --version` says of itself. */
export interface CliVersion {
  /** `1.8.2`; `0.0.0-DEV` for a build that was not told its version. */
  version: string;
  /** Version of the server inside: `1.31.2`. */
  server: string;
}

/** Server 1.29 is the first with priorities, which the order of phases needs. It is in the CLI from 1.5.0 on. */
export const OLDEST_SERVER = '1.29.0';

// A disk that must first read 195 MB takes its time.
const TIMEOUT_MS = 30_000;

/** @returns undefined when the program does not run, or is not the Temporal CLI */
export async function askVersion(path: string): Promise<CliVersion | undefined> {
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
