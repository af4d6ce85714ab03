import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeMessage, isThreatbusError, message } from "../src/index.ts";
import type { RefusalReason } from "../src/index.ts";
import { bytes, indicator, scale, sighting } from "./samples.ts";

function reasonFor(topic: string, payload: Uint8Array): RefusalReason | "taken" | "crash" {
  try {
    decodeMessage(topic, payload);
    return "taken";
  } catch (thrown) {
    return isThreatbusError(thrown, "MESSAGE_REFUSED") ? thrown.reason ?? "crash" : "crash";
  }
}

const one = indicator();
const text = JSON.stringify(one);
const seen = sighting(one);

describe("what is refused, and why", () => {
  const table: [string, RefusalReason | "taken", unknown, string?][] = [
    ["an indicator", "taken", one],
    ["an indicator from python-stix2, spaces and all", "taken", text.replaceAll(":", ": ").replace("2024-05-01T12: 00: 00.000Z", "2024-05-01T12:00:00.123456Z").replaceAll("T12: 00: 00.000Z", "T12:00:00Z").replace("ipv4-addr: value", "ipv4-addr:value")],
    ["a sighting", "taken", seen],
    ["a sighting of the nil note", "taken", { ...seen, sighting_of_ref: "note--00000000-0000-4000-8000-000000000000" }],
    ["a custom property", "taken", { ...one, x_mine: { deep: [1, { a: null }] } }],
    ["a custom object", "taken", { type: "x-mine", id: one.id.replace("indicator", "x-mine") }],
    ["an observable without times", "taken", { type: "ipv4-addr", id: one.id.replace("indicator", "ipv4-addr"), value: "198.51.100.7" }],
    ["any version of UUID", "taken", { ...one, id: "indicator--00000000-0000-0000-0000-000000000000" }],
    ["a rule as indicator", "taken", { ...one, pattern_type: "suricata", pattern: "alert ip any any -> any any (sid:1;)" }],
    ["nine decimals", "taken", { ...one, created: "2024-05-01T12:00:00.123456789Z" }],
    ["a leap day", "taken", { ...one, created: "2024-02-29T12:00:00Z" }],
    ["a removal", "taken", { ...one, x_threatbus_update: "REMOVE" }],
    ["a byte order mark", "taken", `\ufeff{"type":"x-a","id":"x-a--00000000-0000-0000-0000-000000000000"}`],
    ["an escaped pair of surrogates", "taken", text.replace("{", '{"x_a":"\\ud83d\\ude00",')],
    ["no JSON", "json", "{"],
    ["nothing", "json", ""],
    ["a list", "type", [one]],
    ["null", "type", "null"],
    ["no type", "type", { ...one, type: undefined }],
    ["a type that is none", "type", { ...one, type: "Indicator!" }],
    ["a key twice", "keys", text.replace("{", '{"id":"x",')],
    ["a key twice, once escaped", "keys", text.replace("{", '{"\\u0069d":"x",')],
    ["a key twice, deep inside", "keys", text.replace("{", '{"x_a":[{"b":1,"b" :2}],')],
    ["__proto__", "keys", text.replace("{", '{"__proto__":{"admin":true},')],
    ["__proto__ deep inside", "keys", text.replace("{", '{"x_a":[{"__proto__":1}],')],
    ["constructor", "keys", text.replace("{", '{"constructor":1,')],
    ["65 levels", "depth", text.replace("{", `{"x_a":${"[".repeat(64)}${"]".repeat(64)},`)],
    ["64 levels", "taken", text.replace("{", `{"x_a":${"[".repeat(63)}${"]".repeat(63)},`)],
    ["a million levels", "depth", "[".repeat(1_000_000) + "]".repeat(1_000_000)],
    ["a million levels, not closed", "json", "[".repeat(1_000_000)],
    ["a key twice, in a text as long as the value with long numbers", "keys", text.replace("{", '{"x_b":1e5,"x_a":1,"x_a":1,')],
    ["numbers of every length", "taken", { ...one, x_a: [0, -1, 7, 10, 99.5, 100, 999, 1000, 1e21, 1e-7, -0.5] }],
    ["half a surrogate pair", "utf8", text.replace("{", '{"x_a":"\\ud83d",')],
    ["half a surrogate pair in a key", "utf8", text.replace("{", '{"x_\\ude00":1,')],
    ["an id of another type", "id", { ...one, id: seen.id }],
    ["an id without UUID", "id", { ...one, id: "indicator--1" }],
    ["a dash where a digit should be", "id", { ...one, id: "indicator--0000000--0000-0000-0000-000000000000" }],
    ["a digit where a dash should be", "id", { ...one, id: "indicator--000000000000-0000-0000-000000000000" }],
    ["one dash before the UUID", "id", { ...one, id: "indicator-000000000-0000-0000-0000-000000000000" }],
    ["a letter that is no digit", "id", { ...one, id: "indicator--0000000g-0000-0000-0000-000000000000" }],
    ["a wide digit", "id", { ...one, id: "indicator--0000000\uff10-0000-0000-0000-000000000000" }],
    ["no created", "time", { ...one, created: undefined }],
    ["a local time", "time", { ...one, modified: "2024-05-01T12:00:00+02:00" }],
    ["a day that is none", "time", { ...one, created: "2023-02-29T12:00:00Z" }],
    ["an hour that is none", "time", { ...one, created: "2023-02-28T24:00:00Z" }],
    ["a number for a time", "time", { ...one, valid_from: 1714564800 }],
    ["ten decimals", "time", { ...one, created: "2024-05-01T12:00:00.1234567890Z" }],
    ["no pattern", "pattern", { ...one, pattern: undefined }],
    ["a pattern that does not parse", "pattern", { ...one, pattern: "[ipv4-addr:value = '1" }],
    ["an unknown update", "value", { ...one, x_threatbus_update: "DELETE" }],
    ["a sighting of nothing", "id", { ...seen, sighting_of_ref: "nothing" }],
    ["a negative count", "value", { ...seen, count: -1 }],
    ["a context that is none", "value", { ...seen, x_threatbus_sighting_context: "text" }],
    ["a sighted indicator that is none", "pattern", { ...seen, x_threatbus_indicator: { ...one, pattern: "[" } }],
    ["an unknown format", "topic", one, "cef/event"],
    ["a topic without type", "topic", one, "stix2"],
    ["a snapshot request", "taken", { type: "snapshotrequest", snapshot_type: 1, snapshot_id: "a", snapshot: 2592000 }, "threatbus/snapshotrequest"],
    ["an envelope", "taken", { type: "snapshotenvelope", snapshot_type: 2, snapshot_id: "a", body: seen }, "threatbus/snapshotenvelope"],
    ["an envelope of the other type", "type", { type: "snapshotenvelope", snapshot_type: 1, snapshot_id: "a", body: seen }, "threatbus/snapshotenvelope"],
    ["an envelope of an envelope", "id", { type: "snapshotenvelope", snapshot_type: 1, snapshot_id: "a", body: { type: "snapshotenvelope" } }, "threatbus/snapshotenvelope"],
    ["a snapshot of the whole past", "value", { type: "snapshotrequest", snapshot_type: 1, snapshot_id: "a", snapshot: 1e12 }, "threatbus/snapshotrequest"],
    ["a Sigma rule", "taken", "title: a\nlogsource:\n  product: zeek\ndetection:\n  condition: s\n", "sigma/rule"],
    ["text that is no Sigma rule", "rule", "hello", "sigma/rule"],
    ["a YARA rule", "taken", "private rule a : tag {\n strings: $a = \"x\"\n condition: $a\n}", "yara/rule"],
    ["text that is no YARA rule", "rule", "rule", "yara/rule"],
  ];
  it.each(table)("%s: %s", (_name, reason, value, topic = "stix2/indicator") => {
    expect(reasonFor(topic, bytes(value))).toBe(reason);
  });

  it("bytes that are no UTF-8: utf8", () => {
    expect(reasonFor("stix2/indicator", Buffer.from(text.replace("{", '{"x_a":"\u00e9",'), "latin1"))).toBe("utf8");
    expect(reasonFor("yara/rule", Buffer.from([0x72, 0xff]))).toBe("utf8");
  });

  it("more than 16 MiB: size", () => {
    expect(reasonFor("stix2/indicator", Buffer.alloc(16 * 1024 * 1024 + 1, 0x20))).toBe("size");
  });
});

