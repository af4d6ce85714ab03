/** Where there is no slot. */
export const none = -1;

/**
 * Slots by a 32-bit key, in chains: for each bucket its first slot, for each slot the next and the one before. Different keys share a
 * bucket, so whoever walks a chain looks at the key itself.
 */
export class Chains {
  #first = new Int32Array(0);
  #next = new Int32Array(0);
  #before = new Int32Array(0);

  get byteLength(): number {
    return this.#first.byteLength + this.#next.byteLength + this.#before.byteLength;
  }

  /** Makes room and enters every slot anew: `keyOf` is asked for 0 … `used` - 1. */
  resize(capacity: number, used: number, keyOf: (slot: number) => number): void {
    // Twice as many buckets as slots: whoever is not there is rarely looked for in another's chain, far away in memory.
    this.#first = new Int32Array(2 ** Math.ceil(Math.log2(Math.max(2 * capacity, 2)))).fill(none);
    this.#next = new Int32Array(capacity).fill(none);
    this.#before = new Int32Array(capacity).fill(none);
    for (let slot = 0; slot < used; slot++) this.add(slot, keyOf(slot));
  }

  first(key: number): number {
    return this.#first[key & (this.#first.length - 1)] ?? none;
  }

  next(slot: number): number {
    return this.#next[slot] ?? none;
  }

  add(slot: number, key: number): void {
    const bucket = key & (this.#first.length - 1);
    const first = this.#first[bucket] ?? none;
    this.#first[bucket] = slot;
    this.#next[slot] = first;
    this.#before[slot] = none;
    if (first !== none) this.#before[first] = slot;
  }

  remove(slot: number, key: number): void {
    const next = this.#next[slot] ?? none;
    const before = this.#before[slot] ?? none;
    if (before === none) this.#first[key & (this.#first.length - 1)] = next;
    else this.#next[before] = next;
    if (next !== none) this.#before[next] = before;
  }
}
