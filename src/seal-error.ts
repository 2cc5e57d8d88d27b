/** What goes wrong with a sector, by the types of `failures.ts`. Free of Temporal: `activities/temporal-failure.ts` makes its failures. */
import type { FailureDetails, FailureType } from './failures.js';

/** A failure of a phase, a stop or an abort. What follows from it is in the table of `failures.ts`. */
export class SealError extends Error {
  override readonly name = 'SealError';

  constructor(
    readonly type: FailureType,
    message: string,
    readonly details: FailureDetails = {},
    options?: { cause: unknown },
  ) {
    super(message, options);
  }
}
