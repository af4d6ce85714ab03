import { isIP, SocketAddress } from "node:net";
import { domainToASCII } from "node:url";

/** One comparison of a pattern: an object path of STIX 2.1 (§6) and what it equals. */
export interface Observable {
  readonly path: string;
  readonly value: string | number;
}

/** Reads a value in every spelling MISP ever stored. `undefined` if it is none of its type. */
type Read = (value: string) => readonly Observable[] | undefined;

/**
 * What a MISP attribute asks to look for, in point form: one observable, or two that must both be seen. Values are
 * normalised as MISP does on input, since old rows were not (app/Lib/Tools/AttributeValidationTool.php).
 * `"type"`: no mapping for this type. `"value"`: the value is none of its type.
 */
export function observablesOf(type: string, value: string): readonly Observable[] | "type" | "value" {
  const read = readers.get(type);
  return read === undefined ? "type" : (read(value.trim()) ?? "value");
}

/** Types with a mapping, sorted. */
export function mappedTypes(): readonly string[] {
  return [...readers.keys()].sort();
}

const httpUserAgent = "network-traffic:extensions.'http-request-ext'.request_header.'User-Agent'";

/** Hash types of MISP: key of STIX hashes, digits if it is plain hexadecimal. Others keep their case. */
const hashes: ReadonlyMap<string, readonly [key: string, digits?: number]> = new Map<string, readonly [string, number?]>([
  ["md5", ["MD5", 32]], ["sha1", ["'SHA-1'", 40]], ["sha224", ["'SHA-224'", 56]], ["sha256", ["'SHA-256'", 64]], ["sha384", ["'SHA-384'", 96]],
  ["sha512", ["'SHA-512'", 128]], ["sha3-224", ["'SHA3-224'", 56]], ["sha3-256", ["'SHA3-256'", 64]], ["sha3-384", ["'SHA3-384'", 96]],
  ["sha3-512", ["'SHA3-512'", 128]], ["imphash", ["IMPHASH", 32]], ["pehash", ["PEHASH", 40]], ["authentihash", ["AUTHENTIHASH", 64]],
  ["ssdeep", ["SSDEEP"]], ["tlsh", ["TLSH"]], ["impfuzzy", ["IMPFUZZY"]], ["vhash", ["VHASH"]], ["cdhash", ["CDHASH"]], ["telfhash", ["TELFHASH"]],
]);

const readers: ReadonlyMap<string, Read> = new Map<string, Read>([
  ["ip-src", network], ["ip-dst", network], ["ip", network],
  ["ip-src|port", ipPort], ["ip-dst|port", ipPort],
  ["domain", domain], ["hostname", domain], ["onion-address", domain],
  ["domain|ip", pair(domain, address)],
  ["hostname|port", (value) => firstWithPort(value, /^([^|:]+)[|:](\d{1,5})$/, domain)],
  ["url", single("url:value", /^\P{Cc}+$/u)],
  ["uri", single("url:value", /^[A-Za-z][A-Za-z0-9+.-]*:\/\/\P{Cc}+$/u)],
  ["email", email], ["email-src", email], ["email-dst", email], ["eppn", email], ["target-email", email],
  ["mac-address", mac(12)], ["mac-eui-64", mac(16)],
  ["AS", autonomousSystem],
  ["user-agent", single(httpUserAgent)],
  ["x509-fingerprint-md5", hexadecimal("x509-certificate:hashes.MD5", 32)],
  ["x509-fingerprint-sha1", hexadecimal("x509-certificate:hashes.'SHA-1'", 40)],
  ["x509-fingerprint-sha256", hexadecimal("x509-certificate:hashes.'SHA-256'", 64)],
  ["filename", single("file:name")], ["attachment", single("file:name")], ["email-attachment", single("file:name")],
  ["malware-sample", secondOf(hash("md5"))],
  ...[...hashes.keys()].flatMap((type): [string, Read][] => [[type, hash(type)], [`filename|${type}`, secondOf(hash(type))]]),
]);

function single(path: string, form: RegExp = /./s): Read {
  return (value) => (form.test(value) ? [{ path, value }] : undefined);
}

/** Both halves of a composite value: MISP writes exactly one `|`. */
function halves(value: string): readonly [string, string] | undefined {
  const [first = "", second = "", ...more] = value.split("|");
  return first !== "" && second !== "" && more.length === 0 ? [first.trim(), second.trim()] : undefined;
}

function pair(readFirst: Read, readSecond: Read): Read {
  return (value) => {
    const parts = halves(value);
    const first = parts && readFirst(parts[0]);
    const second = parts && readSecond(parts[1]);
    return first && second && [...first, ...second];
  };
}

