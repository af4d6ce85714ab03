/** What indicators look for, as engines search it: one kind and one spelling per thing. */
import { isThreatbusError, pointIndicators } from "@threatbus/core";
import type { PointIndicator } from "@threatbus/core";
import { domainToASCII } from "node:url";
import { parseAddress, parseBlock, printAddress, printBlock } from "./address.ts";
import { breadthOf } from "./breadth.ts";

/**
 * | kind | value |
 * |---|---|
 * | `ip` | an address: `192.0.2.1`, `2001:db8::1` (RFC 5952); IPv4-mapped ones as IPv4 |
 * | `cidr` | a block: `192.0.2.0/24`, `2001:db8::/32`, bits behind the prefix zero; a block of one address is an `ip` |
 * | `domain` | two labels or more, lower case, punycode, no dot at the end |
 * | `url` | scheme and host in lower case, no fragment, else as written; the scheme may be missing (`evil.example/a`) |
 * | `email` | lower case, no display name |
 * | `md5`, `sha1`, `sha256`, `sha512` | of a file: lower-case hexadecimal |
 * | `certificate` | fingerprint of an X.509 certificate: MD5, SHA-1 or SHA-256 by its length, lower-case hexadecimal without colons |
 * | `ja3`, `ja3s` | TLS fingerprints: 32 lower-case hexadecimal digits |
 * | `ja4` | TLS client fingerprint: `t13d1516h2_8daaf6152771_b186095e22b6` |
 */
export const observableKinds = ["ip", "cidr", "domain", "url", "email", "md5", "sha1", "sha256", "sha512", "certificate", "ja3", "ja3s", "ja4"] as const;
export type ObservableKind = (typeof observableKinds)[number];

export interface Observable {
  readonly kind: ObservableKind;
  readonly value: string;
}

/** Why an indicator, or a part of one, is not matched. */
export type SkipReason =
  /** No list of plain values: AND, NOT, FOLLOWEDBY, LIKE … */
  | "pattern"
  /** Values of paths that no event is searched for. */
  | "type"
  /** Values that are none of their type. */
  | "value"
  /** Values that would match far too much: `0.0.0.0/0`, a top-level domain, the hash of the empty file … */
  | "broad";

export interface Skipped {
  readonly reason: SkipReason;
  /** In words, with nothing from outside unescaped. */
  readonly text: string;
}

export interface Observables {
  /** Each once, in the order of the pattern. */
  readonly observables: readonly Observable[];
  readonly skipped: readonly Skipped[];
}

/** UTF-16 units of a value. */
const maxLength = 4_096;
/** Values of one pattern; those behind are skipped. */
const maxValues = 10_000;

/** One text per observable: a key for maps, and back again by {@link observableOfKey}. */
export function keyOf({ kind, value }: Observable): string {
  return `${kind}:${value}`;
}

export function observableOfKey(key: string): Observable {
  const colon = key.indexOf(":");
  return { kind: key.slice(0, colon) as ObservableKind, value: key.slice(colon + 1) };
}

/** What a STIX pattern looks for. Never throws: what cannot be searched is told. */
export function observablesOf(pattern: string): Observables {
  let points: readonly PointIndicator[] | undefined;
  try {
    points = pointIndicators(pattern);
  } catch (thrown) {
    if (!isThreatbusError(thrown, "PATTERN_INVALID")) throw thrown;
    return { observables: [], skipped: [{ reason: "pattern", text: "the pattern does not parse" }] };
  }
  if (points === undefined) return { observables: [], skipped: [{ reason: "pattern", text: "the pattern asks for more than single values" }] };
  const found = new Map<string, Observable>();
  const skipped: Skipped[] = [];
  for (const point of points.slice(0, maxValues)) {
    const one = observableAt(point.path, point.value);
    if ("reason" in one) skipped.push(one);
    else found.set(keyOf(one), one);
  }
  if (points.length > maxValues) skipped.push({ reason: "pattern", text: `the pattern has more than ${maxValues} values` });
  return { observables: [...found.values()], skipped };
}

/** Reads the value of a STIX object path, e.g. `ipv4-addr:value`. */
export function observableAt(path: string, given: string): Observable | Skipped {
  const kind = kindOf(path);
  if (kind === undefined) return { reason: "type", text: `nothing is searched for ${JSON.stringify(path.slice(0, 100))}` };
  const text = given.trim();
  const observable = text.length > maxLength || /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/.test(text) ? undefined : readers[kind](text);
  if (observable === undefined) return { reason: "value", text: `the value of ${path} is none of its type` };
  const breadth = breadthOf(observable);
  return breadth === undefined ? observable : { reason: "broad", text: `the value of ${path} ${breadth}` };
}

/** What a bare value is, by its form: for people, and for tools that give back values without their kind. 32 hexadecimal digits are an MD5. */
export function observableOf(text: string): Observable | undefined {
  for (const kind of ["ip", "md5", "sha1", "sha256", "sha512", "email", "domain", "url"] as const) {
    const one = readers[kind](text);
    if (one !== undefined) return one;
  }
  return undefined;
}

