/** One seed for all chaos test files of a run: said here, and again by each of them. @returns it as environment */
export function chaosSeed() {
  const seed = process.env.SEALFLOW_CHAOS_SEED ?? String(Math.floor(Math.random() * 2 ** 31));
  process.stdout.write(`chaos: SEALFLOW_CHAOS_SEED=${seed} gives these faults again\n`);
  return { SEALFLOW_CHAOS_SEED: seed };
}
