import { parsePattern } from "@threatbus/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { mappedTypes } from "../src/index.ts";
import { indicatorOf } from "../src/map.ts";
import { given, scaled } from "./sample.ts";

const hex = (digits: number): string => "0123456789abcdef".repeat(8).slice(0, digits);
const userAgent = "network-traffic:extensions.'http-request-ext'.request_header.'User-Agent'";
const plainHashes: readonly [string, string, number][] = [
  ["md5", "MD5", 32], ["sha1", "'SHA-1'", 40], ["sha224", "'SHA-224'", 56], ["sha256", "'SHA-256'", 64], ["sha384", "'SHA-384'", 96], ["sha512", "'SHA-512'", 128],
  ["sha3-224", "'SHA3-224'", 56], ["sha3-256", "'SHA3-256'", 64], ["sha3-384", "'SHA3-384'", 96], ["sha3-512", "'SHA3-512'", 128],
  ["imphash", "IMPHASH", 32], ["pehash", "PEHASH", 40], ["authentihash", "AUTHENTIHASH", 64],
];
const fuzzyHashes: readonly [string, string][] = [["ssdeep", "SSDEEP"], ["tlsh", "TLSH"], ["impfuzzy", "IMPFUZZY"], ["vhash", "VHASH"], ["cdhash", "CDHASH"], ["telfhash", "TELFHASH"]];

/** type, value in MISP, pattern */
const table: readonly [string, string, string][] = [
  ["ip-src", "198.51.100.7", "[ipv4-addr:value = '198.51.100.7']"],
  ["ip-dst", " 198.51.100.7 ", "[ipv4-addr:value = '198.51.100.7']"],
  ["ip", "203.0.113.0/24", "[ipv4-addr:value = '203.0.113.0/24']"],
  ["ip-dst", "2001:DB8:0:0::1", "[ipv6-addr:value = '2001:db8::1']"],
  ["ip-src", "2001:db8::/32", "[ipv6-addr:value = '2001:db8::/32']"],
  ["ip-src|port", "198.51.100.7|443", "[ipv4-addr:value = '198.51.100.7']"],
  ["ip-dst|port", "2001:db8::7|443", "[ipv6-addr:value = '2001:db8::7']"],
  ["ip-dst|port", "198.51.100.7:443", "[ipv4-addr:value = '198.51.100.7']"],
  ["ip-dst|port", "[2001:db8::7]:443", "[ipv6-addr:value = '2001:db8::7']"],
  ["ip-dst|port", "2001:db8::7#443", "[ipv6-addr:value = '2001:db8::7']"],
  ["ip-dst|port", "2001:db8::7p443", "[ipv6-addr:value = '2001:db8::7']"],
  ["ip-dst|port", "2001:db8::7.443", "[ipv6-addr:value = '2001:db8::7']"],
  ["ip-dst|port", "2001:db8::7 port 443", "[ipv6-addr:value = '2001:db8::7']"],
  ["domain", "EVIL.example", "[domain-name:value = 'evil.example']"],
  ["domain", "evil.example.", "[domain-name:value = 'evil.example']"],
  ["domain", "bücher.example", "[domain-name:value = 'xn--bcher-kva.example']"],
  ["hostname", "_dmarc.evil.example", "[domain-name:value = '_dmarc.evil.example']"],
  ["onion-address", "Abcdefghij234567.onion", "[domain-name:value = 'abcdefghij234567.onion']"],
  ["domain|ip", "evil.example|198.51.100.7", "[domain-name:value = 'evil.example'] AND [ipv4-addr:value = '198.51.100.7']"],
  ["domain|ip", "evil.example|2001:db8::1", "[domain-name:value = 'evil.example'] AND [ipv6-addr:value = '2001:db8::1']"],
  ["hostname|port", "www.evil.example|8080", "[domain-name:value = 'www.evil.example']"],
  ["hostname|port", "www.evil.example:8080", "[domain-name:value = 'www.evil.example']"],
  ["url", "http://evil.example/a?b='c'", "[url:value = 'http://evil.example/a?b=\\'c\\'']"],
  ["url", "evil.example/back\\slash", "[url:value = 'evil.example/back\\\\slash']"],
  ["uri", "ftp://evil.example/x", "[url:value = 'ftp://evil.example/x']"],
  ["email", "Bad@Evil.example", "[email-addr:value = 'bad@evil.example']"],
  ["email-src", "o'brien@evil.example", "[email-addr:value = 'o\\'brien@evil.example']"],
  ["email-dst", "bad@evil.example", "[email-addr:value = 'bad@evil.example']"],
  ["eppn", "user@evil.example", "[email-addr:value = 'user@evil.example']"],
  ["target-email", "victim@good.example", "[email-addr:value = 'victim@good.example']"],
  ["mac-address", "00-00-5E-00-53-AF", "[mac-addr:value = '00:00:5e:00:53:af']"],
  ["mac-address", "00005e0053af", "[mac-addr:value = '00:00:5e:00:53:af']"],
  ["mac-eui-64", "00:00:5E:FF:FE:00:53:AF", "[mac-addr:value = '00:00:5e:ff:fe:00:53:af']"],
  ["AS", "64500", "[autonomous-system:number = 64500]"],
  ["AS", "AS64500", "[autonomous-system:number = 64500]"],
  ["AS", "as1.10", "[autonomous-system:number = 65546]"],
  ["user-agent", "Mozilla/5.0 (it's me)", `[${userAgent} = 'Mozilla/5.0 (it\\'s me)']`],
  ["x509-fingerprint-md5", hex(32).toUpperCase(), `[x509-certificate:hashes.MD5 = '${hex(32)}']`],
  ["x509-fingerprint-sha1", hex(40).replace(/../g, "$&:").slice(0, -1), `[x509-certificate:hashes.'SHA-1' = '${hex(40)}']`],
  ["x509-fingerprint-sha256", hex(64), `[x509-certificate:hashes.'SHA-256' = '${hex(64)}']`],
  ["filename", "a'b.exe", "[file:name = 'a\\'b.exe']"],
  ["attachment", "a.docx", "[file:name = 'a.docx']"],
  ["email-attachment", "a.docx", "[file:name = 'a.docx']"],
  ["malware-sample", `a.exe|${hex(32)}`, `[file:hashes.MD5 = '${hex(32)}']`],
  ["stix2-pattern", "[file:name = 'a'] FOLLOWEDBY [url:value = 'b'] WITHIN 5 SECONDS", "[file:name = 'a'] FOLLOWEDBY [url:value = 'b'] WITHIN 5 SECONDS"],
  ...plainHashes.map(([type, key, digits]): [string, string, string] => [type, hex(digits).toUpperCase(), `[file:hashes.${key} = '${hex(digits)}']`]),
  ...plainHashes.map(([type, key, digits]): [string, string, string] => [`filename|${type}`, `a.exe|${hex(digits)}`, `[file:hashes.${key} = '${hex(digits)}']`]),
  ...fuzzyHashes.map(([type, key]): [string, string, string] => [type, "3:AbC/d+E", `[file:hashes.${key} = '3:AbC/d+E']`]),
  ...fuzzyHashes.map(([type, key]): [string, string, string] => [`filename|${type}`, "a.exe|3:AbC/d+E", `[file:hashes.${key} = '3:AbC/d+E']`]),
];

