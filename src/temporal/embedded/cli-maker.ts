/** A way to get the Temporal CLI. */
import type { OnStep } from '../../machine/on-step.js';

export interface MakeOptions {
  onStep?: OnStep | undefined;
  signal?: AbortSignal | undefined;
}

/** Puts the CLI of `version` at `into`; throws when it cannot. */
export type CliMaker = (version: string, into: string, options: MakeOptions) => Promise<void>;
