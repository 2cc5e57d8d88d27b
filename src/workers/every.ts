/**
 * Calls `task` every `everyMs` until the signal is aborted. Does not wait for a call to return: one that hangs
 * must not block the next call, which may check something else.
 */
export function every(everyMs: number, signal: AbortSignal, task: () => Promise<void> | void): void {
  if (signal.aborted) return;
  const timer = setInterval(() => void task(), everyMs);
  signal.addEventListener('abort', () => clearInterval(timer), { once: true });
}
