import { Buffer } from "node:buffer";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { JsonObject } from "../../src/engine.ts";
import { LineMatcher } from "../../src/engines/logs/line-matcher.ts";
import { Marks } from "../../src/engines/logs/marks.ts";
import type { LogsOptions } from "../../src/engines/logs/options.ts";
import { logsOptions } from "../../src/engines/logs/options.ts";
import { fieldContents, presets } from "../../src/fields.ts";
import type { FieldContent } from "../../src/fields.ts";
import { Matcher } from "../../src/matcher.ts";
import type { Observable } from "../../src/observable.ts";
import { keyOf, observableAt } from "../../src/observable.ts";
import { everyLine, lines } from "../events.ts";

const scale = Number(process.env["THREATBUS_TEST_SCALE"] ?? 1);
const options = (more: Partial<LogsOptions> = {}): LogsOptions => ({ ...logsOptions.parse({}), ...more });

/** What a look at every line finds. */
function slowly(text: string, observables: readonly Observable[], given: LogsOptions): string[] {
  const matcher = new Matcher(given);
  for (const observable of observables) matcher.watchlist.add(observable);
  return text.split("\n").flatMap((line, at) => {
    let event: unknown;
    try {
      event = JSON.parse(line);
    } catch {
      return [];
    }
    if (typeof event !== "object" || event === null || Array.isArray(event)) return [];
    return matcher.match(event as JsonObject).map(({ observable, field }) => `${at} ${keyOf(observable)} ${field}`);
  });
}

const [fast, plain] = [new Marks(1 << 20), new Marks(1 << 20, false)];

function quickly(text: string, observables: readonly Observable[], given: LogsOptions, marks = fast): string[] {
  const matcher = new LineMatcher(given, marks);
  for (const observable of observables) matcher.add(observable);
  const block = Buffer.from(text);
  return matcher.match(block, "x.log", { foreign: 0, long: 0 }).flatMap(({ from, hits }) => {
    const at = block.subarray(0, from).toString().split("\n").length - 1;
    return hits.map(({ observable, field }) => `${at} ${keyOf(observable)} ${field}`);
  });
}

const label = fc.constantFrom("a", "evil", "www", "x-1", "_dmarc", "xn--bcher-kva", "1");
const name = fc.tuple(fc.array(label, { minLength: 1, maxLength: 4 }), fc.constantFrom("example", "test", "co", "c")).map(([labels, top]) => [...labels, top].join("."));
const ipv4 = fc.tuple(fc.constantFrom(10, 192), fc.constantFrom(0, 1), fc.constantFrom(0, 2), fc.integer({ min: 0, max: 3 })).map((bytes) => bytes.join("."));
const ipv6 = fc.tuple(fc.constantFrom("2001:db8", "fd00", "0"), fc.constantFrom("0", "1", "ffff"), fc.constantFrom("1", "a00:1")).map(([a, b, c]) => {
  const [head, tail] = [a.split(":"), [b, ...c.split(":")]];
  return [...head, ...Array.from({ length: 8 - head.length - tail.length }, () => "0"), ...tail].join(":");
});
const address = fc.oneof(ipv4, ipv6);
const path = fc.constantFrom("/", "/a", "/a/b?c=d", "/A", "/é", "?x=/y", "/a@b", "//", "/?u=http://evil.example/");
const url = fc.tuple(fc.constantFrom("http://", "https://", "", "ftp://"), fc.oneof(name, ipv4, ipv6.map((text) => `[${text}]`)), fc.constantFrom("", ":80", ":8080"), path).map((parts) => parts.join(""));
const mail = fc.tuple(fc.constantFrom("a", "bad.guy", "x+y", "a/b"), name).map((parts) => parts.join("@"));
const hexadecimal = fc.tuple(fc.constantFrom("ab", "0c", "f1"), fc.constantFrom(16, 20, 32, 64)).map(([pair, count]) => pair.repeat(count));
const ja4 = fc.constantFrom("t13d1516h2_8daaf6152771_b186095e22b6", "q13d0310h3_55b375c5d22e_cd85d2d88918");

