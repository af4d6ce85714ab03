/** Odd numbers without a pattern; one for each sample, so that their order counts. */
const p1 = 0x27d4eb2f, p2 = 0x165667b1, p3 = 0x85ebca77, p4 = 0xc2b2ae3d, p5 = 0x9e3779b1;
/** Upper and lower case of a letter differ in this bit; that other characters fall together too does no harm in a sieve. */
const fold = 0x20202020;

/**
 * Of text in a buffer that can be read four bytes beyond it, upper and lower case alike. Takes five samples of four bytes, evenly spread: the time is
 * the same for any length, without a branch to mispredict, and up to 20 bytes all count.
 */
export function hashText(bytes: Uint8Array, view: DataView, from: number, to: number): number {
  const length = to - from;
  if (length < 4) return finish(Math.imul((bytes[from] as number) | ((bytes[from + (length >> 1)] as number) << 8) | ((bytes[to - 1] as number) << 16) | fold, p1) + length);
  const last = length - 4;
  const quarter = last >> 2;
  return finish(
    Math.imul(view.getInt32(from, true) | fold, p1) +
      Math.imul(view.getInt32(from + quarter, true) | fold, p2) +
      Math.imul(view.getInt32(from + (last >> 1), true) | fold, p3) +
      Math.imul(view.getInt32(from + last - quarter, true) | fold, p4) +
      Math.imul(view.getInt32(from + last, true) | fold, p5) +
      length,
  );
}

/** Of a block of IPv4 addresses, by one of them. */
export function hashBlock4(address: number, prefix: number): number {
  return finish(Math.imul(address & maskOf(prefix), p1) + prefix);
}

/** Of a block of IPv6 addresses, by the four words of one of them. */
export function hashBlock6(words: Int32Array, prefix: number): number {
  let sum = 1_000 + prefix;
  for (let word = 0; word < 4; word++) sum = Math.imul(sum, p1) + Math.imul((words[word] as number) & maskOf(prefix - 32 * word), p2);
  return finish(sum);
}

/** Of a word's `bits` first bits. */
function maskOf(bits: number): number {
  return bits >= 32 ? -1 : bits <= 0 ? 0 : -1 << (32 - bits);
}

/** Never 0. */
function finish(sum: number): number {
  let hash = sum | 0;
  hash = Math.imul(hash ^ (hash >>> 15), p2);
  hash ^= hash >>> 13;
  return hash === 0 ? 1 : hash;
}
