import { message, pointPattern } from "@threatbus/core";
import fc from "fast-check";
import type { Indicator } from "stix2-ts-types";
import { describe, expect, it, test } from "vitest";
import type { IntelOperation } from "../src/intel/intel.ts";
import { Ledger } from "../src/intel/ledger.ts";
import { changeOf } from "../src/intel/map.ts";
import { sightingOf } from "../src/intel/sighting.ts";
import { maskSubnet, parseAddress, parseSubnet, printSubnet } from "../src/wire/address.ts";
import { none, string, timestamp, type Value, vector } from "../src/wire/value.ts";
import { scaled } from "./eventually.ts";
import { created, idOf, indicator } from "./stand.ts";
import { values } from "./values.ts";

const change = (n: number, pattern: string, more: Readonly<Record<string, unknown>> = {}) => changeOf(indicator(n, pattern, more).body as Indicator);
const mapped = (pattern: string): string[] => {
  const { items, skipped } = change(1, pattern);
  return [...items.map(({ type, value }) => `${type} ${value}`), ...[...skipped].map(([reason, count]) => `skipped ${reason}${count === 1 ? "" : ` × ${count}`}`)];
};

describe("an indicator's values for Zeek", () => {
  const sha1 = "da39a3ee5e6b4b0d3255bfef95601890afd80709", md5 = "5d41402abc4b2a76b9719d911017c592", sha256 = `${md5}${md5}`;
  it.each([
    // The first Threat Bus's 18 object paths.
    ["[domain-name:value = 'Evil.Example.']", ["DOMAIN evil.example"]],
    ["[email-addr:value = 'Mallory@example.com']", ["EMAIL mallory@example.com"]],
    ["[file:name = 'bad file.exe']", ["FILE_NAME bad file.exe"]],
    [`[file:hashes.MD5 = '${md5.toUpperCase()}']`, [`FILE_HASH ${md5}`]],
    [`[file:hashes.'SHA-1' = '${sha1}']`, [`FILE_HASH ${sha1}`]],
    [`[file:hashes.'SHA-256' = '${sha256}']`, [`FILE_HASH ${sha256}`]],
    [`[file:hashes.'SHA-512' = '${sha256}${sha256}']`, [`FILE_HASH ${sha256}${sha256}`]],
    [`[file:hashes.'SHA3-256' = '${sha256}']`, [`FILE_HASH ${sha256}`]],
    [`[file:hashes.'SHA3-512' = '${sha256}${sha256}']`, [`FILE_HASH ${sha256}${sha256}`]],
    ["[file:hashes.SSDEEP = '3:AXGBicFlgVNhBGcL6wCrFQEv:AXGHsNhxLsr2C']", ["FILE_HASH 3:AXGBicFlgVNhBGcL6wCrFQEv:AXGHsNhxLsr2C"]],
    [`[file:hashes.TLSH = '${"A1".repeat(35)}']`, [`FILE_HASH ${"A1".repeat(35)}`]],
    ["[ipv4-addr:value = '198.51.100.23']", ["ADDR 198.51.100.23"]],
    ["[ipv6-addr:value = '2001:DB8:0::17']", ["ADDR 2001:db8::17"]],
    ["[software:name = 'smoke/1.0']", ["SOFTWARE smoke/1.0"]],
    ["[url:value = 'https://evil.example/bad/path?x=1#part']", ["URL evil.example/bad/path?x=1"]],
    ["[user:user_id = 'mallory']", ["USER_NAME mallory"]],
    ["[user:account_login = 'mallory']", ["USER_NAME mallory"]],
    [`[x509-certificate:hashes.'SHA-1' = '${sha1.match(/../g)?.join(":")}']`, [`CERT_HASH ${sha1}`]],
    // Beyond them.
    ["[user-account:user_id = 'mallory']", ["USER_NAME mallory"]],
    ["[ipv4-addr:value = '198.51.100.77/24']", ["SUBNET 198.51.100.0/24"]],
    ["[ipv4-addr:value = '198.51.100.23/32']", ["ADDR 198.51.100.23"]],
    ["[ipv6-addr:value = '2001:db8::1/128']", ["ADDR 2001:db8::1"]],
    ["[ipv6-addr:value = '::/96']", ["SUBNET ::/96"]],
    ["[ipv6-addr:value = '::ffff:0:0/97']", ["SUBNET 0.0.0.0/1"]],
    ["[ipv6-addr:value = '8000::/1']", ["SUBNET 8000::/1"]],
    ["[domain-name:value = 'bücher.example']", ["DOMAIN xn--bcher-kva.example"]],
    ["[url:value = 'evil.example/x']", ["URL evil.example/x"]],
    [`[file:hashes.sha256 = '${sha256}']`, [`FILE_HASH ${sha256}`]],
    ["[domain-name:value = 'a.example' OR domain-name:value = 'b.example']", ["DOMAIN a.example", "DOMAIN b.example"]],
    ["[domain-name:value = 'a.example'] OR [ipv4-addr:value IN ('192.0.2.1', '192.0.2.2', '192.0.2.1')]", ["DOMAIN a.example", "ADDR 192.0.2.1", "ADDR 192.0.2.2"]],
    ["[ipv4-addr:value IN ('192.0.2.1', 'nonsense') OR mutex:name = 'x']", ["ADDR 192.0.2.1", "skipped value", "skipped path"]],
    ["[domain-name:value IN ('a.example', 'b c', 'd e')]", ["DOMAIN a.example", "skipped value × 2"]],
    // What Zeek cannot look for, or would misread.
    ["[domain-name:value = 'a.example' AND ipv4-addr:value = '192.0.2.1']", ["skipped pattern"]],
    ["[domain-name:value LIKE '%.example']", ["skipped pattern"]],
    ["[process:name = 'x']", ["skipped path"]],
    [`[x509-certificate:hashes.'SHA-256' = '${sha256}']`, ["skipped path"]],
    ...["not-a-subnet/24", "198.51.100.0/33", "198.51.100.0/", "1.2.3", "1.2.3.04", "0.0.0.0/0", "::/0", "10.0.0.0/0", "fe80::1%eth0", "", " ", "1.2.3.4/-1", "1.2.3.4/024", "1.2.3.4/99",
      // All of IPv4 lies in these too.
      "::/1", "::/80", "::1/64", "0::/16", "::ffff:0:0/81", "::ffff:1.2.3.4/90", "::ffff:0:0/96"].map((value): [string, string[]] => [`[ipv4-addr:value = '${value}']`, ["skipped value"]]),
    ...["not a domain", "*.example", "a..example", "-a.example", "192.0.2.1", `${"a".repeat(64)}.example`, "x\ty"].map((value): [string, string[]] => [`[domain-name:value = '${value}']`, ["skipped value"]]),
    ...["http://", "http:///path", "http://a b/"].map((value): [string, string[]] => [`[url:value = '${value}']`, ["skipped value"]]),
    ...["x", "a@b@c", "a b@c", "@c"].map((value): [string, string[]] => [`[email-addr:value = '${value}']`, ["skipped value"]]),
    ["[file:hashes.MD5 = 'xyz']", ["skipped value"]], [`[file:hashes.'SHA-1' = '${md5}']`, ["skipped value"]], ["[file:name = 'a\u0000b']", ["skipped value"]],
    ["[ipv4-addr:value = 7]", ["skipped value"]],
  ])("%s", (pattern, expected) => expect(mapped(pattern)).toEqual(expected));

  test("of the longest list that the bus takes, every one", () => {
    const names = Array.from({ length: 10_900 }, (_, n) => `'${(n + 36 ** 2).toString(36)}'`);
    const { items, skipped } = change(1, `[user:user_id IN (${names.join(",")})]`);
    expect([items.length, skipped.size]).toEqual([10_900, 0]);
  });

  test("only STIX patterns", () => {
    expect(changeOf({ ...(indicator(1).body as Indicator), pattern: "rule x { condition: true }", pattern_type: "yara" })).toMatchObject({ items: [], skipped: new Map([["pattern_type", 1]]) });
  });

  test("whatever a value holds, an address that goes out is one, and no block is everything", () => {
    fc.assert(fc.property(fc.oneof(fc.string(), fc.string({ unit: "binary" }), fc.tuple(fc.oneof(fc.ipV4(), fc.ipV6(), fc.constantFrom("::", "::ffff:0:0")), fc.integer({ min: -1, max: 130 })).map(([address, length]) => `${address}/${length}`)), (value) => {
      for (const item of change(1, pointPattern("ipv4-addr:value", value)).items) {
        const subnet = parseSubnet(item.type === "ADDR" ? `${item.value}/${item.value.includes(":") ? 128 : 32}` : item.value);
        // Zeek masks an address with the block's length, that of IPv4 as ::ffff:a.b.c.d.
        const holds = (address: string): boolean => printSubnet(maskSubnet({ bytes: parseAddress(address) as Uint8Array, length: subnet?.length ?? 0 })) === item.value;
        expect(subnet?.length).toBeGreaterThan(0);
        expect(holds("0.0.0.0") && holds("255.255.255.255")).toBe(false);
      }
    }), { numRuns: scaled(500) });
  });
});