const observable: fc.Arbitrary<Observable | undefined> = fc
  .oneof(
    fc.tuple(fc.constantFrom("ipv4-addr:value"), fc.oneof(address, fc.tuple(address, fc.constantFrom("/24", "/31", "/9", "/48", "/127")).map((parts) => parts.join("")))),
    fc.tuple(fc.constant("domain-name:value"), name),
    fc.tuple(fc.constant("url:value"), url),
    fc.tuple(fc.constant("email-addr:value"), mail),
    fc.tuple(fc.constantFrom("file:hashes.MD5", "file:hashes.'SHA-1'", "file:hashes.'SHA-256'", "file:hashes.'SHA-512'", "x509-certificate:hashes.'SHA-1'", "x-tls:ja3", "x-tls:ja3s"), hexadecimal),
    fc.tuple(fc.constant("x-tls:ja4"), ja4),
    fc.constantFrom<[at: string, value: string][]>(
      ["ipv4-addr:value", "203.0.113.9"], ["ipv4-addr:value", "198.51.100.0/23"], ["ipv6-addr:value", "2001:db8:bad::/48"], ["domain-name:value", "evil.example"],
      ["url:value", "http://evil.example/gate.php?id=7"], ["url:value", "portal.example/start"], ["email-addr:value", "billing@invoice.example"],
      ["file:hashes.MD5", "9e107d9d372bb6826bd81d3542a419d6"], ["x509-certificate:hashes.'SHA-1'", "4db1aa2fcb7e415108e3c10b8e24672fb14e0b2d"],
      ["x-tls:ja3", "e7d705a3286e19ea42f587b344ee6865"],
    ),
  )
  .map(([at, value]) => observableAt(at, value))
  .map((read) => ("kind" in read ? read : undefined));

