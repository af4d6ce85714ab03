import { message, parsePattern, pointIndicators } from "@threatbus/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { indicatorsOf } from "../src/map/indicator.ts";
import type { MappingOptions } from "../src/map/options.ts";
import { isMapped } from "../src/map/pattern.ts";
import { mappedTypes, mappings, ruleTypes } from "../src/map/types.ts";
import { exact, given, point, scaled } from "./sample.ts";

const hex = (digits: number): string => "0123456789abcdef".repeat(8).slice(0, digits);
const request = "network-traffic:extensions.'http-request-ext'";

/** type, value in MISP, pattern in point form (`none`: not mapped there), pattern in misp-stix's form if it is another */
type Row = readonly [type: string, value: string, point: string, exact?: string];
const none = "type";

const ends = (["src", "dst"] as const).flatMap((end): Row[] => {
  const [source, port] = [`network-traffic:${end}_ref`, `network-traffic:${end}_port`];
  const flow = (family: string, value: string): string => `[${source}.type = '${family}-addr' AND ${source}.value = '${value}']`;
  const flowPort = (family: string, value: string, number: number): string => `[${source}.type = '${family}-addr' AND ${source}.value = '${value}' AND ${port} = ${number}]`;
  const four = "[ipv4-addr:value = '198.51.100.7']", six = "[ipv6-addr:value = '2001:db8::7']";
  return [
    [`ip-${end}`, " 198.51.100.7 ", four, flow("ipv4", "198.51.100.7")],
    [`ip-${end}`, "203.0.113.0/24", "[ipv4-addr:value = '203.0.113.0/24']", flow("ipv4", "203.0.113.0/24")],
    [`ip-${end}`, "198.51.100.7/32", four, flow("ipv4", "198.51.100.7")],
    [`ip-${end}`, "0.0.0.0/0", "[ipv4-addr:value = '0.0.0.0/0']", flow("ipv4", "0.0.0.0/0")],
    [`ip-${end}`, "2001:DB8:0:0::7", six, flow("ipv6", "2001:db8::7")],
    [`ip-${end}`, "2001:db8::/32", "[ipv6-addr:value = '2001:db8::/32']", flow("ipv6", "2001:db8::/32")],
    [`ip-${end}`, "2001:db8::7/128", six, flow("ipv6", "2001:db8::7")],
    [`ip-${end}|port`, "198.51.100.7|443", four, flowPort("ipv4", "198.51.100.7", 443)],
    [`ip-${end}|port`, "198.51.100.7:443", four, flowPort("ipv4", "198.51.100.7", 443)],
    ...["2001:db8::7|443", "[2001:DB8::7]:443", "2001:db8::7.443", "2001:db8::7 port 443", "2001:db8::7p443", "2001:db8::7#443", "2001:db8:0:0:0:0:0:7:443"].map(
      (value): Row => [`ip-${end}|port`, value, six, flowPort("ipv6", "2001:db8::7", 443)]),
  ];
});

