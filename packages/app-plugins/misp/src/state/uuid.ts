/** UUIDs as four words of 32 bits, in which they take 16 bytes instead of 56. */

/** What a character is worth as a hexadecimal digit. */
const digits: Uint8Array = Uint8Array.from({ length: 128 }, (_, code) => Number.parseInt(String.fromCharCode(code), 16) || 0);

/** Where the digits of each word begin; the words in the middle have a dash behind their fourth. */
const starts = [0, 9, 19, 28] as const;
const dashed = [false, true, true, false] as const;

/** One word of a lower-case UUID with its dashes. */
export function wordOf(uuid: string, index: 0 | 1 | 2 | 3): number {
  let word = 0;
  let at: number = starts[index];
  for (let digit = 0; digit < 8; digit++) {
    if (digit === 4 && dashed[index]) at++;
    word = (word << 4) | (digits[uuid.charCodeAt(at++)] ?? 0);
  }
  return word >>> 0;
}

/** The lower-case text of four words. */
export function uuidOf(a: number, b: number, c: number, d: number): string {
  const [one, two, three, four] = [a, b, c, d].map((word) => word.toString(16).padStart(8, "0")) as [string, string, string, string];
  return `${one}-${two.slice(0, 4)}-${two.slice(4)}-${three.slice(0, 4)}-${three.slice(4)}${four}`;
}
