import { isIP, SocketAddress } from "node:net";
import { domainToASCII } from "node:url";

/** A value taken apart: what stands in a pattern for `{1}`, `{2}` and `{family}`. */
export interface Parts {
  readonly 1: string | number;
  readonly 2?: string | number;
  readonly family?: "ipv4-addr" | "ipv6-addr";
}

/**
 * Reads a value in every spelling MISP ever stored, into the one it stores today (app/Lib/Tools/AttributeValidationTool.php): old rows
 * were not normalised. `undefined` if it is none of its type.
 */
export type Read = (value: string) => Parts | undefined;

/** Characters of a name or an address with all that may stand around it. */
const longestHost = 300;

/** As it is, if it has the form. Default: anything but nothing. */
export function text(form: RegExp = /./s): Read {
  return (value) => (form.test(value) ? { 1: value } : undefined);
}

/** Lower case, then as {@link text}. */
export function lower(form: RegExp): Read {
  return (value) => {
    const low = value.toLowerCase();
    return form.test(low) ? { 1: low } : undefined;
  };
}

export function upper(value: string): Parts | undefined {
  return /^[A-Za-z-]+$/.test(value) ? { 1: value.toUpperCase() } : undefined;
}

/** Hexadecimal of so many digits, in lower case; fingerprints may have colons. */
export function hexadecimal(digits: number): Read {
  const form = new RegExp(`^[0-9a-f]{${digits}}$`);
  return (value) => {
    const bare = (value.includes(":") ? value.replaceAll(":", "") : value).toLowerCase();
    return form.test(bare) ? { 1: bare } : undefined;
  };
}

/** A whole number without sign that a double holds exactly. */
export function whole(least: number, most: number = Number.MAX_SAFE_INTEGER): Read {
  return (value) => (/^\d{1,16}$/.test(value) && Number(value) >= least && Number(value) <= most ? { 1: Number(value) } : undefined);
}

/** Both halves of a composite value, each read for itself: MISP writes exactly one `|`. */
export function pair(readFirst: Read, readSecond: Read): Read {
  return (value) => {
    const bar = value.indexOf("|");
    if (bar < 0 || value.includes("|", bar + 1)) return undefined;
    const first = readFirst(value.slice(0, bar).trim());
    const second = readSecond(value.slice(bar + 1).trim());
    if (first === undefined || second === undefined) return undefined;
    const family = first.family ?? second.family;
    return { 1: first[1], 2: second[1], ...(family !== undefined && { family }) };
  };
}

/** An address without prefix length. IPv6 in its short form (RFC 5952). */
export function address(value: string): Parts | undefined {
  const version = isIP(value);
  if (version === 4) return { 1: value, family: "ipv4-addr" };
  if (version === 0 || value.includes("%")) return undefined;
  return { 1: new SocketAddress({ address: value, family: "ipv6" }).address, family: "ipv6-addr" };
}

/** An address or a CIDR block, which stays one unless it is a single address. */
export function network(value: string): Parts | undefined {
  const slash = value.indexOf("/");
  if (slash < 0) return address(value);
  const base = address(value.slice(0, slash));
  const length = value.slice(slash + 1);
  if (base?.family === undefined || !/^(?:0|[1-9]\d{0,2})$/.test(length)) return undefined;
  const bits = base.family === "ipv4-addr" ? 32 : 128;
  if (Number(length) >= bits) return Number(length) === bits ? base : undefined;
  return { 1: `${base[1]}/${length}`, family: base.family };
}

const port = whole(1, 65_535);
const addressThenPort = pair(address, port);
/** `192.0.2.1:80`, `[2001:db8::1]:80`, `2001:db8::1.80`, `… port 80`, `…p80`, `…#80`; last the one that cannot be told from an address. */
const portSpellings = [/^([\d.]+):(\d+)$/, /^\[([\da-f:.]+)\]:(\d+)$/i, /^([\da-f:]+)(?:\.| port |p|#)(\d+)$/i, /^([\da-f:]+):(\d+)$/i];

export function addressAndPort(value: string): Parts | undefined {
  if (value.length > longestHost) return undefined;
  if (value.includes("|")) return addressThenPort(value);
  for (const spelling of portSpellings) {
    const [, host, number] = spelling.exec(value) ?? [];
    if (host !== undefined) return addressThenPort(`${host}|${number}`);
  }
  return undefined;
}

/** RFC 1035 lengths, letters, digits, `-` and `_`, two labels or more; other scripts become punycode (RFC 3492). */
export function domain(value: string): Parts | undefined {
  if (value.length > longestHost) return undefined;
  const bare = value.replace(/^\.+|\.+$/g, "");
  const ascii = /^[\x21-\x7e]+$/.test(bare) ? bare.toLowerCase() : /[\s\p{Cc}!-,/:-@[-^`{-~]/u.test(bare) ? "" : domainToASCII(bare);
  return ascii.length <= 253 && domainForm.test(ascii) && isIP(ascii) === 0 ? { 1: ascii } : undefined;
}
const domainForm = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)+$/;

const domainThenPort = pair(domain, port);

export function domainAndPort(value: string): Parts | undefined {
  return domainThenPort(value.replace(":", "|"));
}

export const email: Read = lower(/^[^\s@\p{Cc}]+@[^\s@\p{Cc}]+$/u);

/** 48 or 64 bits, lower case with colons. */
export function mac(digits: 12 | 16): Read {
  return (value) => {
    const bare = value.replace(/[:. -]/g, "").toLowerCase();
    return bare.length === digits && /^[0-9a-f]+$/.test(bare) ? { 1: (bare.match(/../g) ?? []).join(":") } : undefined;
  };
}

/** `64500`, `AS64500`, or asdot `1.10` (RFC 5396). */
export function autonomousSystem(value: string): Parts | undefined {
  const [, high, low] = /^(?:AS\s*)?(?:(\d{1,5})\.)?(\d{1,10})$/i.exec(value) ?? [];
  if (low === undefined) return undefined;
  if (high !== undefined && (Number(high) > 65_535 || Number(low) > 65_535)) return undefined;
  const number = Number(high ?? 0) * 65_536 + Number(low);
  return number <= 4_294_967_295 ? { 1: number } : undefined;
}
