import { pointPattern } from "@threatbus/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { contains, parseAddress, parseBlock, printAddress, printBlock } from "../src/address.ts";
import { keyOf, observableAt, observableKinds, observableOf, observableOfKey, observablesOf, readDomain, urlParts } from "../src/observable.ts";

const md5 = "0cc175b9c0f1b6a831c399e269772661";
const sha1 = "86f7e437faa5a7fce15d1ddcb9eaeaea377667b8";
const sha256 = "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb";
const sha512 = sha256 + sha1 + "ca978112ca1bbdcafac231b3";
const ja4 = "t13d1516h2_8daaf6152771_b186095e22b6";

describe("reads", () => {
  it.each([
    ["ipv4-addr:value", "198.51.100.7", "ip", "198.51.100.7"],
    ["ipv6-addr:value", "2001:0DB8:0:0::1", "ip", "2001:db8::1"],
    ["ipv6-addr:value", "::ffff:198.51.100.7", "ip", "198.51.100.7"],
    ["ipv4-addr:value", "198.51.100.77/24", "cidr", "198.51.100.0/24"],
    ["ipv4-addr:value", "198.51.100.7/32", "ip", "198.51.100.7"],
    ["ipv6-addr:value", "2001:db8::1/32", "cidr", "2001:db8::/32"],
    ["ipv6-addr:value", "2001:db8::1/128", "ip", "2001:db8::1"],
    ["ipv6-addr:value", "::ffff:198.51.100.7/120", "cidr", "198.51.100.0/24"],
    ["domain-name:value", "Evil.Example.", "domain", "evil.example"],
    ["domain-name:value", " evil.example ", "domain", "evil.example"],
    ["domain-name:value", "bücher.example", "domain", "xn--bcher-kva.example"],
    ["domain-name:value", "_dmarc.evil.example", "domain", "_dmarc.evil.example"],
    ["url:value", "HTTP://Evil.Example:80/Path?Q=1#frag", "url", "http://evil.example/Path?Q=1"],
    ["url:value", "https://user:pw@evil.example:8443", "url", "https://evil.example:8443/"],
    ["url:value", "http://[2001:DB8::1]/x", "url", "http://[2001:db8::1]/x"],
    ["url:value", "evil.example/a.php", "url", "evil.example/a.php"],
    ["url:value", "http://e.example/a\"b'c\\d", "url", "http://e.example/a\"b'c\\d"],
    ["email-addr:value", "Bad.Guy@Evil.Example", "email", "bad.guy@evil.example"],
    ["file:hashes.MD5", md5.toUpperCase(), "md5", md5],
    ["file:hashes.'SHA-1'", sha1, "sha1", sha1],
    ["file:hashes.'SHA-256'", sha256, "sha256", sha256],
    ["file:hashes.SHA256", sha256, "sha256", sha256],
    ["file:hashes.'SHA-512'", sha512, "sha512", sha512],
    ["x509-certificate:hashes.'SHA-1'", (sha1.match(/../g) ?? []).join(":").toUpperCase(), "certificate", sha1],
    ["x-ja3:value", md5, "ja3", md5],
    ["network-traffic:x_ja3s_hash", md5, "ja3s", md5],
    ["x-misp-attribute:'ja3-fingerprint-md5'", md5, "ja3", md5],
    ["x-tls:ja4", ja4.toUpperCase(), "ja4", ja4],
  ])("%s %s", (path, given, kind, value) => {
    expect(observableAt(path, given)).toEqual({ kind, value });
  });

  it("every value of a list once, and tells of the rest", () => {
    const { observables, skipped } = observablesOf("[ipv4-addr:value = '198.51.100.7' OR domain-name:value IN ('a.example', 'A.example', 'com') OR file:name = 'x.exe']");
    expect(observables).toEqual([{ kind: "ip", value: "198.51.100.7" }, { kind: "domain", value: "a.example" }]);
    expect(skipped.map(({ reason }) => reason)).toEqual(["broad", "type"]);
  });

  it("a pattern with blanks around it as one without", () => {
    expect(observablesOf("  [ domain-name:value='evil.example' ] ").observables).toEqual([{ kind: "domain", value: "evil.example" }]);
  });

  it("escapes of STIX undone", () => {
    expect(observablesOf(String.raw`[url:value = 'http://e.example/it\'s\\']`).observables).toEqual([{ kind: "url", value: String.raw`http://e.example/it's\ `.trim() }]);
  });
});

