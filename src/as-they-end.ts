/**
 * Does `work` on each item, on `atOnce` of them at a time, and yields each result as soon as it is ready.
 * @param signal nothing new is begun once it is aborted
 * @throws the signal's reason, or what `work` throws, when all that was begun has ended
 */
export async function* asTheyEnd<In, Out>(
  items: Iterable<In>,
  atOnce: number,
  work: (item: In) => Promise<Out>,
  signal?: AbortSignal,
): AsyncGenerator<Out> {
  const waiting = items[Symbol.iterator]();
  const running = new Set<Promise<void>>();
  const ended: (() => Out)[] = [];
  // No race of what is running: each would leave something on the work that takes longest, for as long as that takes.
  let wake = (): void => undefined;
  const begin = (item: In): void => {
    const end = (take: () => Out): void => {
      running.delete(run);
      ended.push(take);
      wake();
    };
    const run: Promise<void> = work(item).then(
      (out) => end(() => out),
      (error: unknown) =>
        end(() => {
          throw error;
        }),
    );
    running.add(run);
  };
  try {
    for (;;) {
      while (running.size + ended.length < atOnce && !signal?.aborted) {
        const next = waiting.next();
        if (next.done) break;
        begin(next.value);
      }
      const take = ended.shift();
      if (take) yield take();
      else if (running.size === 0) break;
      else await new Promise<void>((resolve) => (wake = resolve));
    }
    signal?.throwIfAborted();
  } finally {
    await Promise.allSettled(running);
  }
}