/** A hash is the stronger half of a file's name and hash. */
function secondOf(read: Read): Read {
  return (value) => {
    const parts = halves(value);
    return parts && read(parts[1]);
  };
}

/** An address without prefix length. */
function address(value: string): readonly Observable[] | undefined {
  const family = isIP(value);
  if (family === 4) return [{ path: "ipv4-addr:value", value }];
  if (family === 0 || value.includes("%")) return undefined;
  return [{ path: "ipv6-addr:value", value: new SocketAddress({ address: value, family: "ipv6" }).address }];
}

/** An address or a CIDR block, which stays one. */
function network(value: string): readonly Observable[] | undefined {
  const slash = value.indexOf("/");
  if (slash < 0) return address(value);
  const base = address(value.slice(0, slash))?.[0];
  const length = value.slice(slash + 1);
  if (base === undefined || !/^(?:0|[1-9]\d{0,2})$/.test(length)) return undefined;
  if (Number(length) > (base.path === "ipv4-addr:value" ? 32 : 128)) return undefined;
  return [{ path: base.path, value: `${base.value}/${length}` }];
}

/** `ip|port`, and what MISP turns into it: `192.0.2.1:80`, `[2001:db8::1]:80`, `2001:db8::1#80`, `…p80`, `….80`, `… port 80`. */
function ipPort(value: string): readonly Observable[] | undefined {
  return (
    firstWithPort(value, /^([^|]+)\|(\d{1,5})$/, address) ??
    firstWithPort(value, /^([\d.]+):(\d{1,5})$/, address) ??
    firstWithPort(value, /^\[([\da-f:.]+)\]:(\d{1,5})$/i, address) ??
    firstWithPort(value, /^([\da-f:]+)(?:[#p.]| port )(\d{1,5})$/i, address)
  );
}

/** Point form leaves the port out, but it must be one. */
function firstWithPort(value: string, form: RegExp, read: Read): readonly Observable[] | undefined {
  const [, first, port] = form.exec(value) ?? [];
  return first !== undefined && Number(port) <= 65_535 ? read(first) : undefined;
}

/** RFC 1035 lengths, letters, digits, `-` and `_`, two labels or more; other scripts become punycode (RFC 3492). */
function domain(value: string): readonly Observable[] | undefined {
  const rooted = value.endsWith(".") ? value.slice(0, -1) : value;
  const ascii = /^[\x21-\x7e]+$/.test(rooted) ? rooted.toLowerCase() : /[\s\p{Cc}!-,/:-@[-^`{-~]/u.test(rooted) ? "" : domainToASCII(rooted);
  const labels = ascii.split(".");
  if (ascii.length > 253 || labels.length < 2 || isIP(ascii) !== 0) return undefined;
  if (!labels.every((label) => /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/.test(label))) return undefined;
  return [{ path: "domain-name:value", value: ascii }];
}

function email(value: string): readonly Observable[] | undefined {
  return /^[^\s@\p{Cc}]+@[^\s@\p{Cc}]+$/u.test(value) ? [{ path: "email-addr:value", value: value.toLowerCase() }] : undefined;
}

/** 48 or 64 bits, lower case with colons. */
function mac(digits: 12 | 16): Read {
  return (value) => {
    const bare = value.replace(/[:.-]/g, "").toLowerCase();
    if (bare.length !== digits || !/^[0-9a-f]+$/.test(bare)) return undefined;
    return [{ path: "mac-addr:value", value: (bare.match(/../g) ?? []).join(":") }];
  };
}

/** `64500`, `AS64500`, or asdot `1.10` (RFC 5396). */
function autonomousSystem(value: string): readonly Observable[] | undefined {
  const [, high, low] = /^(?:AS\s*)?(?:(\d{1,5})\.)?(\d{1,10})$/i.exec(value) ?? [];
  if (low === undefined) return undefined;
  if (high !== undefined && (Number(high) > 65_535 || Number(low) > 65_535)) return undefined;
  const number = Number(high ?? 0) * 65_536 + Number(low);
  return number <= 4_294_967_295 ? [{ path: "autonomous-system:number", value: number }] : undefined;
}

function hexadecimal(path: string, digits: number): Read {
  return (value) => {
    const bare = value.replaceAll(":", "").toLowerCase();
    return bare.length === digits && /^[0-9a-f]+$/.test(bare) ? [{ path, value: bare }] : undefined;
  };
}

function hash(type: string): Read {
  const [key, digits] = hashes.get(type) ?? [type];
  const path = `file:hashes.${key}`;
  return digits === undefined ? single(path, /^[^\s\p{Cc}]+$/u) : hexadecimal(path, digits);
}