describe("what a Zeek is told", () => {
  const now = BigInt(Date.parse("2024-05-02T00:00:00Z")) * 1_000_000n;
  const told = (operations: readonly IntelOperation[] | undefined): string[] | undefined => operations?.map(({ operation, id, value }) => `${operation} ${value} by ${Number.parseInt(id.slice(-12), 16)}`);
  const domain = (name: string): string => `[domain-name:value = '${name}']`;
  const gone = (modified = "2024-06-01T00:00:00Z") => ({ x_threatbus_update: "REMOVE", modified });

  test("a value with two indicators goes with the last; meanwhile it is known by the other", () => {
    const ledger = new Ledger(100);
    expect(told(ledger.apply(change(1, domain("a.example")), now))).toEqual(["ADD a.example by 1"]);
    expect(told(ledger.apply(change(2, domain("a.example")), now))).toEqual(["ADD a.example by 2"]);
    expect(told(ledger.apply(change(2, domain("a.example"), gone()), now))).toEqual(["ADD a.example by 1"]);
    expect(ledger.holderOf("a.example")).toBe(idOf(1));
    expect(told(ledger.apply(change(1, domain("a.example"), gone()), now))).toEqual(["REMOVE a.example by 1"]);
    expect(ledger.holderOf("a.example")).toBeUndefined();
  });

  test("one that is not the one Zeek knows goes without a word", () => {
    const ledger = new Ledger(100);
    ledger.apply(change(1, domain("a.example")), now);
    ledger.apply(change(2, domain("a.example")), now);
    expect(told(ledger.apply(change(1, domain("a.example"), gone()), now))).toEqual([]);
  });

  test("a script that keeps them apart is told of each", () => {
    const ledger = new Ledger(100);
    ledger.separate = true;
    ledger.apply(change(1, domain("a.example")), now);
    ledger.apply(change(2, domain("a.example")), now);
    expect(told(ledger.apply(change(1, domain("a.example"), { revoked: true, modified: "2024-06-01T00:00:00Z" }), now))).toEqual(["REMOVE a.example by 1"]);
  });

  test("a new version takes away what it no longer names", () => {
    const ledger = new Ledger(100);
    ledger.apply(change(1, "[domain-name:value IN ('a.example', 'b.example')]"), now);
    expect(told(ledger.apply(change(1, "[domain-name:value IN ('b.example', 'c.example')]", { x_threatbus_update: "EDIT", modified: "2024-05-03T00:00:00Z" }), now)))
      .toEqual(["REMOVE a.example by 1", "ADD b.example by 1", "ADD c.example by 1"]);
    expect(told(ledger.apply(change(1, "[mutex:name = 'x']", { modified: "2024-05-04T00:00:00Z" }), now))).toEqual(["REMOVE b.example by 1", "REMOVE c.example by 1"]);
    expect(ledger.size).toBe(0);
  });

  test("an older version that comes late changes nothing, also after the removal", () => {
    const ledger = new Ledger(100);
    ledger.apply(change(1, domain("b.example"), { modified: "2024-05-03T00:00:00Z" }), now);
    expect(ledger.apply(change(1, domain("a.example")), now)).toBeUndefined();
    ledger.apply(change(1, domain("b.example"), gone()), now);
    expect(ledger.apply(change(1, domain("b.example"), { modified: "2024-05-03T00:00:00Z" }), now)).toBeUndefined();
    expect(told(ledger.apply(change(1, domain("b.example"), { modified: "2024-07-01T00:00:00Z" }), now))).toEqual(["ADD b.example by 1"]);
  });

  test("a removal of what is not known goes out: Zeek may have it from before", () => {
    expect(told(new Ledger(100).apply(change(1, domain("a.example"), gone()), now))).toEqual(["REMOVE a.example by 1"]);
  });

  test("valid_until takes it away in time, in order, and only the end it has by now counts", () => {
    const ledger = new Ledger(100);
    for (const [n, until] of [[1, "2024-05-04T00:00:00Z"], [2, "2024-05-03T00:00:00Z"], [3, "2024-05-05T00:00:00Z"]] as const) ledger.apply(change(n, domain(`${n}.example`), { valid_until: until }), now);
    ledger.apply(change(3, domain("3.example"), { valid_until: "2024-05-09T00:00:00Z", modified: "2024-05-02T00:00:00Z" }), now);
    const at = (time: string): bigint => BigInt(Date.parse(time)) * 1_000_000n;
    expect(told(ledger.expire(at("2024-05-02T23:59:59.999Z")))).toEqual([]);
    expect(told(ledger.expire(at("2024-05-06T00:00:00Z")))).toEqual(["REMOVE 2.example by 2", "REMOVE 1.example by 1"]);
    expect(told(ledger.expire(at("2024-05-09T00:00:00Z")))).toEqual(["REMOVE 3.example by 3"]);
    expect(told(ledger.apply(change(4, domain("4.example"), { valid_until: "2024-05-01T23:00:00Z" }), now))).toEqual(["REMOVE 4.example by 4"]);
  });

  test("more indicators than fit: the longest untouched is forgotten, and counted", () => {
    const ledger = new Ledger(2);
    for (const n of [1, 2, 1, 3]) ledger.apply(change(n, domain(`${n}.example`)), now);
    expect([ledger.size, ledger.forgotten, ledger.holderOf("2.example"), ledger.holderOf("1.example")]).toEqual([2, 1, undefined, idOf(1)]);
  });

  test("in the end Zeek watches exactly what valid indicators name, whatever came before", () => {
    const step = fc.record({ n: fc.integer({ min: 1, max: 4 }), names: fc.uniqueArray(fc.constantFrom("a", "b", "c"), { minLength: 1 }), gone: fc.boolean(), until: fc.option(fc.integer({ min: 1, max: 40 }), { nil: undefined }) });
    fc.assert(fc.property(fc.array(step, { maxLength: 30 }), fc.boolean(), (steps, separate) => {
      const ledger = new Ledger(100);
      ledger.separate = separate;
      const minute = (n: number): string => new Date(Date.parse(created) + n * 60_000).toISOString();
      const time = (n: number): bigint => BigInt(Date.parse(minute(n))) * 1_000_000n;
      /** Zeek: values and who named them; with a script of the old kind REMOVE takes all. */
      const zeek = new Map<string, Set<string>>();
      const model = new Map<number, { names: readonly string[]; until: number }>();
      const tell = (operations: readonly IntelOperation[] | undefined): void => {
        for (const { operation, id, value } of operations ?? []) {
          const ids = zeek.get(value) ?? new Set();
          if (operation === "ADD") zeek.set(value, (separate ? ids : new Set<string>()).add(id));
          else if (!separate || (ids.delete(id) && ids.size === 0)) zeek.delete(value);
        }
      };
      steps.forEach(({ n, names, gone: removed, until }, at) => {
        tell(ledger.expire(time(at)));
        tell(ledger.apply(change(n, `[domain-name:value IN (${names.map((name) => `'${name}.example'`).join(", ")})]`, {
          modified: minute(at), ...(removed && { x_threatbus_update: "REMOVE" }), ...(until !== undefined && { valid_until: minute(until) }),
        }), time(at)));
        if (removed || (until ?? 1_000) <= at) model.delete(n);
        else model.set(n, { names, until: until ?? 1_000 });
      });
      tell(ledger.expire(time(steps.length)));
      const valid = [...model].filter(([, { until }]) => until > steps.length);
      expect([...zeek.keys()].sort()).toEqual([...new Set(valid.flatMap(([, { names }]) => names.map((name) => `${name}.example`)))].sort());
      for (const [value, ids] of zeek) {
        const holders = valid.filter(([, { names }]) => names.includes(value[0] ?? "")).map(([n]) => idOf(n));
        expect(separate ? [...ids].sort() : holders).toEqual(separate ? holders.sort() : expect.arrayContaining([...ids]));
      }
    }), { numRuns: scaled(300) });
  });
});

