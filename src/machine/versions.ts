import { coerce, gte } from 'semver';

/**
 * Whether version `a` is `b` or newer. Compares the first version number in each: `go1.26.8`, `1.95.0-nightly`.
 */
export const isAtLeast = (a: string, b: string): boolean => gte(versionOf(a), versionOf(b));

const versionOf = (version: string): string => coerce(version)?.version ?? '0.0.0';
