/** IP addresses and blocks of them, strictly read and in one spelling: RFC 5952 for IPv6, no leading zeros in IPv4, no zones. */
import { isIPv4, isIPv6, SocketAddress } from "node:net";

export interface Address {
  readonly family: 4 | 6;
  /** The address as a number, 32 or 128 bits. */
  readonly bits: bigint;
}

/** A block with all bits behind its prefix zero. */
export interface Block extends Address {
  /** Bits of the prefix. */
  readonly prefix: number;
}

const widths = { 4: 32, 6: 128 } as const;
/** `::ffff:0:0/96`, whose addresses are IPv4 ones in another spelling. */
const mapped = 0xffffn;

/** An address; undefined if the text is none. IPv4-mapped IPv6 addresses are IPv4 addresses. */
export function parseAddress(text: string): Address | undefined {
  if (isIPv4(text)) return { family: 4, bits: text.split(".").reduce((bits, byte) => (bits << 8n) | BigInt(byte), 0n) };
  if (!isIPv6(text) || text.includes("%")) return undefined;
  const bits = bitsOfIpv6(text);
  return bits >> 32n === mapped ? { family: 4, bits: bits & 0xffff_ffffn } : { family: 6, bits };
}

/** `address/prefix`; undefined if the text is none. Bits behind the prefix are cleared. */
export function parseBlock(text: string): Block | undefined {
  const [, base, digits] = /^([^/]{1,45})\/(0|[1-9]\d{0,2})$/.exec(text) ?? [];
  if (base === undefined) return undefined;
  const address = parseAddress(base);
  if (address === undefined) return undefined;
  const written = isIPv4(base) ? 4 : 6;
  const prefix = Number(digits) - (written === 6 && address.family === 4 ? 96 : 0);
  if (prefix < 0 || prefix > widths[address.family]) return undefined;
  const host = BigInt(widths[address.family] - prefix);
  return { family: address.family, bits: (address.bits >> host) << host, prefix };
}

export function printAddress({ family, bits }: Address): string {
  if (family === 4) return [24n, 16n, 8n, 0n].map((shift) => String((bits >> shift) & 0xffn)).join(".");
  const groups = bits.toString(16).padStart(32, "0").match(/.{4}/g) ?? [];
  return new SocketAddress({ family: "ipv6", address: groups.join(":") }).address;
}

export function printBlock(block: Block): string {
  return `${printAddress(block)}/${block.prefix}`;
}

export function contains(block: Block, { family, bits }: Address): boolean {
  if (family !== block.family) return false;
  const host = BigInt(widths[family] - block.prefix);
  return bits >> host === block.bits >> host;
}

function bitsOfIpv6(text: string): bigint {
  // A dotted end (`::ffff:192.0.2.1`) stands for two groups.
  const plain = text.replace(/\d+\.\d+\.\d+\.\d+$/, (dotted) => {
    const [a = 0, b = 0, c = 0, d = 0] = dotted.split(".").map(Number);
    return `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
  });
  const [head = "", tail] = plain.split("::");
  const before = head === "" ? [] : head.split(":");
  const after = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = tail === undefined ? [] : Array.from({ length: 8 - before.length - after.length }, () => "0");
  return [...before, ...zeros, ...after].reduce((bits, group) => (bits << 16n) | BigInt(`0x${group}`), 0n);
}
