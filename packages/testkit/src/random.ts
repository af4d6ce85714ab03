/** Uniform in [0, 1). */
export type Random = () => number;

/** The same seed gives the same numbers, on every machine: the mulberry32 generator, 32 bits of state. */
export function seeded(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** One seed out of several numbers, so that every connection and direction draws from a sequence of its own. */
export function mixSeed(...parts: readonly number[]): number {
  return parts.reduce((hash, part) => Math.imul((hash ^ part) + 0x9e3779b9, 0x85ebca6b) ^ (hash >>> 13), 0x811c9dc5) >>> 0;
}
