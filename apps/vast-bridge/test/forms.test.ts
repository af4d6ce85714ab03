/** Small forms: times, events, JSON for Python, lines of metrics, commands. */
import { mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { manualClock } from "@threatbus/testkit";
import fc from "fast-check";
import { decodeMessage, isTimestamp, silentLogger } from "@threatbus/core";
import type { Timestamp } from "@threatbus/zmq-client";
import { describe, expect, it, test } from "vitest";
import { fillCommand, splitCommand } from "../src/command.ts";
import type { JsonObject } from "../src/engine.ts";
import { eventTime, millisecondsOf } from "../src/event-time.ts";
import { escapeTag, Interval } from "../src/line-protocol.ts";
import { MetricsFile } from "../src/metrics-file.ts";
import { presentable } from "../src/presentable.ts";
import { Progress } from "../src/progress.ts";
import { pythonJson } from "../src/python-json.ts";
import { findingOf, sightingOf, uuid5 } from "../src/sighting.ts";
import { indicator } from "./program.ts";

describe("times of events", () => {
  it.each([
    ["2016-01-02T19:08:01.310448000", "2016-01-02T19:08:01.310448Z"],
    ["2009-11-18T21:01:53.173350144", "2009-11-18T21:01:53.17335Z"],
    ["2021-01-01T00:00:00", "2021-01-01T00:00:00Z"],
    ["2021-01-01T00:00:00.000", "2021-01-01T00:00:00Z"],
    ["2021-01-01 00:00:00.01004Z", "2021-01-01T00:00:00.01004Z"],
    ["2026-11-21T06:54:11.196327+0000", "2026-11-21T06:54:11.196327Z"],
    ["2026-11-21T06:54:11.196327+05:30", "2026-11-21T01:24:11.196327Z"],
    ["2026-01-01T00:30:00-01:00", "2026-01-01T01:30:00Z"],
    [1_591_367_999.305988, "2020-06-05T14:39:59.305988Z"],
    [1_591_367_999, "2020-06-05T14:39:59Z"],
    [1_591_367_999_305, "2020-06-05T14:39:59.305Z"],
  ])("%s", (given, time) => {
    expect(eventTime(given)).toBe(time);
  });

  it.each(["", "yesterday", "2021-13-01T00:00:00", "2021-01-32T00:00:00", "2021-02-30T00:00:00Z", "2021-01-01T00:00:00+99:00", "x".repeat(1_000), null, {}, -1, Number.NaN, Infinity])("%s is none", (given) => {
    expect(eventTime(given)).toBeUndefined();
  });

  it("are STIX times whatever comes, and of the same instant, local time zone or not", () => {
    fc.assert(fc.property(fc.date({ min: new Date(0), max: new Date("2200-01-01"), noInvalidDate: true }), fc.nat(999_999), (date, micros) => {
      const seconds = date.toISOString().slice(0, 19), text = `${seconds}.${String(micros).padStart(6, "0")}`;
      const time = eventTime(text);
      expect(isTimestamp(time)).toBe(true);
      expect(time).not.toMatch(/\.\d*0Z$|\.Z$/);
      expect(millisecondsOf(time as Timestamp)).toBe(Date.parse(`${seconds}Z`) + Math.floor(micros / 1_000));
    }));
    fc.assert(fc.property(fc.oneof(fc.string(), fc.double(), fc.integer(), fc.stringMatching(/^\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:?\d\d)?$/)), (given) => {
      const time = eventTime(given);
      expect(time === undefined || isTimestamp(time)).toBe(true);
    }));
  });
});

/** What the bus says to a sighting of this event. */
function accepted(event: object): unknown {
  const finding = findingOf({ observable: { kind: "ip", value: "198.51.100.7" }, event: event as JsonObject, time: "2026-01-01T00:00:00" }, "RETRO");
  if (finding === undefined) throw new Error("no finding");
  const report = sightingOf(finding, indicator(1, "[ipv4-addr:value = '198.51.100.7']"), "VAST", "2026-01-01T00:00:00Z");
  return decodeMessage("stix2/sighting", Buffer.from(JSON.stringify(report))).body;
}