/** The ways tools have to write what indicators name. */
const spelled = (plainly: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  plainly.chain((text) =>
    fc.oneof(
      { weight: 3, arbitrary: fc.constantFrom(text, text.replace(/..(?!$)/g, "$&:"), text.replace(/\b0\b/g, "0000"), text.replace("xn--bcher-kva", "bücher"), `Ann <${text}>, bo@good.example`) },
      {
        weight: 1,
        arbitrary: fc.constantFrom(
          text.toUpperCase(), `${text}.`, `[${text}]`, `<${text}>`, `::ffff:${text}`, text.replace(/(^|:)0(:0)+:/, "::"), text.replace("evil", "ｅvil"), `${text}#top`, text.replace("//", "//user:pw@"),
        ),
      },
    ),
  );
const noise = fc.oneof(fc.string({ maxLength: 12 }), fc.string({ unit: "binary", maxLength: 12 }), fc.constantFrom("closed", "2026-03-04T05:06:07.891011+0000", "\\", "\\\"", "\",", "C:\\a\\", "{\"a\":\"b\"}", ""));
const suited: Readonly<Record<FieldContent, fc.Arbitrary<string>>> = {
  ip: spelled(address), host: spelled(fc.oneof(name, address)), url: spelled(url), email: spelled(mail), file_hash: spelled(hexadecimal), certificate: spelled(hexadecimal),
  ja3: hexadecimal, ja3s: hexadecimal, ja4: spelled(ja4),
};
const text = fc.oneof({ weight: 3, arbitrary: fc.oneof(...Object.values(suited)) }, noise);

/** JSON with escapes and blanks where they may stand. */
function written(value: unknown, dice: () => number): string {
  const blank = (): string => (dice() < 0.1 ? " " : dice() < 0.02 ? "\t" : "");
  if (typeof value === "string") {
    const escaped = dice() < 0.3;
    return JSON.stringify(value).replace(/\\.|[^"\\]/gs, (part) => {
      if (part === "/" && escaped) return "\\/";
      return part.length === 1 && escaped && dice() < 0.2 ? `\\u${part.charCodeAt(0).toString(16).padStart(4, "0")}` : part;
    });
  }
  if (Array.isArray(value)) return `[${value.map((item) => blank() + written(item, dice) + blank()).join(",")}]`;
  if (typeof value === "object" && value !== null) {
    return `{${Object.entries(value).map(([key, item]) => `${blank()}${written(key, dice)}${blank()}:${blank()}${written(item, dice)}${blank()}`).join(",")}}`;
  }
  return JSON.stringify(value);
}

/** @param at a path; `~` is a dot within a key */
function put(event: Record<string, unknown>, at: string, value: unknown): void {
  const [step = "", ...rest] = at.split(".");
  const list = step.endsWith("[]");
  const key = (list ? step.slice(0, -2) : step).replaceAll("~", ".");
  let inner: unknown = value;
  if (rest.length > 0) {
    const there = event[key];
    inner = (Array.isArray(there) ? there[0] : there) ?? {};
    if (typeof inner !== "object") return;
    put(inner as Record<string, unknown>, rest.join("."), value);
  }
  event[key] = list ? [inner, "other"] : inner;
}

const event = fc.constantFrom(...Object.values(presets)).chain(({ mark, fields, urls }) => {
  const field = fc.constantFrom(...fieldContents).chain((content) => fc.tuple(fc.constantFrom(...fields[content].flatMap((at) => [at, at, at.replace(/\.(?=[^.]*$)/, "~"), at.replace(".", "~")])), fc.oneof({ weight: 4, arbitrary: suited[content] }, text)));
  const splitUrl = urls.length === 0 ? fc.constant(null) : fc.option(fc.tuple(fc.constantFrom(...urls), fc.oneof(name, ipv4, ipv6.map((each) => `[${each}]`)), fc.oneof(path, url), fc.constantFrom(80, 443, 8_080)));
  const other = fc.oneof(
    fc.tuple(fc.string({ maxLength: 6 }), fc.oneof(text, fc.integer(), fc.constant(null), fc.array(text, { maxLength: 3 }))),
    fc.tuple(fc.constantFrom("a", "u", "ours"), text),
    fc.tuple(fc.constantFrom("b"), text.map((value) => ({ cd: value }))),
  );
  return fc.tuple(fc.constantFrom(mark, mark, mark, "other"), fc.array(field, { maxLength: 6 }), splitUrl, fc.array(other, { maxLength: 3 })).map(([marked, values, pair, others]) => {
    const made: Record<string, unknown> = Object.fromEntries<unknown>(others);
    for (const [at, value] of values) put(made, at, value);
    if (pair !== null) {
      const [{ host, target, port }, hostValue, targetValue, portValue] = pair;
      put(made, host, hostValue);
      put(made, target, targetValue);
      put(made, port, portValue);
    }
    return { [marked]: 1, ...made };
  });
});

const line = fc.oneof(
  { weight: 8, arbitrary: fc.tuple(event, fc.infiniteStream(fc.nat({ max: 99 }), { noHistory: true })).map(([made, stream]) => written(made, () => (stream.next().value as number) / 100)) },
  { weight: 2, arbitrary: fc.constantFrom(...everyLine) },
  { weight: 1, arbitrary: event.map((made) => JSON.stringify(made).slice(0, -5)) },
  { weight: 1, arbitrary: fc.oneof(fc.string({ unit: "binary" }), fc.constantFrom("", "#fields\tts", '"', "[]", "\\\"\"", '{"src_ip":"10.0.0.1","')).map((junk) => junk.replaceAll("\n", "")) },
);
const file = fc.array(line, { maxLength: 12 }).map((all) => all.map((one) => `${one}\n`).join(""));
const watched = fc.array(observable, { minLength: 10, maxLength: 60 }).map((all) => all.filter((one) => one !== undefined));

test("the quick way finds just what a look at every line finds", () => {
  let found = 0;
  fc.assert(
    fc.property(file, watched, fc.boolean(), (content, observables, subdomains) => {
      const given = options({ subdomains, fields: { ...options().fields, host: ["a", "b.cd"], url: ["u"], email: ["ours"] } });
      const expected = slowly(content, observables, given);
      found += expected.length;
      expect(quickly(content, observables, given)).toStrictEqual(expected);
      expect(quickly(content, observables, given, plain)).toStrictEqual(expected);
    }),
    { numRuns: 1_000 * scale },
  );
  expect(found).toBeGreaterThan(200);
});

test("the marks are the same with and without SIMD", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.array(fc.constantFrom(...Buffer.from('"\\\n,]}: /{\r\t\u007fa')), { maxLength: 300 }), (some, others) => {
      for (const bytes of [some, Uint8Array.from(others)]) {
        const words = [fast, plain].map((marks) => {
          marks.bytes.set(bytes);
          marks.mark(bytes.length);
          return [...marks.words.subarray(0, Math.ceil(bytes.length / 32) * 4)];
        });
        expect(words[0]).toStrictEqual(words[1]);
      }
    }),
    { numRuns: 300 * scale },
  );
});

