/** The bridge's own logic, with an engine of the test's and a clock that stands still. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MetricSet, silentLogger } from "@threatbus/core";
import type { Logger } from "@threatbus/core";
import { manualClock } from "@threatbus/testkit";
import type { Timestamp } from "@threatbus/zmq-client";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { AllowList } from "../src/allow-list.ts";
import { Catalogue } from "../src/catalogue.ts";
import type { CatalogueOptions, Priority } from "../src/catalogue.ts";
import { EngineError } from "../src/engine.ts";
import type { Hit, Retro, RetroBounds, RetroEnd } from "../src/engine.ts";
import type { Observable } from "../src/observable.ts";
import { Repeats } from "../src/repeats.ts";
import { RetroMatching } from "../src/retro.ts";
import { findingOf, sightingOf } from "../src/sighting.ts";
import type { Report } from "../src/sighting.ts";
import { Store } from "../src/store.ts";
import { eventually, indicator } from "./program.ts";

const start = Date.parse("2026-06-01T00:00:00Z");
const day = 86_400_000;
let folder: string, clock: ReturnType<typeof manualClock>, metrics: MetricSet, stores: Store[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "threatbus-matching-"));
  clock = manualClock(start);
  metrics = new MetricSet();
  stores = [];
});
afterEach(() => {
  for (const store of stores) store.close();
  rmSync(folder, { recursive: true, force: true });
});
const store = (name: string): Store => {
  const made = new Store(join(folder, name));
  stores.push(made);
  return made;
};
const host = (): { clock: typeof clock; logger: typeof silentLogger; metrics: MetricSet } => ({ clock, logger: silentLogger, metrics });
const at = (ms: number): Timestamp => new Date(start + ms).toISOString() as Timestamp;
const evil = (number: number, name = "evil.example", more: object = {}): ReturnType<typeof indicator> =>
  indicator(number, `[domain-name:value = '${name}']`, { created: at(-day), modified: at(-day), valid_from: at(-day), ...more });

describe("the catalogue", () => {
  function open(name = "i", options: CatalogueOptions = { allowed: new AllowList([]), manualLabels: ["manual"], lifetime: Infinity }): { catalogue: Catalogue; told: string[] } {
    const told: string[] = [];
    const catalogue = new Catalogue(store(name), options, host());
    catalogue.load({ wanted: (one, id, priority) => void told.push(`+${one.value} ${id.slice(-1)} ${priority}`), unwanted: (one) => void told.push(`-${one.value}`) });
    return { catalogue, told };
  }

  it("counts who names a value, and lets it go with the last", () => {
    const { catalogue, told } = open();
    expect([evil(1), evil(2), evil(1)].map((one) => catalogue.take(one))).toEqual(["added", "added", "known"]);
    expect(catalogue.naming("domain:evil.example").map((id) => id.slice(-1))).toEqual(["1", "2"]);
    expect(catalogue.take({ ...evil(1), x_threatbus_update: "REMOVE" })).toBe("removed");
    expect(catalogue.take({ ...evil(1), x_threatbus_update: "REMOVE" })).toBe("unknown");
    expect(catalogue.naming("domain:evil.example").map((id) => id.slice(-1))).toEqual(["2"]);
    expect(catalogue.take({ ...evil(2), revoked: true, modified: at(0) })).toBe("removed");
    expect(told).toEqual(["+evil.example 1 backfill", "+evil.example 2 backfill", "-evil.example"]);
    expect(catalogue.size).toBe(0);
  });

  it("takes an edit for what it changes, and no old version for a new one", () => {
    const { catalogue, told } = open();
    const two = { ...evil(1), pattern: "[domain-name:value IN ('evil.example', 'worse.example')]", modified: at(-1) };
    catalogue.take(evil(1));
    expect(catalogue.take(two)).toBe("edited");
    expect(catalogue.take(evil(1))).toBe("known");
    expect(catalogue.take({ ...two, pattern: "[domain-name:value = 'worse.example']", modified: at(0) })).toBe("edited");
    expect(told).toEqual(["+evil.example 1 backfill", "+worse.example 1 feed", "-evil.example"]);
    expect(catalogue.take({ ...two, pattern: "[mutex:name = 'x']", modified: at(1) })).toBe("skipped");
    expect(told.at(-1)).toBe("-worse.example");
  });

  it("honours from when and until when, also while it runs, and a default lifetime", async () => {
    const { catalogue, told } = open();
    expect(catalogue.take(evil(1, "past.example", { valid_until: at(-1) }))).toBe("skipped");
    expect(catalogue.take(evil(2, "future.example", { valid_from: at(1_000), valid_until: at(2_000) }))).toBe("added");
    expect(told).toEqual([]);
    expect(catalogue.naming("domain:future.example")).toEqual([]);
    await clock.advance(1_000);
    catalogue.sweep();
    expect(told).toEqual(["+future.example 2 backfill"]);
    expect(catalogue.naming("domain:future.example").length).toBe(1);
    await clock.advance(1_000);
    // Not any more, whether or not it was swept: what is reported is looked up here.
    expect(catalogue.naming("domain:future.example")).toEqual([]);
    catalogue.sweep();
    expect(told.at(-1)).toBe("-future.example");
    const brief = open("j", { allowed: new AllowList([]), manualLabels: [], lifetime: 12 * 3_600_000 });
    expect(brief.catalogue.take(evil(3))).toBe("skipped");
    expect(brief.catalogue.take(evil(3, "x.example", { valid_until: at(day) }))).toBe("added");
  });

  it("leaves out what is allowed, and takes the rest", () => {
    const allowed = new AllowList(["10.0.0.0/8", "192.0.2.1", "2001:db8::/32", "good.example", "0CC175B9C0F1B6A831C399E269772661"]);
    const { catalogue, told } = open("a", { allowed, manualLabels: [], lifetime: Infinity });
    const values = [
      "[ipv4-addr:value = '10.1.2.3']", "[ipv4-addr:value = '10.1.0.0/16']", "[ipv4-addr:value = '192.0.2.1']", "[ipv6-addr:value = '2001:db8:1::1']", "[domain-name:value = 'good.example']",
      "[domain-name:value = 'a.b.good.example']", "[url:value = 'http://www.good.example/x']", "[url:value = 'http://10.1.2.3/x']", "[email-addr:value = 'a@good.example']",
      "[file:hashes.MD5 = '0cc175b9c0f1b6a831c399e269772661']",
    ];
    expect(values.map((pattern, n) => catalogue.take({ ...evil(n), pattern }))).toEqual(values.map(() => "skipped"));
    expect(metrics.counter("indicators_skipped", { reason: "allowed" }).value).toBe(values.length);
    expect(catalogue.take({ ...evil(9), pattern: "[domain-name:value IN ('good.example', 'notgood.example', 'good.example.evil') OR ipv4-addr:value IN ('10.0.0.0/8', '192.0.2.2')]" })).toBe("added");
    expect(told.map((line) => line.split(" ")[0])).toEqual(["+notgood.example", "+good.example.evil", "+192.0.2.2"]);
  });

  it("tells what is urgent", () => {
    const { catalogue, told } = open();
    catalogue.take(evil(1, "old.example"));
    catalogue.take(evil(2, "new.example", { modified: at(-60_000) }));
    catalogue.take(evil(3, "hand.example", { labels: ["x", "manual"] }));
    expect(told).toEqual(["+old.example 1 backfill", "+new.example 2 feed", "+hand.example 3 manual"]);
  });

  it("is the same after the process ended, whole indicators included", async () => {
    const first = open();
    for (const one of [evil(1), evil(2, "b.example", { name: "ü\n\u2028" }), evil(3, "c.example", { valid_until: at(1_000) })]) first.catalogue.take(one);
    first.catalogue.take({ ...evil(1), x_threatbus_update: "REMOVE" });
    await clock.advance(5_000);
    stores[0]?.close();
    const { catalogue, told } = open();
    expect(told).toEqual(["+b.example 2 backfill"]);
    expect(catalogue.indicator(evil(2).id)).toEqual(evil(2, "b.example", { name: "ü\n\u2028" }));
    expect(catalogue.take(evil(2, "b.example", { name: "ü\n\u2028" }))).toBe("known");
  });
});

/** An engine that answers when it is told to. */
class Searches implements Retro {
  readonly open: { readonly batch: readonly Observable[]; readonly bounds: RetroBounds; readonly take: (hit: Hit) => Promise<void>; end(end: RetroEnd | Error): void }[] = [];
  readonly batch: number;
  readonly parallel: number;
  constructor(batch: number, parallel: number) {
    this.batch = batch;
    this.parallel = parallel;
  }
  search(batch: readonly Observable[], bounds: RetroBounds, take: (hit: Hit) => Promise<void>): Promise<RetroEnd> {
    return new Promise((resolve, reject) => {
      const entry = { batch, bounds, take, end: (end: RetroEnd | Error) => {
        this.open.splice(this.open.indexOf(entry), 1);
        if (end instanceof Error) reject(end);
        else resolve(end);
      } };
      this.open.push(entry);
    });
  }
  get names(): string[] {
    return this.open.map(({ batch }) => batch.map(({ value }) => value).join(","));
  }
}