describe("two views of one content", () => {
  it("keeps the bytes that came, times included", () => {
    const payload = bytes(text.replace("12:00:00.000Z", "12:00:00.1234Z"));
    expect(decodeMessage("stix2/indicator", payload).payload).toBe(payload);
  });

  it("lets the content decide the topic", () => {
    expect(decodeMessage("stix2/indicator", bytes(seen)).topic).toBe("stix2/sighting");
    expect(message(one).topic).toBe("stix2/indicator");
  });

  it("makes the bytes once and freezes the body", () => {
    const made = message(indicator());
    expect(made.payload).toBe(made.payload);
    expect(Object.isFrozen(made.body)).toBe(true);
    expect(JSON.parse(Buffer.from(made.payload).toString())).toEqual(made.body);
  });

  it("gives each message one id of its own", () => {
    const made = message(indicator());
    expect(made.id).toBe(made.id);
    expect(made.id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(new Set(Array.from({ length: 1000 }, () => message(one).id)).size).toBe(1000);
  });

  it("refuses what JSON cannot carry", () => {
    const circle: Record<string, unknown> = { ...one };
    circle["x_self"] = circle;
    for (const bad of [circle, { ...one, x_a: 1n }, { ...one, x_a: () => 1 }, { ...one, x_a: Number.NaN }]) {
      expect(() => message(bad as never)).toThrowError(expect.objectContaining({ code: "MESSAGE_REFUSED" }) as Error);
    }
  });
});

describe("any bytes", () => {
  const options = { numRuns: 2_000 * scale };
  it("are taken or refused, nothing else", () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 400 }), (payload) => reasonFor("stix2/indicator", payload) !== "crash"), options);
  });

  it("and any mutation of a message too, without touching Object.prototype", () => {
    const before = Object.getOwnPropertyNames(Object.prototype).length;
    fc.assert(fc.property(fc.nat(text.length - 1), fc.string({ unit: "binary", maxLength: 4 }), fc.nat(3), (at, put, cut) =>
      reasonFor("stix2/indicator", bytes(text.slice(0, at) + put + text.slice(at + cut))) !== "crash"), options);
    expect(Object.getOwnPropertyNames(Object.prototype).length).toBe(before);
  });

  it("that are JSON without a repeated key come out as JSON.parse has them", () => {
    fc.assert(fc.property(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 5 })), (extra) => {
      const own = Object.hasOwn(extra, "__proto__") || JSON.stringify(extra).includes("__proto__");
      const object = { ...one, x_extra: extra };
      const verdict = reasonFor("stix2/indicator", bytes(object));
      if (own) return verdict === "keys" || verdict === "taken";
      expect(JSON.stringify(decodeMessage("stix2/indicator", bytes(object)).body)).toBe(JSON.stringify(object));
      return true;
    }), options);
  });
});