describe("events", () => {
  it("are left as they are", () => {
    fc.assert(fc.property(fc.dictionary(fc.string({ unit: "grapheme", minLength: 1 }).filter((name) => name !== "__proto__"), fc.jsonValue({ maxDepth: 4 })), (event) => {
      fc.pre(!JSON.stringify(event).includes("__proto__"));
      expect(presentable(event)).toEqual(event);
    }));
  });

  it("are taken by the bus, however hostile", () => {
    let deep: unknown = 1;
    for (let n = 0; n < 5_000; n++) deep = n % 2 === 0 ? [deep] : { deep };
    const hostile: object[] = [
      { deep },
      JSON.parse('{"a":1,"__proto__":{"polluted":true},"b":{"__proto__":1}}') as object,
      { half: "\ud83d", "\udc00": "x", ok: "😀" },
      { long: "x".repeat(5_000_000) },
      { many: Array.from({ length: 500_000 }, (_, n) => n) },
      Object.fromEntries(Array.from({ length: 200_000 }, (_, n) => [`key${n}`, n])),
      { wide: "ü".repeat(300_000), more: "\u0000".repeat(100_000) },
    ];
    for (const event of hostile) expect(accepted(event)).toMatchObject({ type: "sighting" });
    expect(Object.keys(presentable(hostile[1] as never))).toEqual(["a", "b"]);
    fc.assert(fc.property(fc.object({ maxDepth: 3, withNullPrototype: false }), (event) => {
      const plain = JSON.parse(JSON.stringify(event)) as object;
      expect(accepted(plain)).toMatchObject({ type: "sighting" });
    }), { numRuns: 50 });
  });
});

test("an identifier is the same for the same name, of version 5, and another for another", () => {
  expect(uuid5("a")).toBe(uuid5("a"));
  expect(uuid5("a")).not.toBe(uuid5("b"));
  expect(uuid5("a")).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});

describe("JSON for Python", () => {
  it("is spaced as json.dumps does", () => {
    expect(pythonJson({ a: [1, { b: null }], "c d": "x,\n y: ü\u2028", e: [], f: {} })).toBe('{"a": [1, {"b": null}], "c d": "x,\\n y: \\u00fc\\u2028", "e": [], "f": {}}');
  });

  it("is the same JSON, in one line of ASCII", () => {
    fc.assert(fc.property(fc.jsonValue(), (value) => {
      const text = pythonJson(value);
      expect(text).toMatch(/^[\u0020-\u007e]*$/);
      expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
    }));
  });
});

/** A reader of the line protocol, as strict as the database's. */
const line = /^vast-threatbus,host=(?:[^,= \\\n\r]|\\[,= ])+ ([a-z_]+=-?\d+(?:\.\d+)?(?:e[+-]?\d+)?(?:,[a-z_]+=-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)*) \d{19}\n$/;

describe("a line of metrics", () => {
  const fieldsOf = (text: string): string[] => (line.exec(text)?.[1] ?? "").split(",").map((field) => field.split("=")[0] ?? "");

  it("has the names and the order of the reference, and nothing that was not touched", () => {
    const interval = new Interval();
    expect(interval.take("h", undefined, 1_795_244_016_057)).toBe("");
    interval.count("added_iocs", 7);
    interval.count("removed_iocs");
    interval.searched(1, 0, 220);
    interval.searched(1, 1, 500);
    interval.count("live_matcher_sightings", 2);
    expect(interval.take("localhost", 1, 1_795_244_016_057)).toBe(
      "vast-threatbus,host=localhost added_iocs=7,removed_iocs=1,retro_matches_per_ioc_min=0,retro_matches_per_ioc_max=1,retro_matches_per_ioc_avg=0.5," +
        "retro_query_time_per_ioc_min=0.22,retro_query_time_per_ioc_max=0.5,retro_query_time_per_ioc_avg=0.36,retro_match_backlog=1,live_matcher_sightings=2 1795244016057000000\n",
    );
    expect(interval.take("localhost", undefined, 1_795_244_016_057)).toBe("");
  });

  it("is valid for any host, and holds no field twice", () => {
    fc.assert(fc.property(fc.oneof(fc.string({ unit: "binary" }), fc.constantFrom("", "a b,c=d\\", "\n")), fc.array(fc.tuple(fc.nat(50), fc.nat(9), fc.nat(100_000))), fc.nat(1_000), (host, searches, backlog) => {
      const interval = new Interval();
      for (const [observables, hits, took] of searches) interval.searched(observables, hits, took);
      interval.count("added_iocs", searches.length);
      const text = interval.take(host, backlog, 1_795_244_016_057);
      expect(text).toMatch(line);
      expect(new Set(fieldsOf(text)).size).toBe(fieldsOf(text).length);
    }));
    expect(escapeTag("a b,c=d\\")).toBe("a\\ b\\,c\\=d");
  });
});