describe("searching the past", () => {
  const of = (value: string): Observable => ({ kind: "domain", value });
  const options = { maxEvents: 2, timeout: 5_000, lookback: 3_600_000, again: day };
  function make(engine: Searches, name = "a", logger: Logger = silentLogger): { retro: RetroMatching; taken: [string, boolean][] } {
    const taken: [string, boolean][] = [];
    const retro = new RetroMatching(engine, store(name), options, { ...host(), logger }, async (hit, last) => void taken.push([hit.observable.value, last]), () => undefined, (key) => [`indicator of ${key}`]);
    return { retro, taken };
  }
  const want = (retro: RetroMatching, value: string, priority: Priority = "backfill", known = false): void => retro.want(of(value), priority, known);

  it("takes the urgent first, so many at a time, so many in one", async () => {
    const engine = new Searches(2, 1), { retro } = make(engine);
    for (const name of ["a", "b", "c"]) want(retro, name);
    want(retro, "feed", "feed");
    want(retro, "hand", "manual");
    want(retro, "c", "feed");
    want(retro, "feed", "backfill");
    expect(engine.names).toEqual(["a"]);
    const order: string[] = [];
    while (engine.open.length > 0) {
      order.push(...engine.names);
      engine.open[0]?.end({});
      await eventually(() => order.at(-1) !== engine.names[0]).toBe(true);
    }
    expect(order).toEqual(["a", "hand", "feed,c", "b"]);
    expect(retro.backlog).toBe(0);
  });

  it("tells its bounds, takes no more than the limit, and marks the last", async () => {
    const engine = new Searches(9, 1), { retro, taken } = make(engine);
    want(retro, "a");
    const [search] = engine.open;
    expect(search?.bounds).toMatchObject({ limit: 2, deadline: start + 5_000, since: start - 3_600_000 });
    for (let n = 0; n < 5; n++) await search?.take({ observable: of("a"), event: {} });
    search?.end({ truncated: "limit" });
    await eventually(() => retro.backlog).toBe(0);
    expect(taken).toEqual([["a", false], ["a", true]]);
    expect(metrics.counter("retro_truncated", { by: "limit" }).value).toBe(1);
  });

  it("tells what its time cut short, by value and indicator, and does not take it for answered", async () => {
    const engine = new Searches(9, 1), log: unknown[] = [];
    const { retro, taken } = make(engine, "a", { ...silentLogger, warn: (text, fields) => void log.push(text, fields) });
    want(retro, "a");
    await engine.open[0]?.take({ observable: of("a"), event: {} });
    engine.open[0]?.end({ truncated: "deadline" });
    await eventually(() => retro.backlog).toBe(0);
    expect(taken).toEqual([["a", false]]);
    expect(log).toEqual([expect.stringContaining("cut short"), { by: "deadline", searches: 1, observables: [of("a")], indicators: ["indicator of domain:a"] }]);
    expect(metrics.counter("retro_truncated", { by: "deadline" }).value).toBe(1);
    // A further indicator, and the next process.
    want(retro, "a");
    expect(engine.names).toEqual(["a"]);
    const next = new Searches(9, 1);
    want(make(next).retro, "a", "backfill", true);
    expect(next.names).toEqual(["a"]);
  });

  it("asks nothing twice: not for a further indicator, not after the process ended, unless it was long ago", async () => {
    const engine = new Searches(9, 9), first = make(engine);
    want(first.retro, "a");
    want(first.retro, "b");
    await Promise.resolve();
    engine.open.find(({ batch }) => batch[0]?.value === "a")?.end({});
    await eventually(() => first.retro.backlog).toBe(1);
    want(first.retro, "a");
    want(first.retro, "b");
    expect(engine.names).toEqual(["b"]);
    // As if killed: b was not answered.
    const again = new Searches(9, 9), second = make(again);
    for (const name of ["a", "b"]) want(second.retro, name, "backfill", true);
    expect(again.names).toEqual(["b"]);
    await clock.advance(2 * day);
    want(second.retro, "a", "backfill", true);
    expect(again.names).toEqual(["b"]);
    want(second.retro, "a");
    expect(again.names).toEqual(["b", "a"]);
  });

  it("asks a tool that fails again, later and alone, and gives up one that fails while others succeed", async () => {
    const engine = new Searches(3, 2), { retro } = make(engine);
    for (const name of ["x", "bad", "y"]) want(retro, name);
    engine.open[0]?.end(new EngineError("down"));
    await eventually(() => engine.open.length).toBe(1);
    expect(retro.failing).toBe(true);
    const bad: number[] = [];
    for (let n = 0; n < 200 && retro.backlog > 0; n++) {
      for (const search of [...engine.open]) {
        const fails = search.batch.some(({ value }) => value === "bad");
        if (fails) bad.push(search.batch.length);
        search.end(fails ? new EngineError("bad") : {});
      }
      await new Promise((resolve) => setImmediate(resolve));
      await clock.advance(30_000);
    }
    expect(retro.backlog).toBe(0);
    expect(bad.at(-1)).toBe(1);
    expect(metrics.counter("retro_given_up").value).toBe(1);
    expect(metrics.counter("retro_searched").value).toBe(2);
  });

  it("stops with what runs, or without it when its time is up; what waited still waits", async () => {
    const engine = new Searches(1, 1), { retro } = make(engine);
    want(retro, "a");
    want(retro, "b");
    const patience = new AbortController();
    const stopped = retro.stop(patience.signal);
    engine.open[0]?.end({});
    await stopped;
    expect(engine.open).toEqual([]);
    const next = new Searches(1, 1), again = make(next);
    for (const name of ["a", "b"]) want(again.retro, name, "backfill", true);
    expect(next.names).toEqual(["b"]);
    const second = again.retro.stop(patience.signal);
    patience.abort();
    expect(next.open[0]?.bounds.signal.aborted).toBe(true);
    next.open[0]?.end(new Error("aborted"));
    await second;
    const third = new Searches(1, 1);
    want(make(third).retro, "b", "backfill", true);
    expect(third.names).toEqual(["b"]);
  });
});

