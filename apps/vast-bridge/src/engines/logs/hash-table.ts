/** Hashes with flags, in about 16 bytes each. What is not in it is told by one word, nearly always. */
export class HashTable {
  #size = 0;
  #hashes: Int32Array = new Int32Array(64);
  #flags: Uint8Array = new Uint8Array(64);
  /** Two bits of a word for each hash (a Bloom filter): one in eight is set at most, so that few others get past it. */
  #bits: Int32Array = new Int32Array(16);

  get size(): number {
    return this.#size;
  }

  /** Adds flags to what the hash has. */
  set(hash: number, flags: number): void {
    if (this.#size * 2 >= this.#hashes.length) this.#grow();
    this.#put(hash, flags);
  }

  /** 0: it is not there. */
  get(hash: number): number {
    const bits = this.#bits;
    if ((~(bits[wordOf(hash, bits)] as number) & pairOf(hash)) !== 0) return 0;
    const hashes = this.#hashes;
    const mask = hashes.length - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      if (hashes[slot] === hash) return this.#flags[slot] as number;
      if (hashes[slot] === 0) return 0;
    }
  }

  #put(hash: number, flags: number): void {
    const mask = this.#hashes.length - 1;
    let slot = hash & mask;
    while (this.#hashes[slot] !== 0 && this.#hashes[slot] !== hash) slot = (slot + 1) & mask;
    if (this.#hashes[slot] === 0) this.#size++;
    this.#hashes[slot] = hash;
    this.#flags[slot] = (this.#flags[slot] as number) | flags;
    const word = wordOf(hash, this.#bits);
    this.#bits[word] = (this.#bits[word] as number) | pairOf(hash);
  }

  #grow(): void {
    const [hashes, flags] = [this.#hashes, this.#flags];
    this.#size = 0;
    this.#hashes = new Int32Array(hashes.length * 2);
    this.#flags = new Uint8Array(hashes.length * 2);
    this.#bits = new Int32Array(hashes.length / 2);
    for (let slot = 0; slot < hashes.length; slot++) {
      if (hashes[slot] !== 0) this.#put(hashes[slot] as number, flags[slot] as number);
    }
  }
}

function wordOf(hash: number, bits: Int32Array): number {
  return (hash >>> 10) & (bits.length - 1);
}

function pairOf(hash: number): number {
  return (1 << hash) | (1 << (hash >>> 5));
}
