/** Obtains the Temporal CLI: a download or a build. */
import type { OnStep } from '../../machine/on-step.js';

export interface MakeOptions {
  onStep?: OnStep | undefined;
  signal?: AbortSignal | undefined;
}

/** Writes the CLI of `version` to `into`. @throws when it cannot */
export type CliMaker = (version: string, into: string, options: MakeOptions) => Promise<void>;
