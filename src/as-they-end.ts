/**
 * Does `work` on each item, on `atOnce` of them at a time, and hands on what comes of it as it comes.
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
  const running = new Set<Promise<() => Out>>();
  const begin = (item: In): void => {
    const run: Promise<() => Out> = work(item).then((out) => () => {
      running.delete(run);
      return out;
    });
    running.add(run);
  };
  try {
    for (;;) {
      while (running.size < atOnce && !signal?.aborted) {
        const next = waiting.next();
        if (next.done) break;
        begin(next.value);
      }
      if (running.size === 0) break;
      yield (await Promise.race(running))();
    }
    signal?.throwIfAborted();
  } finally {
    await Promise.allSettled(running);
  }
}
