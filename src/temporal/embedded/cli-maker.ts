/** Obtains the Temporal CLI: a download or a build. */
import type { OnStep } from '../../machine/on-step.js';

export interface MakeOptions {
  onStep?: OnStep | undefined;
  signal?: AbortSignal | undefined;
}

export interface CliMaker {
  /** For messages: `pip or uv`. */
  name: string;
  /** It is given up after so many ms, and the next way tried. */
  deadlineMs: number;
  /** Writes the CLI of `version` to `into`. @throws when it cannot; the signal's reason */
  make: (version: string, into: string, options: MakeOptions) => Promise<void>;
}