/** type, value that is none of its type */
const wrong: readonly [string, string][] = [
  ["ip-src", "198.51.100.256"], ["ip-src", "198.51.100.07"], ["ip-src", ""], ["ip-src", "198.51.100.0/33"], ["ip-src", "198.51.100.0/"],
  ["ip-src", "198.51.100.0/024"], ["ip-src", "2001:db8::/129"], ["ip-src", "2001:db8::1/-1"], ["ip-src", "fe80::1%eth0"], ["ip-src", "evil.example"],
  ["ip-src", "198.51.100.7' OR url:value = 'x"], ["ip-dst|port", "198.51.100.7"], ["ip-dst|port", "198.51.100.7|"], ["ip-dst|port", "198.51.100.7|65536"],
  ["ip-dst|port", "198.51.100.7|80|90"], ["ip-dst|port", "198.51.100.0/24|80"], ["ip-dst|port", "2001:db8::7:443x"],
  ["domain", "localhost"], ["domain", "evil..example"], ["domain", "*.evil.example"], ["domain", "evil.example/x"], ["domain", "198.51.100.7"],
  ["domain", "-evil.example"], ["domain", `${"a".repeat(64)}.example`], ["domain", `${"a.".repeat(124)}example`], ["domain", "ev il.example"],
  ["domain", "bü%41.example"], ["domain", "http://bücher.example"], ["domain|ip", "evil.example"], ["domain|ip", "evil.example|evil.example"],
  ["domain|ip", "evil.example|198.51.100.7|x"], ["hostname|port", "evil.example|99999"], ["url", ""], ["url", "http://evil.example/\na"],
  ["uri", "/gate.php"], ["uri", "evil.example:80/x"], ["email", "evil.example"], ["email", "a@b@evil.example"], ["email", "a b@evil.example"],
  ["mac-address", "00:00:5e:00:53"], ["mac-address", "00:00:5e:00:53:zz"], ["mac-eui-64", "00:00:5e:00:53:af"], ["AS", "AS"], ["AS", "4294967296"],
  ["AS", "65536.1"], ["AS", "-1"], ["x509-fingerprint-sha1", hex(32)], ["md5", hex(31)], ["md5", `${hex(31)}g`], ["filename|md5", hex(32)],
  ["filename|md5", `a|b|${hex(32)}`], ["filename", ""], ["ssdeep", "a b"], ["user-agent", ""], ["stix2-pattern", "file:name = 'a'"], ["stix2-pattern", "[file:name = 'a'"],
];

const patternOf = (type: string, value: string): string => {
  const { attribute, event } = given({ type, value });
  const mapped = indicatorOf(attribute, event);
  return typeof mapped === "string" ? mapped : mapped.pattern;
};

describe("a MISP attribute becomes a pattern in point form", () => {
  test.each(table)("%s %j", (type, value, pattern) => {
    expect(patternOf(type, value)).toBe(pattern);
    expect(() => parsePattern(pattern)).not.toThrow();
  });

  test("every mapped type is in the table", () => {
    const shown = new Set(table.map(([type]) => type));
    expect([...mappedTypes(), "stix2-pattern"].filter((type) => !shown.has(type))).toEqual([]);
  });

  test.each(wrong)("%s %j is no value of its type", (type, value) => {
    expect(patternOf(type, value)).toBe("value");
  });

  test.each(["link", "comment", "yara", "port", "http-method", "sha512/256", "ja3-fingerprint-md5", "__proto__", "constructor", "toString"])("%s has no mapping", (type) => {
    expect(patternOf(type, "x")).toBe("type");
  });

  test("whatever the value, the pattern parses", () => {
    const types = [...mappedTypes(), "stix2-pattern"];
    fc.assert(
      fc.property(fc.constantFrom(...types), fc.oneof(fc.string({ unit: "binary" }), fc.constantFrom(...table.map(([, value]) => value)).chain((value) => fc.string().map((end) => value + end))), (type, value) => {
        const pattern = patternOf(type, value);
        if (pattern !== "value") parsePattern(pattern);
      }),
      { numRuns: scaled(2_000) },
    );
  });
});
