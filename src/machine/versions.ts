/** Whether dotted version `a` is `b` or newer. Of each text the first run of numbers counts: `go1.26.8`, `1.95.0-nightly`. */
export function isAtLeast(a: string, b: string): boolean {
  const [left, right] = [numbers(a), numbers(b)];
  const i = right.findIndex((n, at) => n !== (left[at] ?? 0));
  return i === -1 || (left[i] ?? 0) > (right[i] ?? 0);
}

const numbers = (version: string): number[] =>
  (/\d+(\.\d+)*/.exec(version)?.[0] ?? '0').split('.').map(Number);
