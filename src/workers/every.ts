/**
 * Calls `look` each `everyMs` until the signal is aborted. It is not waited for: what does not come back must not keep the
 * next look, at something else, from being made.
 */
export function every(everyMs: number, signal: AbortSignal, look: () => Promise<void> | void): void {
  if (signal.aborted) return;
  const timer = setInterval(() => void look(), everyMs);
  signal.addEventListener('abort', () => clearInterval(timer), { once: true });
}