const kinds: ReadonlyMap<string, ObservableKind> = new Map<string, ObservableKind>([
  ["ipv4-addr:value", "ip"], ["ipv6-addr:value", "ip"], ["domain-name:value", "domain"], ["url:value", "url"], ["email-addr:value", "email"],
]);
const hashPath = /^(file|artifact|x509-certificate):hashes\.'?([A-Za-z0-9-]{1,20})'?$/;
/** STIX has no path for these: whatever object they stand in, by their name. */
const fingerprintName = /[:.'_-](ja3s?|ja4)(?:[_-](?:hash|fingerprint|md5))*'?(?::value)?$/i;

function kindOf(path: string): ObservableKind | undefined {
  const kind = kinds.get(path);
  if (kind !== undefined) return kind;
  const [, object, name = ""] = hashPath.exec(path) ?? [];
  const algorithm = name.toLowerCase().replaceAll("-", "");
  if (object === "x509-certificate" && Object.hasOwn(digits, algorithm) && algorithm !== "sha512") return "certificate";
  if (object !== undefined && Object.hasOwn(digits, algorithm)) return algorithm as keyof typeof digits;
  return fingerprintName.exec(path)?.[1]?.toLowerCase() as "ja3" | "ja3s" | "ja4" | undefined;
}

/** Hexadecimal digits. */
const digits = { md5: 32, sha1: 40, sha256: 64, sha512: 128 } as const;

const readers: Readonly<Record<ObservableKind, (text: string) => Observable | undefined>> = {
  ip: network,
  cidr: network,
  domain: as("domain", readDomain),
  url: as("url", readUrl),
  email: as("email", readEmail),
  md5: as("md5", hexadecimal(32)),
  sha1: as("sha1", hexadecimal(40)),
  sha256: as("sha256", hexadecimal(64)),
  sha512: as("sha512", hexadecimal(128)),
  certificate: as("certificate", (text) => hexadecimal(32, 40, 64)(text.replaceAll(":", ""))),
  ja3: as("ja3", hexadecimal(32)),
  ja3s: as("ja3s", hexadecimal(32)),
  ja4: as("ja4", (text) => (/^[tqd](?:\d\d|[sd]\d)[di]\d{4}[a-z0-9]{2}_[0-9a-f]{12}_[0-9a-f]{12}$/.test(text.toLowerCase()) ? text.toLowerCase() : undefined)),
};

function as(kind: ObservableKind, read: (text: string) => string | undefined): (text: string) => Observable | undefined {
  return (text) => {
    const value = read(text);
    return value === undefined ? undefined : { kind, value };
  };
}

function network(text: string): Observable | undefined {
  const address = parseAddress(text);
  if (address !== undefined) return { kind: "ip", value: printAddress(address) };
  const block = parseBlock(text);
  if (block === undefined) return undefined;
  const single = block.prefix === (block.family === 4 ? 32 : 128);
  return single ? { kind: "ip", value: printAddress(block) } : { kind: "cidr", value: printBlock(block) };
}

/** RFC 1035 lengths; letters, digits, `-` and `_`; other scripts become punycode (RFC 3492). */
const nameForm = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)*$/;

/** A host name as DNS carries it; undefined if the text is none, or an address. For events as well. */
export function readDomain(text: string): string | undefined {
  const name = (text.endsWith(".") ? text.slice(0, -1) : text).toLowerCase();
  const ascii = /^[\x21-\x7e]+$/.test(name) ? name : domainToASCII(name);
  return ascii.length <= 253 && nameForm.test(ascii) && !/(?:^|\.)[0-9]+$/.test(ascii) ? ascii : undefined;
}

export interface UrlParts {
  /** Lower case; absent if it was not written. */
  readonly scheme?: string;
  /** A name or an address, in its one spelling, IPv6 without brackets. */
  readonly host: string;
  /** Absent if it was not written, or is the scheme's own. */
  readonly port?: number;
  /** Path and query as written; `/` if there is none. */
  readonly target: string;
}

const urlForm = /^(?:([a-z][a-z0-9+.-]{0,30}):\/\/)?(?:[^\s/?#@]*@)?(\[[0-9a-f:.]+\]|[^\s/?#@:[\]]+)(?::(\d{1,5}))?([/?][^\s#]*)?(?:#\S*)?$/i;
const ownPorts: Readonly<Record<string, number>> = { http: 80, https: 443, ftp: 21 };

/** A URL taken apart, for events too; user names are left out. Undefined if it is none, or a bare host name. */
export function urlParts(text: string): UrlParts | undefined {
  const [, givenScheme, givenHost = "", givenPort, path = ""] = urlForm.exec(text) ?? [];
  if (givenScheme === undefined && (path === "" || path === "/")) return undefined;
  const address = parseAddress(givenHost.replace(/^\[|\]$/g, ""));
  const host = address === undefined ? readDomain(givenHost) : printAddress(address);
  if (host === undefined || Number(givenPort ?? 0) > 65_535) return undefined;
  const scheme = givenScheme?.toLowerCase();
  const port = givenPort === undefined || Number(givenPort) === ownPorts[scheme ?? ""] ? undefined : Number(givenPort);
  return { ...(scheme !== undefined && { scheme }), host, ...(port !== undefined && { port }), target: path.startsWith("/") ? path : `/${path}` };
}

function readUrl(text: string): string | undefined {
  const parts = urlParts(text);
  // `10.0.0.0/8` is no URL, whoever says so.
  if (parts === undefined || parseBlock(text) !== undefined) return undefined;
  const { scheme, host, port, target } = parts;
  return `${scheme === undefined ? "" : `${scheme}://`}${host.includes(":") ? `[${host}]` : host}${port === undefined ? "" : `:${port}`}${target}`;
}

/** RFC 5321 lengths; no display name, no quoted local part, none that would read as an option of a program. */
function readEmail(text: string): string | undefined {
  const [, local, host = ""] = /^((?!-)[^\s@<>"(),:;\\[\]]{1,64})@([^\s@]{1,253})$/.exec(text) ?? [];
  const domain = readDomain(host);
  return local === undefined || domain === undefined ? undefined : `${local.toLowerCase()}@${domain}`;
}

function hexadecimal(...lengths: readonly number[]): (text: string) => string | undefined {
  return (text) => (lengths.includes(text.length) && /^[0-9a-f]+$/i.test(text) ? text.toLowerCase() : undefined);
}
