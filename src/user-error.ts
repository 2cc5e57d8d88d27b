/** Exit codes: 0 done, 1 failed, 2 wrong use. */
export interface UserErrorOptions {
  /** 2 (default): wrong use, or the machine is not set up for it; 1: it was tried and failed. */
  exitCode?: number;
  /** How to fix it, in one sentence. */
  hint?: string;
  cause?: unknown;
}

/**
 * An error whose message is written for a person: one line with the cause, and optionally one with the fix.
 * The CLI prints both without a stack trace and ends with `exitCode`.
 */
export class UserError extends Error {
  override readonly name = 'UserError';
  readonly exitCode: number;
  readonly hint?: string;

  constructor(message: string, { exitCode = 2, hint, cause }: UserErrorOptions = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.exitCode = exitCode;
    if (hint !== undefined) this.hint = hint;
  }
}
