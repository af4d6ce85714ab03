/**
 * Ids to the numbers 0, 1, 2 … in the order they came, without keeping the ids: two 32-bit hashes each, in an open-addressed table.
 * A million ids take 24 MiB (12 bytes per slot, at most half of the slots used); among 30 million, the chance that any two collide
 * is 1 in 40,000.
 */
export interface IdTable {
  readonly size: number;
  /** The number of an id met for the first time, undefined for a known one. */
  add(id: string): number | undefined;
  find(id: string): number | undefined;
}

export function idTable(): IdTable {
  let slots = allocate(1 << 12);
  let size = 0;

  function allocate(capacity: number): { capacity: number; low: Uint32Array; high: Uint32Array; number: Uint32Array } {
    return { capacity, low: new Uint32Array(capacity), high: new Uint32Array(capacity), number: new Uint32Array(capacity) };
  }

  /** The slot of an id, or the free one where it belongs. Slots hold number + 1; 0 is free. */
  function slotOf(low: number, high: number): number {
    const mask = slots.capacity - 1;
    let at = low & mask;
    while (slots.number[at] !== 0 && (slots.low[at] !== low || slots.high[at] !== high)) at = (at + 1) & mask;
    return at;
  }

  function put(low: number, high: number, number: number): void {
    const at = slotOf(low, high);
    slots.low[at] = low;
    slots.high[at] = high;
    slots.number[at] = number;
  }

  function grow(): void {
    const old = slots;
    slots = allocate(old.capacity * 2);
    for (let at = 0; at < old.capacity; at++) if (old.number[at] !== 0) put(old.low[at] ?? 0, old.high[at] ?? 0, old.number[at] ?? 0);
  }

  return {
    get size() {
      return size;
    },
    add(id) {
      const [low, high] = hashText(id);
      if (slots.number[slotOf(low, high)] !== 0) return undefined;
      if ((size + 1) * 2 > slots.capacity) grow();
      put(low, high, size + 1);
      return size++;
    },
    find(id) {
      const [low, high] = hashText(id);
      const found = slots.number[slotOf(low, high)] ?? 0;
      return found === 0 ? undefined : found - 1;
    },
  };
}

function hashText(text: string): [low: number, high: number] {
  let low = 0x811c9dc5;
  let high = 0x9e3779b9;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    low = Math.imul(low ^ code, 0x01000193);
    high = Math.imul(high ^ code, 0x85ebca6b);
    high ^= high >>> 15;
  }
  return [avalanche(low), avalanche(high)];
}

function avalanche(hash: number): number {
  const mixed = Math.imul(hash ^ (hash >>> 16), 0x45d9f3b);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}

/**
 * 32 bits in the manner of FNV-1a, four bytes at a time. Each step is reversible, so a single changed byte always changes the hash;
 * the length takes part, so that a lost zero at the end does too.
 */
export function hashBytes(bytes: Uint8Array): number {
  const { length } = bytes;
  const whole = length - (length % 4);
  let hash = 0x811c9dc5 ^ length;
  const byte = (at: number): number => bytes[at] as number;
  for (let at = 0; at < whole; at += 4) {
    const word = byte(at) | (byte(at + 1) << 8) | (byte(at + 2) << 16) | (byte(at + 3) << 24);
    hash = Math.imul(hash ^ word, 0x01000193);
    hash ^= hash >>> 15;
  }
  for (let at = whole; at < length; at++) hash = Math.imul(hash ^ byte(at), 0x01000193);
  return hash >>> 0;
}