const plainHashes: readonly (readonly [string, string, number])[] = [
  ["md5", "MD5", 32], ["sha1", "'SHA-1'", 40], ["sha224", "'SHA-224'", 56], ["sha256", "'SHA-256'", 64], ["sha384", "'SHA-384'", 96], ["sha512", "'SHA-512'", 128],
  ["sha3-224", "'SHA3-224'", 56], ["sha3-256", "'SHA3-256'", 64], ["sha3-384", "'SHA3-384'", 96], ["sha3-512", "'SHA3-512'", 128],
  ["imphash", "IMPHASH", 32], ["pehash", "PEHASH", 40], ["authentihash", "AUTHENTIHASH", 64],
];
/** type, key in STIX, value in MISP today, how an old row may have it */
const otherHashes: readonly (readonly [string, string, string, string])[] = [
  ["ssdeep", "SSDEEP", "96:AbC/d+E:fGh", "96:AbC/d+E:fGh"], ["impfuzzy", "IMPFUZZY", "24:AbC/d+E:fGh", "24:AbC/d+E:fGh"],
  ["tlsh", "TLSH", `t1${hex(70)}`, `T1${hex(70).toUpperCase()}`], ["vhash", "VHASH", "0150766d1z93z", "0150766D1Z93Z"],
];
const bareHashes: readonly (readonly [string, string, string, string])[] = [
  ["telfhash", "TELFHASH", `t1${hex(70)}`, `T1${hex(70).toUpperCase()}`], ["cdhash", "CDHASH", hex(40), hex(40).toUpperCase()],
];
const hashes: readonly Row[] = [
  ...[...plainHashes.map(([type, key, digits]) => [type, key, hex(digits), hex(digits).toUpperCase()] as const), ...otherHashes].flatMap(([type, key, value, old]): Row[] => [
    [type, old, `[file:hashes.${key} = '${value}']`],
    [`filename|${type}`, `a'b.exe|${old}`, `[file:hashes.${key} = '${value}']`, `[file:name = 'a\\'b.exe' AND file:hashes.${key} = '${value}']`],
  ]),
  ...bareHashes.map(([type, key, value, old]): Row => [type, old, `[file:hashes.${key} = '${value}']`]),
  ...([["sha512/224", 56], ["sha512/256", 64]] as const).flatMap(([type, digits]): Row[] => [
    [type, hex(digits).toUpperCase(), none, `[file:hashes.'${type.toUpperCase().replace("SHA", "SHA-")}' = '${hex(digits)}']`],
    [`filename|${type}`, `a|${hex(digits)}`, none, `[file:name = 'a' AND file:hashes.'${type.toUpperCase().replace("SHA", "SHA-")}' = '${hex(digits)}']`],
  ]),
  ["malware-sample", `a.exe|${hex(32).toUpperCase()}`, `[file:hashes.MD5 = '${hex(32)}']`, `[file:name = 'a.exe' AND file:hashes.MD5 = '${hex(32)}']`],
  ["x509-fingerprint-md5", hex(32).toUpperCase(), `[x509-certificate:hashes.MD5 = '${hex(32)}']`],
  ["x509-fingerprint-sha1", hex(40).replace(/../g, "$&:").slice(0, -1), `[x509-certificate:hashes.'SHA-1' = '${hex(40)}']`],
  ["x509-fingerprint-sha256", hex(64), `[x509-certificate:hashes.'SHA-256' = '${hex(64)}']`],
];

