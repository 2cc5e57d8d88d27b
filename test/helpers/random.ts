/** Random numbers that come again: the seed is printed, and an environment variable gives it back. */
export interface Random {
  seed: number;
  /** 0 … below `n`. */
  below(n: number): number;
}

/** 32 bytes as hex digits, none of them zero: a ticket, a seed. */
export const hex32 = (random: Random): string =>
  Array.from({ length: 32 }, () => (1 + random.below(255)).toString(16).padStart(2, '0')).join('');

/** @param otherwise the seed when the variable is not set */
export function createRandom(
  variable = 'SEALFLOW_TEST_SEED',
  otherwise = Math.floor(Math.random() * 2 ** 31),
): Random {
  const seed = Number(process.env[variable] ?? otherwise);
  console.log(`${variable}=${seed}`);
  let state = seed;
  // mulberry32
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  return { seed, below: (n) => Math.floor(next() * n) };
}