describe("a sighting", () => {
  const context: Value = { type: "table", value: [
    [string("noisy"), { type: "boolean", value: true }], [string("n"), { type: "count", value: 2n ** 64n - 1n }], [string("i"), { type: "integer", value: -7n }], [string("host"), { type: "address", value: "192.0.2.1" }],
    [string("port"), { type: "port", value: 53, protocol: "udp" }], [string("when"), timestamp(1n)], [string("took"), { type: "timespan", value: 1_500_000_000n }], [string("list"), vector([none, { type: "real", value: Infinity }])],
    [vector([string("a"), { type: "count", value: 1n }]), { type: "enum-value", value: "Intel::ADDR" }], [string("__proto__"), none], [string("bytes"), string(Uint8Array.of(0xff))],
  ] };
  test("has the whole context", () => {
    const sighting = sightingOf([timestamp(1_714_557_600_123_456_789n), string(idOf(1)), context], Date.parse(created), () => undefined);
    expect(sighting).toMatchObject({
      type: "sighting", created, modified: created, last_seen: "2024-05-01T10:00:00.123456789Z", sighting_of_ref: idOf(1), x_threatbus_source: "Zeek",
      x_threatbus_sighting_context: {
        noisy: true, n: "18446744073709551615", i: -7, host: "192.0.2.1", port: "53/udp", when: "1970-01-01T00:00:00.000000001Z", took: "1500ms", list: [null, "Infinity"], "a,1": "Intel::ADDR", bytes: "\ufffd",
      },
    });
    expect(() => message(sighting as never)).not.toThrow();
  });
  const reference = (text: string): unknown => {
    const sighting = sightingOf([timestamp(0n), string(text), { type: "table", value: [] }], 0, (value) => (value === "known.example" ? idOf(2) : undefined));
    return typeof sighting === "string" ? sighting : [sighting.sighting_of_ref, sighting.x_threatbus_indicator_value];
  };
  it.each([
    [idOf(1), [idOf(1), undefined]], [idOf(1).slice(11), [idOf(1), undefined]], ["known.example", [idOf(2), undefined]],
    ["unknown.example", ["note--00000000-0000-4000-8000-000000000000", "unknown.example"]], ["", "id"], ["x".repeat(2_000), "id"],
  ])("of %s", (text, expected) => expect(reference(text)).toEqual(expected));
  it.each([[[]], [[none, none, none]], [[timestamp(0n), string("x")]], [[timestamp(0n), string("x"), vector([])]]])("that is none", (args) => expect(sightingOf(args, 0, () => undefined)).toBe("arguments"));
  test("passes the bus's check, whatever Zeek puts into it", () => {
    fc.assert(fc.property(fc.array(fc.tuple(values(), values()), { maxLength: 4 }), values(), (entries, odd) => {
      const sighting = sightingOf([timestamp(0n), string(idOf(1)), { type: "table", value: entries }], 0, () => undefined);
      expect(() => message(sighting as never)).not.toThrow();
      sightingOf([odd, odd, odd], 0, () => undefined);
    }), { numRuns: scaled(300) });
  });
});