const table: readonly Row[] = [
  ...ends,
  ["ip", "203.0.113.0/24", "[ipv4-addr:value = '203.0.113.0/24']"],
  ["domain", "EVIL.example", "[domain-name:value = 'evil.example']"],
  ["domain", ".evil.example.", "[domain-name:value = 'evil.example']"],
  ["domain", "bücher.example", "[domain-name:value = 'xn--bcher-kva.example']"],
  ["hostname", "_dmarc.Evil.example", "[domain-name:value = '_dmarc.evil.example']"],
  ["onion-address", "Abcdefghij234567.onion", "[domain-name:value = 'abcdefghij234567.onion']"],
  ["domain|ip", "Evil.example|198.51.100.7", "[domain-name:value = 'evil.example'] AND [ipv4-addr:value = '198.51.100.7']",
    "[domain-name:value = 'evil.example' AND domain-name:resolves_to_refs[*].value = '198.51.100.7']"],
  ["domain|ip", "evil.example|2001:DB8::1", "[domain-name:value = 'evil.example'] AND [ipv6-addr:value = '2001:db8::1']",
    "[domain-name:value = 'evil.example' AND domain-name:resolves_to_refs[*].value = '2001:db8::1']"],
  ["hostname|port", "www.evil.example|8080", "[domain-name:value = 'www.evil.example']", "[network-traffic:dst_ref.value = 'www.evil.example' AND network-traffic:dst_port = 8080]"],
  ["hostname|port", "WWW.evil.example:8080", "[domain-name:value = 'www.evil.example']", "[network-traffic:dst_ref.value = 'www.evil.example' AND network-traffic:dst_port = 8080]"],
  ["port", "443", none, "[network-traffic:dst_port = 443]"],
  ["url", "http://evil.example/a?b='c'", "[url:value = 'http://evil.example/a?b=\\'c\\'']"],
  ["url", "evil.example/back\\slash", "[url:value = 'evil.example/back\\\\slash']"],
  ["link", "https://blog.example/report", none, "[url:value = 'https://blog.example/report']"],
  ["uri", "ftp://evil.example/x", "[url:value = 'ftp://evil.example/x']"],
  ["uri", "/gate.php?id=1", `[${request}.request_value = '/gate.php?id=1']`],
  ["http-method", "post", none, `[${request}.request_method = 'POST']`],
  ["user-agent", "Mozilla/5.0 (it's me)", `[${request}.request_header.'User-Agent' = 'Mozilla/5.0 (it\\'s me)']`],
  ["mac-address", "00-00-5E-00-53-AF", "[mac-addr:value = '00:00:5e:00:53:af']"],
  ["mac-address", "0000.5e00.53af", "[mac-addr:value = '00:00:5e:00:53:af']"],
  ["mac-eui-64", "00:00:5E:FF:FE:00:53:AF", "[mac-addr:value = '00:00:5e:ff:fe:00:53:af']"],
  ["AS", "64500", "[autonomous-system:number = 64500]"],
  ["AS", "AS64500", "[autonomous-system:number = 64500]"],
  ["AS", "as1.10", "[autonomous-system:number = 65546]"],

  ["email", "Bad@Evil.example", "[email-addr:value = 'bad@evil.example']"],
  ["eppn", "user@evil.example", "[email-addr:value = 'user@evil.example']"],
  ["target-email", "victim@good.example", "[email-addr:value = 'victim@good.example']"],
  ["email-src", "o'brien@evil.example", "[email-addr:value = 'o\\'brien@evil.example']", "[email-message:from_ref.value = 'o\\'brien@evil.example']"],
  ["email-dst", "bad@evil.example", "[email-addr:value = 'bad@evil.example']", "[email-message:to_refs[*].value = 'bad@evil.example']"],
  ["email-attachment", "Invoice.docx", "[file:name = 'Invoice.docx']", "[email-message:body_multipart[*].body_raw_ref.name = 'Invoice.docx']"],
  ["email-body", "Dear\nSir", "[email-message:body = 'Dear\nSir']"],
  ["email-header", "from a by b", "[email-message:received_lines[*] = 'from a by b']"],
  ["email-message-id", "<1@evil.example>", "[email-message:message_id = '<1@evil.example>']"],
  ["email-reply-to", "bad@evil.example", "[email-message:additional_header_fields.'Reply-To' = 'bad@evil.example']"],
  ["email-subject", "Invoice", "[email-message:subject = 'Invoice']"],
  ["email-x-mailer", "Bat!", "[email-message:additional_header_fields.'X-Mailer' = 'Bat!']"],

  ["filename", "a'b.exe", "[file:name = 'a\\'b.exe']"],
  ["attachment", "a.docx", "[file:name = 'a.docx']"],
  ["size-in-bytes", "1024", none, "[file:size = 1024]"],
  ...hashes,

  ["mutex", "Global\\m", "[mutex:name = 'Global\\\\m']"],
  ["regkey", "HKLM\\Software\\%x%", "[windows-registry-key:key = 'HKLM\\\\Software\\\\%x%']"],
  ["regkey|value", "HKLM\\Run|%TEMP%\\a.exe", "[windows-registry-key:key = 'HKLM\\\\Run' AND windows-registry-key:values[*].data = '%TEMP%\\\\a.exe']"],
  ["github-username", "octo'cat", "[user-account:account_type = 'github' AND user-account:account_login = 'octo\\'cat']"],
  ["stix2-pattern", " [file:name = 'a'] FOLLOWEDBY [file:name = 'b'] WITHIN 5 SECONDS ", "[file:name = 'a'] FOLLOWEDBY [file:name = 'b'] WITHIN 5 SECONDS"],
];

/** The types that MISP's own converter turns into indicators (release 2026.6.30). */
const converted = `AS attachment authentihash cdhash domain domain|ip email email-attachment email-body email-dst email-header email-message-id email-reply-to email-src email-subject
  email-x-mailer filename filename|authentihash filename|impfuzzy filename|imphash filename|md5 filename|pehash filename|sha1 filename|sha224 filename|sha256 filename|sha3-224
  filename|sha3-256 filename|sha3-384 filename|sha3-512 filename|sha384 filename|sha512 filename|sha512/224 filename|sha512/256 filename|ssdeep filename|tlsh filename|vhash github-username hostname
  hostname|port http-method impfuzzy imphash ip-dst ip-dst|port ip-src ip-src|port link mac-address malware-sample md5 mutex pehash port regkey regkey|value sha1 sha224 sha256 sha3-224 sha3-256
  sha3-384 sha3-512 sha384 sha512 sha512/224 sha512/256 sigma size-in-bytes snort ssdeep suricata telfhash tlsh uri url user-agent vhash x509-fingerprint-md5 x509-fingerprint-sha1
  x509-fingerprint-sha256 yara`.split(/\s+/);

