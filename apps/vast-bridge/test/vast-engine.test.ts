import { chmodSync, existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { MetricSet, silentLogger, systemClock } from "@threatbus/core";
import { afterEach, beforeEach, describe, expect, it, test } from "vitest";
import type { Engine, EngineHost, Hit, LiveSession, RetroBounds } from "../src/engine.ts";
import { queryOf } from "../src/engines/vast/argv.ts";
import { createVastEngine } from "../src/engines/vast/index.ts";
import type { VastOptions } from "../src/engines/vast/index.ts";
import { fieldIn, liveHitOf } from "../src/engines/vast/output.ts";
import { observableAt, observablesOf } from "../src/observable.ts";
import type { Observable } from "../src/observable.ts";
import { eventually } from "./program.ts";
import { StandIn } from "./stand-in.ts";

let vast: StandIn, metrics: MetricSet;
const engines: Engine[] = [];
beforeEach(() => {
  vast = new StandIn();
  metrics = new MetricSet();
});
afterEach(async () => {
  await Promise.all(engines.splice(0).map((engine) => engine.stop()));
  vast.clean();
});

function make(options: Partial<VastOptions> = {}): Engine {
  const host: EngineHost = { logger: silentLogger, clock: systemClock, metrics, stateDir: vast.folder };
  const engine = createVastEngine(
    { endpoint: "localhost:42000", binary: vast.binary, release: "2022.05.16", matcherName: "mymatcher", parallel: 8, maxEvents: Infinity, retro: true, live: true, ...options },
    host,
  );
  engines.push(engine);
  return engine;
}

async function started(options: Partial<VastOptions> = {}): Promise<Engine> {
  const engine = make(options);
  await engine.start(new AbortController().signal);
  return engine;
}

const never = new AbortController().signal;
const bounds = (more: Partial<RetroBounds> = {}): RetroBounds => ({ limit: Infinity, deadline: Date.now() + 300_000, signal: never, ...more });
const domain: Observable = { kind: "domain", value: "evil.com" };
const ip: Observable = { kind: "ip", value: "6.6.6.6" };

async function search(engine: Engine, observable: Observable, more: Partial<RetroBounds> = {}): Promise<{ hits: Hit[]; end: unknown }> {
  const hits: Hit[] = [];
  const end = await engine.retro?.search([observable], bounds(more), async (hit) => void hits.push(hit));
  return { hits, end };
}

function read(session: LiveSession): { readonly hits: Hit[]; readonly failed: Promise<unknown> } {
  const hits: Hit[] = [];
  const failed = (async () => {
    for await (const hit of session.hits) hits.push(hit);
    return undefined;
  })().catch((thrown: unknown) => thrown);
  return { hits, failed };
}

describe("the command lines", () => {
  const id = "indicator--3318d3e7-0000-4000-8000-000000000000";

  it("are those of the last release, byte for byte", async () => {
    const engine = await started();
    const url = observableAt("url:value", 'http://e/a"b') as Observable;
    for (const one of [domain, ip, observableAt("ipv6-addr:value", "2001:DB8::1") as Observable, observableAt("ipv4-addr:value", "10.0.0.1/8") as Observable, url]) {
      await search(engine, one, { limit: 7 });
    }
    await search(engine, ip);
    const session = await engine.live?.open([], never);
    for (const one of [domain, url]) await session?.add([{ ...one, indicator: id }]);
    await session?.remove([domain]);
    await eventually(() => vast.calls.length).toBe(12);
    const flags = ["export", "--caf.scheduler.max-threads=1", "--low-priority"], to = ["-e", "localhost:42000"];
    expect(vast.calls.map(({ argv }) => argv.join("\u0000")).sort()).toEqual(
      [
        [...to, "status"],
        [...to, "export", "--help"],
        [...to, ...flags, "--max-events=7", "json", '"evil.com" == net.domain || "evil.com" == net.hostname'],
        [...to, ...flags, "--max-events=7", "json", "6.6.6.6"],
        [...to, ...flags, "--max-events=7", "json", "2001:db8::1"],
        [...to, ...flags, "--max-events=7", "json", "10.0.0.0/8"],
        [...to, ...flags, "--max-events=7", "json", '"http://e/a\\"b" == net.uri'],
        [...to, ...flags, "json", "6.6.6.6"],
        [...to, "matcher", "attach", "json", "mymatcher"],
        [...to, "matcher", "add", "mymatcher", "evil.com", `threatbus__${id}`],
        [...to, "matcher", "add", "mymatcher", 'http://e/a"b', `threatbus__${id}`],
        [...to, "matcher", "remove", "mymatcher", "evil.com"],
      ].map((argv) => argv.join("\u0000")).sort(),
    );
    // Nothing could ever be read from the terminal of the bridge.
    expect(vast.calls.every(({ stdin }) => stdin === "")).toBe(true);
  });

  it("ask for low priority only where it can be had, and leave the endpoint out if there is none", async () => {
    vast.set("old", true);
    await search(await started({ endpoint: "" }), domain);
    expect(vast.calls.map(({ argv }) => argv)).toEqual([
      ["status"], ["export", "--help"], ["export", "--caf.scheduler.max-threads=1", "json", '"evil.com" == net.domain || "evil.com" == net.hostname'],
    ]);
  });

  it("are those of 2021.02.24, if that is wanted", async () => {
    const engine = await started({ release: "2021.02.24", matcherName: undefined });
    await search(engine, domain, { limit: 3 });
    await search(engine, { kind: "url", value: "http://e/a" });
    const session = await engine.live?.open([{ ...ip, indicator: id }], never);
    await eventually(() => [vast.argv("start").length, vast.argv("import").length]).toEqual([1, 1]);
    await session?.remove([ip]);
    const [, , name = ""] = vast.argv("start")[0]?.slice(2) ?? [];
    expect(name).toMatch(/^--name=threatbus-[a-z]{10}$/);
    expect(vast.calls.map(({ argv }) => argv.slice(2)).filter(([word]) => word !== "matcher")).toEqual([
      ["status"],
      ["export", "--max-events=3", "json", '"evil.com" in net.domain || "evil.com" in net.hostname'],
      ["export", "json", '"http://e/a" in net.uri'],
      ["import", "json", "--type=intel.indicator"],
    ]);
    expect(vast.calls.find(({ argv }) => argv.includes("import"))?.stdin).toBe(`{"ioc":"6.6.6.6","type":"ip","reference":"threatbus__${id}"}\n`);
    expect(vast.argv("ioc-remove")).toEqual([["-e", "localhost:42000", "matcher", "ioc-remove", name.slice("--name=".length), "6.6.6.6", "ip"]]);
  });

  it("are what a dry run shows, as a shell would have to read them", () => {
    const engine = make({ maxEvents: 5 });
    expect(engine.explain(domain)).toEqual([
      `${vast.binary} -e localhost:42000 export --caf.scheduler.max-threads=1 --max-events=5 json '"evil.com" == net.domain || "evil.com" == net.hostname'`,
      `${vast.binary} -e localhost:42000 matcher add mymatcher evil.com threatbus__indicator--00000000-0000-4000-8000-000000000000`,
    ]);
    expect(engine.explain({ kind: "cidr", value: "10.0.0.0/8" }).length).toBe(1);
    expect(vast.calls).toEqual([]);
  });
});

describe("an indicator's text", () => {
  const hostile = [
    "6.6.6.6 || :addr != 1.1.1.1", "0.0.0.0/0", "--write=pwned", "-e", "evil.com --max-events=1", "evil.com\" || \"a\" == net.domain", "$(touch pwned)", "; touch pwned", "evil.com\n--write=pwned",
  ];
  const paths = ["ipv4-addr:value", "ipv6-addr:value", "domain-name:value", "url:value"];

  it("is no address, no name and no URL if it would be an option, a query or a command", () => {
    for (const path of paths) for (const text of hostile) expect(observableAt(path, text), `${path} ${text}`).toHaveProperty("reason");
    for (const two of ["[domain-name:value = 'x.example' AND domain-name:value = 'y.example']", "[domain-name:value = 'x.example'] FOLLOWEDBY [domain-name:value = 'y.example']"]) {
      expect(observablesOf(two).observables).toEqual([]);
    }
    expect(observablesOf("[domain-name:value = 'x.example' OR domain-name:value = 'y.example']").observables.map(({ value }) => value)).toEqual(["x.example", "y.example"]);
  });

  it("stays one text inside a query, whatever quotes it holds", async () => {
    const engine = await started();
    const nasty = observablesOf(String.raw`[url:value = 'http://e.example/"\'\\||"x"==net.uri']`).observables[0] as Observable;
    vast.events({ ts: "2026-01-01T00:00:00", uri: nasty.value }, { ts: "2026-01-01T00:00:00", uri: "x" });
    expect((await search(engine, nasty)).hits.map(({ event }) => event["uri"])).toEqual([nasty.value]);
    expect(queryOf(nasty, "2022.05.16")).toBe(`${JSON.stringify(nasty.value)} == net.uri`);
    expect(existsSync(join(vast.folder, "pwned"))).toBe(false);
  });
});

describe("a search", () => {
  const event = { ts: "2026-01-01T00:00:00", query: "evil.com" };

  it("gives whole events of what is named, and of blocks", async () => {
    const engine = await started();
    vast.events(event, { ...event, query: "sub.evil.com" }, { ts: "2026-01-01T00:00:00", src_ip: "10.1.2.3" }, { ts: "2026-01-01T00:00:00", src_ip: "11.1.2.3" });
    expect((await search(engine, domain)).hits).toEqual([{ observable: domain, event, field: "query" }]);
    expect((await search(engine, { kind: "cidr", value: "10.0.0.0/8" })).hits.map(({ event }) => event["src_ip"])).toEqual(["10.1.2.3"]);
  });

  it("of several shares a process, and tells whose each event is", async () => {
    const engine = await started();
    const block: Observable = { kind: "cidr", value: "10.0.0.0/8" }, url: Observable = { kind: "url", value: 'http://e/a"b' };
    const both = { ts: "2026-01-01T00:00:01", dns: { query: "evil.com", answers: [{ rdata: "9.9.9.9" }, { rdata: "6.6.6.6" }] } }, inside = { ts: "2026-01-01T00:00:02", "id.orig_h": "10.1.2.3" };
    const visit = { ts: "2026-01-01T00:00:03", http: { uri: url.value } }, other = { ts: "2026-01-01T00:00:04", query: "good.com", src: "6.6.6.7" };
    vast.events(both, inside, visit, other);
    const hits: Hit[] = [];
    expect(await engine.retro?.search([domain, ip, block, url], bounds(), async (hit) => void hits.push(hit))).toEqual({});
    expect(hits).toEqual([
      { observable: domain, event: both, field: "dns.query" }, { observable: ip, event: both, field: "dns.answers[].rdata" },
      { observable: block, event: inside, field: "id.orig_h" }, { observable: url, event: visit, field: "http.uri" },
    ]);
    expect(vast.argv("json").map((argv) => argv.at(-1))).toEqual(['"evil.com" == net.domain || "evil.com" == net.hostname || 6.6.6.6 || 10.0.0.0/8 || "http://e/a\\"b" == net.uri']);
  });

  it("of several, with an event of which nobody can tell whose it is, asks one by one", async () => {
    const engine = await started();
    vast.shell(`echo "$*" >> asked; case "$*" in *"||"*) printf '{"n":1}\\n';; *7.7.7.7*) printf '{"n":1}\\n';; esac`);
    const seven: Observable = { kind: "ip", value: "7.7.7.7" }, hits: Hit[] = [];
    expect(await engine.retro?.search([ip, seven], bounds(), async (hit) => void hits.push(hit))).toEqual({});
    expect(hits).toEqual([{ observable: seven, event: { n: 1 } }]);
    expect(readFileSync(join(vast.folder, "asked"), "utf8").split("\n").map((line) => line.replace(/.* json /, ""))).toEqual(["6.6.6.6 || 7.7.7.7", "6.6.6.6", "7.7.7.7", ""]);
  });

  it("shares its process only if no limit is set, which would be one of all, and fits into an argument whatever the values", async () => {
    expect([make(), make({ maxEvents: 5 }), make({ release: "2021.02.24" })].map(({ retro }) => retro?.batch)).toEqual([10, 1, 1]);
    const longest = observableAt("url:value", `http://e.example/${"\u3042".repeat(4_000)}`) as Observable;
    const engine = await started();
    vast.events({ ts: "2026-01-01T00:00:00", uri: longest.value });
    const hits: Hit[] = [];
    await engine.retro?.search(Array.from({ length: 10 }, (_, n) => ({ ...longest, value: `${longest.value}${n}` })), bounds(), async (hit) => void hits.push(hit));
    expect(hits).toEqual([]);
  });

  it("finds the field that holds a value, as VAST compares, however deep it is", () => {
    const fieldOf = (event: object, observable: Observable): string | undefined => fieldIn(event as never, observable);
    expect(fieldOf({ a: "EVIL.com", b: ["x", "evil.com"] }, domain)).toBe("b[]");
    expect(fieldOf({ a: "2001:DB8:0::1" }, { kind: "ip", value: "2001:db8::1" })).toBe("a");
    expect(fieldOf({ a: { b: "2001:db8:1::1" } }, { kind: "cidr", value: "2001:db8::/32" })).toBe("a.b");
    expect(fieldOf({ a: "10.0.0.0/8" }, { kind: "cidr", value: "10.0.0.0/8" })).toBe("a");
    expect(fieldOf({ a: "6.6.6.60", b: 6, c: null }, ip)).toBeUndefined();
    let deep: unknown = "evil.com";
    for (let n = 0; n < 20_000; n++) deep = { deep };
    expect(fieldOf({ deep }, domain)).toBeUndefined();
  });

  it("is cut short at its limit, and says so", async () => {
    const engine = await started();
    vast.events(...Array.from({ length: 5 }, (_, n) => ({ ...event, n })));
    expect(await search(engine, domain, { limit: 3 })).toMatchObject({ end: { truncated: "limit" }, hits: { length: 3 } });
    expect((await search(engine, domain, { limit: 6 })).end).toEqual({});
  });

  it("keeps what it found until its time is up, and leaves no process behind", async () => {
    const engine = await started();
    vast.events(event, { ...event, n: 2 }, { stand_in: "hang" });
    const hits: Hit[] = [];
    // Time enough for a process to begin: what is told is that it ends, not when.
    const end = await engine.retro?.search([domain], bounds({ deadline: Date.now() + 8_000 }), async (hit) => void hits.push(hit));
    expect(end).toEqual({ truncated: "deadline" });
    expect(hits.length).toBe(2);
    for (const { pid } of vast.calls) expect(() => process.kill(pid, 0)).toThrow();
  });

  it("passes over lines that are no events, and over bytes that are no text", async () => {
    const engine = await started();
    vast.events(event, "not json", "[1]", '{"half":', event);
    vast.shell(`case "$*" in *json*) printf '{"ts":"2026-01-01T00:00:00","query":"evil.com","x":"\\377"}\\n[1]\\n{"half":\\n\\n{"ts":1}';; esac`);
    const { hits } = await search(engine, domain);
    expect(hits.map(({ event }) => event["x"] ?? event["ts"])).toEqual(["\ufffd", 1]);
    expect(metrics.counter("engine_lines_skipped").value).toBe(2);
  });

  it("that fails says with what, in words that steer no terminal; what it found stays found", async () => {
    const engine = await started();
    vast.events(event, { stand_in: "fail" });
    const hits: Hit[] = [];
    const failure = await engine.retro?.search([domain], bounds(), async (hit) => void hits.push(hit)).catch((thrown: unknown) => thrown);
    expect(failure).toMatchObject({ name: "EngineError", permanent: false, message: expect.stringMatching(/exit code 3.*partition lost\\u001b\[2J/) as string });
    expect(hits.length).toBe(1);
    vast.set("down", true);
    await expect(search(engine, domain)).rejects.toThrow(/exit code 1: "failed to connect to localhost:42000\\u001b/);
  });

  it("that is called off ends at once, and its process with it", async () => {
    const engine = await started();
    vast.events(event, { stand_in: "hang" });
    const stop = new AbortController();
    const search = engine.retro?.search([domain], bounds({ signal: stop.signal }), async () => stop.abort(new Error("called off")));
    await expect(search).rejects.toThrow("called off");
    for (const { pid } of vast.calls) expect(() => process.kill(pid, 0)).toThrow();
  });

  it("waits for no other: a hundred run side by side, each until all do", async () => {
    const engine = await started({ parallel: 128 });
    vast.shell(`touch "run.$$"\nwhile [ "$(ls | grep -c '^run')" -lt 100 ]; do sleep 0.05; done\nprintf '{"ts":"2026-01-01T00:00:00"}\\n'`);
    const ends = await Promise.all(Array.from({ length: 100 }, (_, n) => search(engine, { kind: "ip", value: `192.0.2.${n}` })));
    expect(ends.map(({ hits }) => hits[0]?.observable.value)).toEqual(Array.from({ length: 100 }, (_, n) => `192.0.2.${n}`));
    expect(readdirSync(vast.folder).filter((name) => name.startsWith("run.")).length).toBe(100);
  });
});

describe("a start", () => {
  it("without the program says what to do", async () => {
    await expect(started({ binary: "/nowhere/vast" })).rejects.toMatchObject({ name: "EngineError", permanent: true, hint: expect.stringContaining("vast_binary") as string });
    chmodSync(vast.binary, 0o644);
    await expect(started()).rejects.toMatchObject({ permanent: true });
  });

  it("does not mind a VAST that does not answer yet, nor one that talks much", async () => {
    vast.set("down", true);
    await started();
    vast.set("down", false);
    await started();
  });
});

describe("live matching", () => {
  const event = { ts: "2026-01-01T00:00:00", query: "evil.com", src: "6.6.6.6" };
  const watched = (one: Observable): Observable & { indicator: string } => ({ ...one, indicator: "indicator--46b3f973-5c03-41fc-9efe-49598a267a35" });

  it("gives what matches, of both shapes", async () => {
    const session = (await (await started()).live?.open([watched(domain)], never)) as LiveSession;
    const { hits } = read(session);
    await session.add([watched(ip)]);
    await eventually(() => [vast.told.length, vast.watching]).toEqual([2, 1]);
    vast.happens(event);
    await eventually(() => hits.length).toBe(2);
    expect(hits).toEqual([{ observable: domain, event, field: "query", schema: "zeek.dns" }, { observable: ip, event, field: "src", schema: "zeek.dns" }]);
    await session.remove([domain]);
    await eventually(() => vast.told.length).toBe(3);
    await session.close();
    expect(liveHitOf('{"ts":"2020-01-01T00:00:00","data_id":8,"indicator_id":5,"matcher":"m","ioc":"6.6.6.6","reference":"threatbus__42"}')).toMatchObject({ observable: ip, event: { data_id: 8 } });
    expect(liveHitOf('{"ts":"2020-01-01T00:00:00","matcher":"m","value":"6.6.6.6","reference":"threatbus__42"}')).toMatchObject({ observable: ip });
    expect(liveHitOf('{"indicator":{"value":"evil.com","context":null},"type":"t","event":{"a":1}}')).toEqual({ observable: domain, event: { a: 1 }, schema: "t" });
    for (const line of ["", "x", "[]", "{}", '{"indicator":{"value":"evil.com"}}', '{"indicator":{"value":7},"event":{}}', '{"indicator":{"value":"?"},"event":{}}']) expect(liveHitOf(line)).toBeUndefined();
  });

  it("tells changes of one value in their order", async () => {
    const session = (await (await started({ parallel: 50 })).live?.open([watched(domain)], never)) as LiveSession;
    const changes = Array.from({ length: 6 }, (_, n) => (n % 2 === 0 ? session.remove([domain]) : session.add([watched(domain)])));
    await Promise.all(changes);
    expect(vast.told.map(({ add }) => add !== undefined)).toEqual([true, false, true, false, true, false, true]);
    await session.close();
  });

  it("tells no more values at once than it may", async () => {
    const engine = await started({ parallel: 2 });
    const session = (await engine.live?.open([], never)) as LiveSession;
    vast.shell(`case "$*" in *" add "*) touch "run.$$"; ls | grep -c '^run' >> counts; rm "run.$$";; esac`);
    await session.add(Array.from({ length: 10 }, (_, n) => watched({ kind: "ip", value: `192.0.2.${n}` })));
    const counts = readFileSync(join(vast.folder, "counts"), "utf8").trim().split("\n").map(Number);
    expect(counts.length).toBe(10);
    expect(Math.max(...counts)).toBeLessThanOrEqual(2);
    await session.close();
  });

  it("goes on when a matcher refuses a value, and counts it", async () => {
    const session = (await (await started()).live?.open([], never)) as LiveSession;
    vast.set("refuse", true);
    await session.add([watched(domain)]);
    expect(metrics.counter("live_failures").value).toBe(1);
    vast.set("refuse", false);
    await session.add([watched(ip)]);
    expect(vast.told.map(({ add }) => add)).toEqual(["6.6.6.6"]);
    await session.close();
  });

  it("says when the matcher is lost, and a new session begins with all that is known", async () => {
    const engine = await started();
    const session = (await engine.live?.open([watched(domain)], never)) as LiveSession;
    const { failed } = read(session);
    await eventually(() => vast.told.length).toBe(1);
    vast.set("down", true);
    expect(await failed).toMatchObject({ name: "EngineError", message: expect.stringMatching(/^matcher ended with exit code 1: "/) as string });
    await session.close();
    vast.set("down", false);
    const again = (await engine.live?.open([watched(domain), watched(ip)], never)) as LiveSession;
    await eventually(() => vast.told.slice(1).map(({ add }) => add).sort()).toEqual(["6.6.6.6", "evil.com"]);
    await again.close();
  });

  test("closing ends its processes", async () => {
    const engine = await started();
    const session = (await engine.live?.open([watched(domain)], never)) as LiveSession;
    const { failed } = read(session);
    await eventually(() => vast.told.length).toBe(1);
    await engine.stop();
    expect(await failed).toBeUndefined();
    for (const { pid } of vast.calls) expect(() => process.kill(pid, 0)).toThrow();
  });
});
