import { Buffer } from "node:buffer";
import { isIPv4, isIPv6 } from "node:net";

/** An address as 16 bytes; IPv4 as `::ffff:a.b.c.d`. Undefined if the text is none: zones (`%eth0`), blanks and leading zeros are not taken. */
export function parseAddress(text: string): Uint8Array | undefined {
  if (isIPv4(text)) return Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, ...text.split(".").map(Number));
  if (!isIPv6(text) || text.includes("%")) return undefined;
  const [head = "", tail] = text.split("::");
  const before = groupsOf(head), after = tail === undefined ? [] : groupsOf(tail);
  const zeros = new Array<number>(Math.max(0, 8 - before.length - after.length)).fill(0);
  const groups = [...before, ...zeros, ...after];
  return Uint8Array.from(groups.flatMap((group) => [group >> 8, group & 255]));
}

/** 16-bit groups; a dotted quad at the end is two. */
function groupsOf(text: string): number[] {
  if (text === "") return [];
  return text.split(":").flatMap((group) => {
    if (!group.includes(".")) return [Number.parseInt(group, 16)];
    const [a = 0, b = 0, c = 0, d = 0] = group.split(".").map(Number);
    return [(a << 8) | b, (c << 8) | d];
  });
}

/** The one text of 16 bytes: dotted for IPv4, RFC 5952 for IPv6. */
export function printAddress(bytes: Uint8Array): string {
  return isMapped(bytes) ? bytes.subarray(12).join(".") : printGroups(bytes);
}

/** Whether it stands for an IPv4 address. */
export function isMapped(bytes: Uint8Array): boolean {
  for (let at = 0; at < 10; at++) if (bytes[at] !== 0) return false;
  return bytes[10] === 255 && bytes[11] === 255;
}

function printGroups(bytes: Uint8Array): string {
  const groups = Array.from({ length: 8 }, (_, n) => ((bytes[2 * n] ?? 0) << 8) | (bytes[2 * n + 1] ?? 0));
  let start = 0, length = 0;
  for (let from = 0; from < 8; from++) {
    let run = 0;
    while (groups[from + run] === 0) run++;
    if (run > length) [start, length] = [from, run];
  }
  const hex = (from: number, to: number): string => groups.slice(from, to).map((group) => group.toString(16)).join(":");
  return length < 2 ? hex(0, 8) : `${hex(0, start)}::${hex(start + length, 8)}`;
}

export interface Subnet {
  readonly bytes: Uint8Array;
  /** Of 128 bits; that of IPv4 counts from 96. */
  readonly length: number;
}

/** `address/length`, the length in the bits of its family. Undefined if the text is none. */
export function parseSubnet(text: string): Subnet | undefined {
  const slash = text.indexOf("/");
  const digits = text.slice(slash + 1);
  const bytes = slash < 0 || !/^(?:0|[1-9]\d{0,2})$/.test(digits) ? undefined : parseAddress(text.slice(0, slash));
  if (bytes === undefined) return undefined;
  // Only the dotted form counts its bits from 96: `::ffff:0:0/90` is more than IPv4.
  const length = Number(digits) + (text.includes(":") ? 0 : 96);
  return length <= 128 ? { bytes, length } : undefined;
}

export function printSubnet({ bytes, length }: Subnet): string {
  return isMapped(bytes) && length >= 96 ? `${printAddress(bytes)}/${length - 96}` : `${printGroups(bytes)}/${length}`;
}

/** The bits behind the length cleared. */
export function maskSubnet({ bytes, length }: Subnet): Subnet {
  const masked = bytes.map((byte, at) => byte & (0xff00 >> Math.min(8, Math.max(0, length - at * 8))));
  return { bytes: masked, length };
}

/** Where Zeek has all of IPv4 among the addresses of IPv6. */
const ipv4: Subnet = { bytes: Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 0, 0, 0, 0), length: 96 };

/** Whether every IPv4 address lies in it, as Zeek compares them. */
export function holdsAllIpv4({ bytes, length }: Subnet): boolean {
  return length <= ipv4.length && Buffer.compare(maskSubnet({ bytes, length }).bytes, maskSubnet({ bytes: ipv4.bytes, length }).bytes) === 0;
}
