import { coerce, gte } from 'semver';

/** Whether version `a` is `b` or newer. Of each text the first run of numbers counts: `go1.26.8`, `1.95.0-nightly`. */
export const isAtLeast = (a: string, b: string): boolean => gte(numbers(a), numbers(b));

const numbers = (version: string): string => coerce(version)?.version ?? '0.0.0';
