/** UUIDs as four words of 32 bits, in which they take 16 bytes instead of 56. */

/** What a character is worth as a hexadecimal digit. */
const digits: Uint8Array = Uint8Array.from({ length: 128 }, (_, code) => Number.parseInt(String.fromCharCode(code), 16) || 0);

/** Puts the words of a lower-case UUID with its dashes into an array of four. */
export function readWords(uuid: string, into: Uint32Array): void {
  into[0] = (half(uuid, 0) << 16) | half(uuid, 4);
  into[1] = (half(uuid, 9) << 16) | half(uuid, 14);
  into[2] = (half(uuid, 19) << 16) | half(uuid, 24);
  into[3] = (half(uuid, 28) << 16) | half(uuid, 32);
}

/** Four digits. */
function half(uuid: string, at: number): number {
  return (digit(uuid, at) << 12) | (digit(uuid, at + 1) << 8) | (digit(uuid, at + 2) << 4) | digit(uuid, at + 3);
}

function digit(uuid: string, at: number): number {
  return digits[uuid.charCodeAt(at)] ?? 0;
}

/** The lower-case text of four words. */
export function uuidOf(a: number, b: number, c: number, d: number): string {
  const [one, two, three, four] = [a, b, c, d].map((word) => word.toString(16).padStart(8, "0")) as [string, string, string, string];
  return `${one}-${two.slice(0, 4)}-${two.slice(4)}-${three.slice(0, 4)}-${three.slice(4)}${four}`;
}
