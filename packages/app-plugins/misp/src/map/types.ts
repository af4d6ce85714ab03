import { address, addressAndPort, autonomousSystem, domain, domainAndPort, email, hexadecimal, lower, mac, network, pair, text, upper, whole } from "./values.ts";
import type { Read } from "./values.ts";

/** How attributes of one type become a pattern. `{1}` and `{2}` stand for the halves of the value, `{family}` for `ipv4-addr` or `ipv6-addr`. */
export interface Mapping {
  readonly type: string;
  readonly read: Read;
  /** What is looked for, as observables that are indicators by themselves. Absent: nothing that makes sense alone. */
  readonly point?: string;
  /** What the type means, in the form of misp-stix. */
  readonly exact: string;
  /** Each half as an indicator of its own, where both are one. */
  readonly split?: readonly [string, string];
}

/** Rules in languages of their own: MISP type and STIX `pattern_type` (STIX 2.1 §10.12) have the same name. */
export const ruleTypes = ["sigma", "snort", "suricata", "yara"] as const;
export type RuleType = (typeof ruleTypes)[number];

const line = /^\P{Cc}+$/u;
const word = /^[^\s\p{Cc}]+$/u;
const fuzzy = text(/^\d+:[0-9A-Za-z/+]*:[0-9A-Za-z/+]*$/);
const httpRequest = "network-traffic:extensions.'http-request-ext'";
const mail = "email-message";
const key = "windows-registry-key";

/** MISP type, key among the hashes of STIX, reader. */
const hashes: readonly (readonly [type: string, key: string, read: Read])[] = [
  ["md5", "MD5", hexadecimal(32)], ["sha1", "'SHA-1'", hexadecimal(40)], ["sha224", "'SHA-224'", hexadecimal(56)], ["sha256", "'SHA-256'", hexadecimal(64)],
  ["sha384", "'SHA-384'", hexadecimal(96)], ["sha512", "'SHA-512'", hexadecimal(128)],
  ["sha3-224", "'SHA3-224'", hexadecimal(56)], ["sha3-256", "'SHA3-256'", hexadecimal(64)], ["sha3-384", "'SHA3-384'", hexadecimal(96)], ["sha3-512", "'SHA3-512'", hexadecimal(128)],
  ["imphash", "IMPHASH", hexadecimal(32)], ["pehash", "PEHASH", hexadecimal(40)], ["authentihash", "AUTHENTIHASH", hexadecimal(64)],
  ["cdhash", "CDHASH", lower(/^[0-9a-f]{40,}$/)], ["telfhash", "TELFHASH", lower(/^(?:t1)?[0-9a-f]{70}$/)], ["tlsh", "TLSH", lower(/^t?[0-9a-f]{36,}$/)], ["vhash", "VHASH", lower(word)],
  ["ssdeep", "SSDEEP", fuzzy], ["impfuzzy", "IMPFUZZY", fuzzy],
];
/** Other algorithms than SHA-224 and SHA-256 with digests of the same length. STIX has no name for them, so that no point form would be understood. */
const truncated: typeof hashes = [["sha512/224", "'SHA-512/224'", hexadecimal(56)], ["sha512/256", "'SHA-512/256'", hexadecimal(64)]];
/** Those that have a type with a file's name as well. */
const named: ReadonlySet<string> = new Set([...hashes, ...truncated].map(([type]) => type).filter((type) => type !== "cdhash" && type !== "telfhash"));