describe("refuses", () => {
  it.each([
    ["pattern", "no pattern at all"],
    ["pattern", "[domain-name:value = 'it's.example']"],
    ["pattern", "[domain-name:value = 'a.example' AND domain-name:value = 'b.example']"],
    ["pattern", "[domain-name:value LIKE '%.example']"],
    ["type", "[mutex:name = 'x']"],
    ["value", "[ipv4-addr:value = '6.6.6.6 || :addr != 1.1.1.1']"],
    ["value", "[ipv4-addr:value = '--write=/etc/x']"],
    ["value", "[ipv4-addr:value = '06.6.6.6']"],
    ["value", "[ipv4-addr:value = '6.6.6.6/33']"],
    ["value", "[ipv6-addr:value = 'fe80::1%eth0']"],
    ["value", "[domain-name:value = '--write=x']"],
    ["value", "[domain-name:value = '-evil.example']"],
    ["value", "[domain-name:value = '6.6.6.6']"],
    ["value", "[domain-name:value = 'a b.example']"],
    ["value", "[domain-name:value = 'evil.example\"; rm']"],
    ["value", "[domain-name:value = 'evil.example\u0000']"],
    ["value", "[url:value = '--config=/x']"],
    ["value", "[url:value = 'evil.example']"],
    ["value", "[url:value = 'http://e.example/a b']"],
    ["value", "[email-addr:value = 'Bad <a@b.example>']"],
    ["value", `[file:hashes.MD5 = '${md5.slice(1)}']`],
    ["broad", "[ipv4-addr:value = '0.0.0.0/0']"],
    ["broad", "[ipv6-addr:value = '::/0']"],
    ["broad", "[ipv4-addr:value = '10.0.0.0/7']"],
    ["broad", "[ipv4-addr:value = '127.0.0.1']"],
    ["broad", "[ipv4-addr:value = '0.0.0.0']"],
    ["broad", "[ipv6-addr:value = '::1']"],
    ["broad", "[domain-name:value = 'com']"],
    ["broad", "[domain-name:value = 'co.uk']"],
    ["broad", "[domain-name:value = 'localhost']"],
    ["broad", "[file:hashes.MD5 = 'd41d8cd98f00b204e9800998ecf8427e']"],
    ["broad", `[file:hashes.'SHA-256' = '${"0".repeat(64)}']`],
  ])("for its %s: %s", (reason, pattern) => {
    const { observables, skipped } = observablesOf(pattern);
    expect(observables).toEqual([]);
    expect(skipped).toMatchObject([{ reason }]);
    expect(skipped[0]?.text).not.toMatch(/[\u0000-\u001f]/);
  });
});

it("tells a bare value by its form", () => {
  const forms = { "198.51.100.7": "ip", "10.0.0.0/8": "cidr", "evil.example": "domain", "http://evil.example/": "url", "a@evil.example": "email", [md5]: "md5", [sha256.toUpperCase()]: "sha256" };
  expect(Object.keys(forms).map((text) => observableOf(text)?.kind)).toEqual(Object.values(forms));
  expect(observableOf("?")).toBeUndefined();
});

describe("holds for any input", () => {
  const paths = ["ipv4-addr:value", "ipv6-addr:value", "domain-name:value", "url:value", "email-addr:value", "file:hashes.MD5", "x509-certificate:hashes.'SHA-1'", "x-ja3:value", "x:ja4"];
  const nasty = fc.oneof(fc.string(), fc.string({ unit: "binary" }), fc.domain(), fc.ipV4(), fc.ipV6(), fc.webUrl(), fc.emailAddress(), fc.stringMatching(/^[-"'\\|%:/.@ a-f0-9]{0,40}$/));

  it("values have one spelling and hold nothing that ends a line or begins an option", () => {
    fc.assert(fc.property(fc.constantFrom(...paths), nasty, (path, text) => {
      const one = observableAt(path, text);
      if ("reason" in one) return;
      expect(observableKinds).toContain(one.kind);
      expect(one.value).not.toMatch(/^-|[\s\u0000-\u001f]/);
      expect(observableOfKey(keyOf(one))).toEqual(one);
      expect(observableAt(path, one.value)).toEqual(one);
    }), { numRuns: 2_000 });
  });

  it("patterns never throw", () => {
    fc.assert(fc.property(fc.constantFrom(...paths.slice(0, 5)), nasty, (path, text) => {
      expect(observablesOf(pointPattern(path, text)).observables.length).toBeLessThanOrEqual(1);
      observablesOf(text);
    }));
  });

  it("domains and URLs taken apart are as they were", () => {
    fc.assert(fc.property(fc.webUrl({ withQueryParameters: true }), (url) => {
      const parts = urlParts(url);
      expect(parts?.host).toBe(readDomain(new URL(url).hostname));
      expect(parts?.target).toBe(`/${url.replace(/^[a-z]+:\/\/[^/?#]*\/?/, "").replace(/#.*/, "")}`);
    }));
  });

  it("addresses and blocks survive printing, and blocks contain what they should", () => {
    const address = fc.oneof(fc.ipV4(), fc.ipV6());
    fc.assert(fc.property(address, fc.nat(128), (text, given) => {
      const one = parseAddress(text);
      if (one === undefined) throw new Error(`${text} was not read`);
      expect(parseAddress(printAddress(one))).toEqual(one);
      const prefix = Math.min(given, one.family === 4 ? 32 : 128);
      const block = parseBlock(`${printAddress(one)}/${prefix}`);
      if (block === undefined) throw new Error(`${text}/${prefix} was not read`);
      expect(parseBlock(printBlock(block))).toEqual(block);
      expect(contains(block, one)).toBe(true);
      const width = BigInt(one.family === 4 ? 32 : 128);
      if (prefix > 0) expect(contains(block, { ...one, bits: one.bits ^ (1n << (width - BigInt(prefix))) })).toBe(false);
    }), { numRuns: 500 });
  });
});
