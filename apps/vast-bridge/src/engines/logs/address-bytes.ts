/**
 * Addresses read out of bytes that can be read four beyond. They take all that `parseAddress` takes, and read it the same; what else they take, and
 * what for, is not looked into.
 */
const zero = 0x30, nine = 0x39, dot = 0x2e, colon = 0x3a;

/** Whether it is one; `words[0]` is the address then. */
export function readAddress4(view: DataView, from: number, to: number, words: Int32Array): boolean {
  let value = 0, at = from;
  // `::1.2.3.4` is of the other family.
  if (view.getUint8(from) === colon) return false;
  for (let dots = 0; dots < 3; dots++) {
    const four = view.getInt32(at, true);
    // The lowest bit of these is that of the first dot.
    const other = four ^ 0x2e2e2e2e;
    const found = (other - 0x01010101) & ~other & 0x80808080;
    if (found === 0) return false;
    const digits = (31 - Math.clz32(found & -found)) >> 3;
    value = (value << 8) | part(four, digits);
    at += digits + 1;
  }
  const digits = to - at;
  if (digits < 1 || digits > 3) return false;
  words[0] = (value << 8) | part(view.getInt32(at, true), digits);
  return true;
}

/** Of an IPv4 address, in the first one to three of four bytes. */
function part(four: number, digits: number): number {
  const last = four << (32 - 8 * digits);
  return (((last >>> 24) & 15) + ((last >>> 16) & 15) * 10 + ((last >>> 8) & 15) * 100) & 0xff;
}

/** RFC 4291 §2.2. Whether it is one; the four words are the address then. */
export function readAddress6(bytes: Uint8Array, view: DataView, from: number, to: number, words: Int32Array): boolean {
  if (to - from > 45 || to - from < 2) return false;
  words[0] = words[1] = words[2] = words[3] = 0;
  /** Groups read, and how many of them stand before `::`. */
  let groups = 0, gap = -1;
  let at = from;
  if (bytes[at] === colon) {
    if (bytes[at + 1] !== colon) return false;
    gap = 0;
    at += 2;
  }
  while (at < to) {
    const start = at;
    let value = 0;
    for (; at < to; at++) {
      const digit = hexadecimal(bytes[at] as number);
      if (digit < 0) break;
      value = value * 16 + digit;
    }
    if (at < to && bytes[at] === dot) {
      if (groups > 6 || !readAddress4(view, start, to, quad)) return false;
      put(words, groups++, (quad[0] as number) >>> 16);
      put(words, groups++, (quad[0] as number) & 0xffff);
      at = to;
      break;
    }
    if (at === start || at - start > 4 || groups > 7) return false;
    put(words, groups++, value);
    if (at === to) break;
    if (bytes[at++] !== colon) return false;
    if (bytes[at] === colon && at < to) {
      if (gap >= 0) return false;
      gap = groups;
      at++;
    } else if (at === to) return false;
  }
  if (gap < 0 ? groups !== 8 : groups > 7) return false;
  if (gap >= 0) spread(words, groups, gap);
  return true;
}

/** IPv4 in another spelling: `::ffff:192.0.2.1`. */
export function isMapped(words: Int32Array): boolean {
  return words[0] === 0 && words[1] === 0 && words[2] === 0xffff;
}

const quad = new Int32Array(1);

function hexadecimal(byte: number): number {
  if (byte >= zero && byte <= nine) return byte - zero;
  const letter = byte | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}

function put(words: Int32Array, group: number, value: number): void {
  const word = group >> 1;
  words[word] = group % 2 === 0 ? (value << 16) | ((words[word] as number) & 0xffff) : ((words[word] as number) & ~0xffff) | value;
}

/** Moves the groups behind the gap to the end, and puts zeros between. */
function spread(words: Int32Array, groups: number, gap: number): void {
  for (let group = groups - 1, target = 7; target >= gap; group--, target--) put(words, target, group >= gap ? groupAt(words, group) : 0);
}

function groupAt(words: Int32Array, group: number): number {
  return ((words[group >> 1] as number) >>> (group % 2 === 0 ? 16 : 0)) & 0xffff;
}
