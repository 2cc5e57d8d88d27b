import { expect, test } from 'vitest';
import { asTheyEnd } from '../../src/as-they-end.js';
import { eventually } from '../helpers/eventually.js';
import { heapBytes } from '../helpers/heap.js';

/** Work that ends when it is told to. */
class Works {
  readonly begun: number[] = [];
  private readonly ends = new Map<number, (error?: Error) => void>();

  do = (item: number): Promise<string> => {
    this.begun.push(item);
    return new Promise((resolve, reject) => {
      this.ends.set(item, (error) => (error ? reject(error) : resolve(`done ${item}`)));
    });
  };

  end = (item: number, error?: Error): void => this.ends.get(item)?.(error);
}

/** What comes, and how it ends. */
function collect(generator: AsyncGenerator<string>): { got: string[]; end: Promise<unknown> } {
  const got: string[] = [];
  const read = async (): Promise<unknown> => {
    try {
      for await (const value of generator) got.push(value);
    } catch (error) {
      return error;
    }
    return 'the end';
  };
  return { got, end: read() };
}

test('so many at a time are worked on, and told as they end', async () => {
  const works = new Works();
  const { got, end } = collect(asTheyEnd([1, 2, 3], 2, works.do));
  await eventually(() => works.begun.length === 2);
  works.end(2);
  await eventually(() => works.begun.length === 3);
  expect(got).toEqual(['done 2']);
  works.end(3);
  works.end(1);
  expect(await end).toBe('the end');
  expect([...got].sort()).toEqual(['done 1', 'done 2', 'done 3']);
  expect(await collect(asTheyEnd([], 2, works.do)).end).toBe('the end');
});

test('a failure is told when the others have ended', async () => {
  const works = new Works();
  const { end } = collect(asTheyEnd([1, 2, 3], 2, works.do));
  let ended = false;
  void end.then(() => (ended = true));
  await eventually(() => works.begun.length === 2);
  works.end(1, new Error('broken'));
  await new Promise((resolve) => setImmediate(resolve));
  expect(ended).toBe(false);
  works.end(2);
  expect(await end).toEqual(new Error('broken'));
  expect(works.begun).toEqual([1, 2]);
});

test('after the signal nothing is begun, and what has ended is still told', async () => {
  const works = new Works();
  const stop = new AbortController();
  const { got, end } = collect(asTheyEnd([1, 2, 3], 1, works.do, stop.signal));
  await eventually(() => works.begun.length === 1);
  stop.abort(new Error('stopped'));
  works.end(1);
  expect(await end).toEqual(new Error('stopped'));
  expect({ got, begun: works.begun }).toEqual({ got: ['done 1'], begun: [1] });
});

test('what has ended leaves nothing on the heap while something hangs', async () => {
  let letGo: () => void = () => undefined;
  const hung = new Promise<void>((resolve) => (letGo = resolve));
  const items = Array.from({ length: 100_000 }, (_, i) => i);
  let before = 0;
  let kept = Infinity;
  for await (const item of asTheyEnd(items, 2, async (i) => (i === 0 ? await hung.then(() => i) : i))) {
    if (item === 1000) before = heapBytes();
    if (item === items.length - 1) {
      kept = heapBytes() - before;
      letGo();
    }
  }
  expect(kept).toBeLessThan(5_000_000);
});
