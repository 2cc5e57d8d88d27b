/** What stands in the way of looking at a storage node, and says nothing of what lies there. */
import { TooNewError } from '../contract.js';
import { messageOf } from '../files.js';
import { MountHungError } from '../mounts/mounts.js';

/** Something cannot be read, so nothing is known about it. */
export class UnreadableError extends Error {
  override readonly name = 'UnreadableError';
}

/** The message of an error that means: this cannot be looked at now. Undefined for all others, which are bugs. */
export function unreadableReason(error: unknown): string | undefined {
  const known =
    error instanceof UnreadableError ||
    error instanceof MountHungError ||
    error instanceof TooNewError ||
    // EIO, EACCES, ESTALE, …
    (error instanceof Error && typeof (error as NodeJS.ErrnoException).code === 'string');
  return known ? messageOf(error) : undefined;
}