/** Values that are none of their type. */
const wrong: readonly (readonly [string, string])[] = [
  ...[...mappings.keys(), ...ruleTypes, "stix2-pattern"].map((type) => [type, " \t"] as const),
  ["ip-src", "198.51.100.256"], ["ip-src", "198.51.100.7/33"], ["ip-src", "198.51.100.7/"], ["ip-src", "198.51.100.0/024"], ["ip-src", "2001:db8::/129"], ["ip-src", "2001:db8::1/-1"],
  ["ip-src", "fe80::1%eth0"], ["ip-src", "evil.example"], ["ip-src", "198.51.100.7' OR url:value = 'x"], ["ip-dst|port", "198.51.100.7"], ["ip-dst|port", "198.51.100.7|"],
  ["ip-dst|port", "198.51.100.7|65536"], ["ip-dst|port", "198.51.100.7|0"], ["ip-dst|port", "198.51.100.7|80|90"], ["ip-dst|port", "198.51.100.0/24|80"], ["ip-dst|port", "2001:db8::7:443x"],
  ["ip-dst|port", `${"1:".repeat(50_000)}x`],
  ["domain", "localhost"], ["domain", "evil..example"], ["domain", "*.evil.example"], ["domain", "evil.example/x"], ["domain", "198.51.100.7"], ["domain", "-evil.example"],
  ["domain", `${"a".repeat(64)}.example`], ["domain", `${"a.".repeat(124)}example`], ["domain", "ev il.example"], ["domain", "bü%41.example"], ["domain", "http://bücher.example"],
  ["domain", `${".".repeat(50_000)}x`], ["domain|ip", "evil.example"], ["domain|ip", "evil.example|evil.example"], ["domain|ip", "evil.example|198.51.100.7|x"], ["domain|ip", "evil.example|198.51.100.0/24"],
  ["hostname|port", "evil.example|99999"], ["port", "0"], ["port", "443x"], ["url", "http://evil.example/\na"], ["uri", "evil.example:80/x"], ["uri", "/a\nb"], ["http-method", "GET /"],
  ["email", "evil.example"], ["email", "a@b@evil.example"], ["email", "a b@evil.example"], ["mac-address", "00:00:5e:00:53"], ["mac-address", "00:00:5e:00:53:zz"], ["mac-eui-64", "00:00:5e:00:53:af"],
  ["AS", "AS"], ["AS", "4294967296"], ["AS", "65536.1"], ["AS", "-1"], ["size-in-bytes", "-1"], ["size-in-bytes", "99999999999999999999"], ["x509-fingerprint-sha1", hex(32)],
  ["md5", hex(31)], ["md5", `${hex(31)}g`], ["filename|md5", hex(32)], ["filename|md5", `a|b|${hex(32)}`], ["filename|md5", `|${hex(32)}`], ["malware-sample", "a.exe|"], ["sha512/256", hex(56)],
  ["ssdeep", "a b"], ["impfuzzy", "abc"], ["tlsh", hex(35)], ["telfhash", hex(69)], ["cdhash", hex(39)], ["vhash", "a b"],
  ["stix2-pattern", "file:name = 'a'"], ["stix2-pattern", "[file:name = 'a'"], ["regkey|value", "HKLM\\Run"], ["filename", "a".repeat(70_000)], ["url", "'".repeat(40_000)],
];

const patternsOf = (type: string, value: string, options: MappingOptions): string => {
  const { attribute, event } = given({ type, value });
  const mapped = indicatorsOf(attribute, event, options);
  return typeof mapped === "string" ? mapped : mapped.indicators.map(({ pattern }) => pattern).join("\n");
};