describe("spellings of", () => {
  test.each<[what: string, line: string, observable: Observable]>([
    ["slashes as Suricata writes them", lines.suricata7.http, { kind: "url", value: "http://evil.example/gate.php?id=7" }],
    ["letters by their number", String.raw`{"event_type":"dns","dns":{"rrname":"\u0065vil.\u0065xample"}}`, { kind: "domain", value: "evil.example" }],
    ["an at sign by its number", String.raw`{"ts":1,"from":"Ann \u003cann\u0040evil.example\u003e"}`, { kind: "email", value: "ann@evil.example" }],
    ["a name in its own script", String.raw`{"ts":1,"query":"B\u00dcCHER.example"}`, { kind: "domain", value: "xn--bcher-kva.example" }],
    ["quotes in a value before", String.raw`{"event_type":"x","alert":{"signature":"say \",\"\\"},"src_ip":"192.0.2.1"}`, { kind: "ip", value: "192.0.2.1" }],
    ["an address in other words, in a URL", String.raw`{"event_type":"http","http":{"http_refer":"http:\/\/[0:0:0:0:0:ffff:a00:1]:8080\/a"}}`, { kind: "url", value: "http://10.0.0.1:8080/a" }],
    ["the end of a key by its number", String.raw`{"event_type":"x","src_i\u0070":"192.0.2.1"}`, { kind: "ip", value: "192.0.2.1" }],
    ["a dot in a key", `{"class_uid":1,"src_endpoint.ip":"192.0.2.1"}`, { kind: "ip", value: "192.0.2.1" }],
    ["keys by their number", String.raw`{"event_type":"x","s\u0072c_ip":"192.0.2.1"}`, { kind: "ip", value: "192.0.2.1" }],
  ])("%s", (_, content, one) => {
    expect(quickly(`${content}\n`, [one], options()).map((found) => found.split(" ")[1])).toStrictEqual([keyOf(one)]);
  });
});

test("bytes that are no UTF-8 spoil only the value they are in", () => {
  const matcher = new LineMatcher(options(), fast);
  matcher.add({ kind: "ip", value: "192.0.2.1" });
  const block = Buffer.concat([Buffer.from('{"ts":1,"user_agent":"'), Buffer.from([0xff, 0xc3, 0x28]), Buffer.from('","id.orig_h":"192.0.2.1"}\n')]);
  expect(matcher.match(block, "http.log", { foreign: 0, long: 0 })).toMatchObject([{ from: 0, to: block.length, hits: [{ field: "id.orig_h", schema: "zeek.http" }] }]);
});

test("of many lines only those that matter are parsed, and what is no JSON is counted", () => {
  const matcher = new LineMatcher(options(), fast);
  for (const value of ["192.0.2.99", "no.example"]) matcher.add(observableAt(value.startsWith("1") ? "ipv4-addr:value" : "domain-name:value", value) as Observable);
  const strays = { foreign: 0, long: 0 };
  const broken = ["#separator \\x09", '{"ts":1,"id.orig_h":"192.0.2.99"', "", "  ", '{"ts":1,"query":'];
  expect(matcher.match(Buffer.from([...everyLine, ...broken].map((one) => `${one}\n`).join("")), "x", strays)).toStrictEqual([]);
  // The first by its first byte, the second since it might have mattered.
  expect(strays).toStrictEqual({ foreign: 2, long: 0 });
});

test("what is removed is found no more, however often things come and go", () => {
  const matcher = new LineMatcher(options(), fast);
  const block = Buffer.from(everyLine.map((one) => `${one}\n`).join(""));
  const ip: Observable = { kind: "ip", value: "203.0.113.9" };
  const find = (): number => matcher.match(block, "x", { foreign: 0, long: 0 }).length;
  matcher.add(ip);
  const before = find();
  expect(before).toBeGreaterThan(3);
  for (let round = 0; round < 3_000; round++) {
    const other: Observable = { kind: "domain", value: `host-${round}.example` };
    matcher.add(other);
    matcher.remove(other);
  }
  expect(find()).toBe(before);
  matcher.remove(ip);
  expect(find()).toBe(0);
});