describe("what repeats", () => {
  function make(options = { window: 0, fields: [] as string[] }): { repeats: Repeats; reported: Report[]; see: (n: number, event?: object, id?: number) => boolean } {
    const reported: Report[] = [];
    const repeats = new Repeats(store("r"), options, host(), (report) => void reported.push(report));
    return {
      repeats,
      reported,
      see(n, event = {}, id = 1) {
        const hit: Hit = { observable: { kind: "domain", value: "evil.example" }, event: { ts: at(n), n, ...event } };
        const finding = findingOf(hit, "LIVE");
        return finding !== undefined && repeats.take(finding, sightingOf(finding, evil(id), "VAST", at(0)));
      },
    };
  }

  it("is told once per event and indicator, also after the process ended", () => {
    const { see, reported, repeats } = make();
    expect([see(1), see(1), see(2), see(1, {}, 2)]).toEqual([true, false, true, true]);
    repeats.close();
    const again = make();
    expect([again.see(1), again.see(2), again.see(3)]).toEqual([false, false, true]);
    expect(new Set(reported.map(({ id }) => id)).size).toBe(3);
    again.repeats.close();
  });

  it("is counted in a window and told once more at its end, with first, last and count", async () => {
    const { see, reported, repeats } = make({ window: 60_000, fields: ["src_ip", "id.orig_h"] });
    expect([see(500), see(30), see(40_000.5), see(500), see(7, { src_ip: "10.0.0.1" }), see(8, { id: { orig_h: "10.0.0.1" } })]).toEqual([true, false, false, false, true, true]);
    repeats.sweep();
    expect(reported.length).toBe(3);
    repeats.close();
    // The window is kept over the end of the process.
    await clock.advance(60_000);
    const again = make({ window: 60_000, fields: ["src_ip", "id.orig_h"] });
    again.repeats.sweep();
    expect(again.reported).toMatchObject([{ id: reported[0]?.id, created: at(0), modified: at(60_000), first_seen: "2026-06-01T00:00:00.03Z", last_seen: "2026-06-01T00:00:40Z", count: 3, x_threatbus_indicator: evil(1) }]);
    expect([again.see(100_000), again.see(100_001)]).toEqual([true, false]);
    again.repeats.close();
  });
});