describe("a MISP attribute becomes a pattern", () => {
  test.each(table.map(([type, value, asPoint, asExact = asPoint]) => [type, value, asPoint, asExact] as const))("%s %j", (type, value, asPoint, asExact) => {
    expect([patternsOf(type, value, point), patternsOf(type, value, exact)]).toStrictEqual([asPoint, asExact]);
    for (const pattern of [asPoint, asExact]) if (pattern !== none) expect(() => parsePattern(pattern)).not.toThrow();
  });

  test.each(ruleTypes)("a %s rule is its own pattern, in its own language", (type) => {
    const rule = " rule a { condition: 'true' \\ }\n";
    for (const options of [point, exact]) {
      const mapped = indicatorsOf(given({ type, value: rule }).attribute, undefined, options);
      const [indicator] = typeof mapped === "string" ? [] : mapped.indicators;
      expect(indicator).toMatchObject({ pattern: rule.trim(), pattern_type: type });
      expect(indicator?.pattern_version).toBeUndefined();
    }
  });

  test("every type of MISP's own converter has one, and every one is in this table", () => {
    const shown = new Set([...table.map(([type]) => type), ...ruleTypes]);
    expect(new Set(converted).size).toBe(81);
    expect([...converted, ...mappedTypes("misp-stix")].filter((type) => !shown.has(type))).toStrictEqual([]);
    expect([...shown].filter((type) => !mappedTypes("misp-stix").includes(type))).toStrictEqual([]);
    expect(mappedTypes("misp-stix").filter((type) => !mappedTypes().includes(type))).toStrictEqual([
      "filename|sha512/224", "filename|sha512/256", "http-method", "link", "port", "sha512/224", "sha512/256", "size-in-bytes",
    ]);
  });

  test("whether a type has one can be asked without a value", () => {
    for (const profile of ["point", "misp-stix"] as const) {
      expect([...new Set([...converted, ...mappedTypes("misp-stix"), "comment", "constructor"])].filter((type) => isMapped(type, profile)).sort()).toStrictEqual(mappedTypes(profile));
    }
  });

  test.each(wrong)("%s: %.60j is none", (type, value) => {
    expect(patternsOf(type, value, exact)).toBe("value");
    expect(["value", "type"]).toContain(patternsOf(type, value, point));
  });

  test.each(["comment", "ja3-fingerprint-md5", "filename-pattern", "src-ip", "IP-DST", "__proto__", "constructor", "toString"])("%s has no mapping", (type) => {
    expect([patternsOf(type, "x", point), patternsOf(type, "x", exact), patternsOf(type, "", exact)]).toStrictEqual([none, none, none]);
  });

  test("split: a domain and an address are two indicators, whatever the profile", () => {
    for (const options of [point, exact]) {
      expect(patternsOf("domain|ip", "evil.example|2001:db8::1", { ...options, compound: "split" })).toBe("[domain-name:value = 'evil.example']\n[ipv6-addr:value = '2001:db8::1']");
    }
    expect(patternsOf("regkey|value", "a|b", { ...point, compound: "split" })).not.toContain("\n");
  });
});

describe("whatever the value", () => {
  const types = [...mappedTypes("misp-stix")];
  const values = new Map(table.map(([type, value]) => [type, value]));
  const hostile = fc.oneof(
    fc.string({ unit: "binary" }), fc.string({ unit: fc.constantFrom("'", "\\", '"', "|", "\n", "\0", "\u2028", "]", "[", "=", " ", "a", "{1}", "{2}", "{family}", "$&", "😀", "%") }),
    fc.nat(2_000).map((n) => "\\'".repeat(n)), fc.constantFrom(65_600, 40_000).map((n) => "a".repeat(n)),
  );
  const options = fc.record({ profile: fc.constantFrom("point" as const, "misp-stix" as const), compound: fc.constantFrom("and" as const, "split" as const), rule_topics: fc.boolean(), local_tags: fc.boolean() });
  const attribute = fc.constantFrom(...types).chain((type) => {
    const value = values.get(type) ?? "x";
    return fc.tuple(fc.constant(type), fc.oneof(hostile, hostile.map((end) => value + end), hostile.map((start) => start + value), fc.tuple(hostile, hostile).map((both) => both.join("|")), hostile.map((name) => `${name}|${value.split("|").at(-1)}`)));
  });

  test("the bus takes what is made of it: every pattern parses", () => {
    fc.assert(fc.property(attribute, options, ([type, value], chosen) => {
      const { attribute: read, event } = given({ type, value });
      const mapped = indicatorsOf(read, event, chosen);
      if (typeof mapped === "string") return;
      for (const indicator of mapped.indicators) {
        if (indicator.pattern_type === "stix") parsePattern(indicator.pattern);
        expect(message(indicator).topic).toBe("stix2/indicator");
      }
    }), { numRuns: scaled(3_000) });
  });

  test("text comes out of the pattern as it was", () => {
    const plain = ["filename", "mutex", "regkey", "email-subject", "user-agent", "email-body"];
    fc.assert(fc.property(fc.constantFrom(...plain), hostile, (type, value) => {
      const pattern = patternsOf(type, value, point);
      if (pattern !== "value") expect(pointIndicators(pattern)?.map((made) => made.value)).toStrictEqual([value.trim()]);
    }), { numRuns: scaled(1_000) });
  });
});