describe("a file of metrics", () => {
  it("is put aside when it is large, and a disk that takes nothing is told once", async () => {
    const folder = mkdtempSync(join(tmpdir(), "threatbus-metrics-")), filename = join(folder, "metrics.log"), interval = new Interval(), told: string[] = [];
    const host = { clock: manualClock(), logger: { ...silentLogger, warn: (text: string) => void told.push(text) } };
    writeFileSync(filename, "");
    truncateSync(filename, 65 * 1024 * 1024);
    const file = new MetricsFile({ filename, interval: 86_400 }, interval, () => 0, host);
    interval.count("added_iocs");
    await file.close();
    expect(readFileSync(filename, "utf8")).toMatch(line);
    expect(statSync(`${filename}.1`).size).toBe(65 * 1024 * 1024);
    const nowhere = new MetricsFile({ filename: join(folder, "no", "folder"), interval: 86_400 }, interval, () => 0, host);
    for (const _ of [1, 2]) {
      interval.count("added_iocs");
      nowhere.flush();
    }
    await nowhere.close();
    expect(told).toEqual(["the metrics cannot be written"]);
    rmSync(folder, { recursive: true });
  });
});

describe("a command", () => {
  it.each([
    ["fever alertify --ioc %ioc", ["fever", "alertify", "--ioc", "%ioc"]],
    ["fever  alertify --alert-prefix 'MY PREFIX'\t--extra-key my-ioc", ["fever", "alertify", "--alert-prefix", "MY PREFIX", "--extra-key", "my-ioc"]],
    [`a "b 'c' \\" \\\\ \\x" d\\ e f''g ''`, ["a", `b 'c' " \\ \\x`, "d e", "fg", ""]],
    ["a $HOME `id` $(id) ; | > x &", ["a", "$HOME", "`id`", "$(id)", ";", "|", ">", "x", "&"]],
  ])("%s", (text, words) => {
    expect(splitCommand(text)).toEqual(words);
  });

  it.each([["", "no program"], ["  ", "no program"], ["a 'b", "quote"], ['a "b', "quote"], ["a \\", "backslash"], ["%ioc x", "name the program"]])("%s is refused for its %s", (text, words) => {
    expect(() => splitCommand(text)).toThrow(words);
  });

  it("is split as its words were quoted, and keeps each argument one whatever is filled in", () => {
    const quoted = (word: string): string => `'${word.replaceAll("'", "'\\''")}'`;
    const words = fc.array(fc.oneof(fc.string(), fc.constantFrom("%ioc", "--opt=%ioc", "%matchtype", "$&", "%ioc%ioc")), { maxLength: 6 });
    fc.assert(fc.property(words, fc.string(), (args, ioc) => {
      const template = splitCommand(["p", ...args].map(quoted).join(" "));
      expect(template).toEqual(["p", ...args]);
      expect(fillCommand(template, { ioc, matchtype: "LIVE" })).toEqual(["p", ...args.map((word) => word.split(/(%ioc|%matchtype)/).map((part) => (part === "%ioc" ? ioc : part === "%matchtype" ? "LIVE" : part)).join(""))]);
    }));
  });
});

describe("progress", () => {
  function make(isTTY: boolean): { readonly shown: string[]; readonly logged: unknown[]; left: number; readonly progress: Progress } {
    const shown: string[] = [], logged: unknown[] = [];
    const state = { shown, logged, left: 0 };
    const progress = new Progress(() => state.left, { ...silentLogger, info: (_, fields) => void logged.push(fields) }, { isTTY, write: (text: string) => shown.push(text) });
    return Object.assign(state, { progress });
  }

  it("is one line at a terminal, gone when all is searched", () => {
    const one = make(true);
    for (const left of [2_000, 1_500, 0]) {
      one.left = left;
      one.progress.look();
    }
    expect(one.shown).toEqual(["\r\u001b[Ksearched 0 of 2,000 (0 %)", "\r\u001b[Ksearched 500 of 2,000 (25 %)", "\r\u001b[K"]);
    one.progress.close();
  });

  it("is told elsewhere by the log, at every tenth, and of little not at all", () => {
    const one = make(false);
    for (let left = 1_000; left >= 0; left -= 10) {
      one.left = left;
      one.progress.look();
    }
    expect(one.shown).toEqual([]);
    expect(one.logged.length).toBe(10);
    one.left = 50;
    one.progress.look();
    one.left = 0;
    one.progress.close();
    expect(one.logged.length).toBe(10);
  });
});