const table: readonly Mapping[] = [
  ...["ip-src", "ip-dst"].map((type): Mapping => {
    const end = `network-traffic:${type.slice(3)}_ref`;
    return { type, read: network, point: "[{family}:value = {1}]", exact: `[${end}.type = '{family}' AND ${end}.value = {1}]` };
  }),
  ...["ip-src|port", "ip-dst|port"].map((type): Mapping => {
    const end = `network-traffic:${type.slice(3, 6)}`;
    return {
      type, read: addressAndPort, point: "[{family}:value = {1}]",
      exact: `[${end}_ref.type = '{family}' AND ${end}_ref.value = {1} AND ${end}_port = {2}]`,
    };
  }),
  both("ip", network, "[{family}:value = {1}]"),
  both("domain", domain, "[domain-name:value = {1}]"),
  both("hostname", domain, "[domain-name:value = {1}]"),
  both("onion-address", domain, "[domain-name:value = {1}]"),
  {
    type: "domain|ip", read: pair(domain, address), point: "[domain-name:value = {1}] AND [{family}:value = {2}]",
    exact: "[domain-name:value = {1} AND domain-name:resolves_to_refs[*].value = {2}]",
    split: ["[domain-name:value = {1}]", "[{family}:value = {2}]"],
  },
  {
    type: "hostname|port", read: domainAndPort, point: "[domain-name:value = {1}]",
    exact: "[network-traffic:dst_ref.value = {1} AND network-traffic:dst_port = {2}]",
  },
  { type: "port", read: whole(1, 65_535), exact: "[network-traffic:dst_port = {1}]" },
  both("url", text(line), "[url:value = {1}]"),
  { type: "link", read: text(line), exact: "[url:value = {1}]" },
  // A relative one, which is what follows the host, has a form of its own below.
  both("uri", text(/^[A-Za-z][A-Za-z0-9+.-]*:\/\/\P{Cc}+$/u), "[url:value = {1}]"),
  { type: "http-method", read: upper, exact: `[${httpRequest}.request_method = {1}]` },
  both("user-agent", text(), `[${httpRequest}.request_header.'User-Agent' = {1}]`),
  both("mac-address", mac(12), "[mac-addr:value = {1}]"),
  both("mac-eui-64", mac(16), "[mac-addr:value = {1}]"),
  both("AS", autonomousSystem, "[autonomous-system:number = {1}]"),

  ...["email", "eppn", "target-email"].map((type) => both(type, email, "[email-addr:value = {1}]")),
  { type: "email-src", read: email, point: "[email-addr:value = {1}]", exact: `[${mail}:from_ref.value = {1}]` },
  { type: "email-dst", read: email, point: "[email-addr:value = {1}]", exact: `[${mail}:to_refs[*].value = {1}]` },
  { type: "email-attachment", read: text(), point: "[file:name = {1}]", exact: `[${mail}:body_multipart[*].body_raw_ref.name = {1}]` },
  both("email-body", text(), `[${mail}:body = {1}]`),
  both("email-header", text(), `[${mail}:received_lines[*] = {1}]`),
  both("email-message-id", text(), `[${mail}:message_id = {1}]`),
  both("email-reply-to", text(), `[${mail}:additional_header_fields.'Reply-To' = {1}]`),
  both("email-subject", text(), `[${mail}:subject = {1}]`),
  both("email-x-mailer", text(), `[${mail}:additional_header_fields.'X-Mailer' = {1}]`),

  both("filename", text(), "[file:name = {1}]"),
  both("attachment", text(), "[file:name = {1}]"),
  { type: "size-in-bytes", read: whole(0), exact: "[file:size = {1}]" },
  { type: "malware-sample", read: pair(text(), hexadecimal(32)), point: "[file:hashes.MD5 = {2}]", exact: "[file:name = {1} AND file:hashes.MD5 = {2}]" },
  ...hashes.flatMap(([type, name, read]) => withName(both(type, read, `[file:hashes.${name} = {1}]`), name)),
  ...truncated.flatMap(([type, name, read]) => withName({ type, read, exact: `[file:hashes.${name} = {1}]` }, name)),
  ...[["md5", "MD5", 32], ["sha1", "'SHA-1'", 40], ["sha256", "'SHA-256'", 64]].map(([type, name, digits]) =>
    both(`x509-fingerprint-${type}`, hexadecimal(Number(digits)), `[x509-certificate:hashes.${name} = {1}]`)),

  both("mutex", text(), "[mutex:name = {1}]"),
  both("regkey", text(), `[${key}:key = {1}]`),
  both("regkey|value", pair(text(), text()), `[${key}:key = {1} AND ${key}:values[*].data = {2}]`),
  both("github-username", text(), "[user-account:account_type = 'github' AND user-account:account_login = {1}]"),
];

/** A `uri` that is no URL but a path. */
const path: Mapping = both("uri", text(/^\/\P{Cc}*$/u), `[${httpRequest}.request_value = {1}]`);

/** By MISP type. */
export const mappings: ReadonlyMap<string, Mapping> = new Map(table.map((mapping) => [mapping.type, mapping]));

export function mappingOf(type: string, value: string): Mapping | undefined {
  return type === "uri" && value.startsWith("/") ? path : mappings.get(type);
}

/** Types with a mapping in a profile, sorted; `stix2-pattern`, which holds a pattern already, among them. */
export function mappedTypes(profile: "point" | "misp-stix" = "point"): readonly string[] {
  const patterns = table.filter(({ point }) => profile === "misp-stix" || point !== undefined).map(({ type }) => type);
  return [...patterns, ...ruleTypes, "stix2-pattern"].sort();
}

function both(type: string, read: Read, pattern: string): Mapping {
  return { type, read, point: pattern, exact: pattern };
}

/** A hash, and if MISP has it, the type that says the file's name too. The hash is the stronger half. */
function withName(mapping: Mapping, name: string): readonly Mapping[] {
  if (!named.has(mapping.type)) return [mapping];
  return [mapping, {
    type: `filename|${mapping.type}`, read: pair(text(), mapping.read), exact: `[file:name = {1} AND file:hashes.${name} = {2}]`,
    ...(mapping.point !== undefined && { point: `[file:hashes.${name} = {2}]` }),
  }];
}
