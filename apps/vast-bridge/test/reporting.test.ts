/** What becomes of a sighting: transformed by a command, given to another, kept until it has arrived. */
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { PassThrough } from "node:stream";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MetricSet, silentLogger } from "@threatbus/core";
import { needs, requireFever } from "@threatbus/services";
import type { Timestamp } from "@threatbus/zmq-client";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { CommandLimits } from "../src/command.ts";
import { runCommand, splitCommand } from "../src/command.ts";
import { Outbox } from "../src/outbox.ts";
import { commandSink, standardOutput } from "../src/outlet.ts";
import type { Delivery, Outlet } from "../src/outlet.ts";
import { findingOf, sightingOf } from "../src/sighting.ts";
import type { Report } from "../src/sighting.ts";
import { Slots } from "../src/slots.ts";
import { Store } from "../src/store.ts";
import { transformBy } from "../src/transform.ts";
import { eventually, indicator } from "./program.ts";

let folder: string, stop: AbortController, metrics: MetricSet;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "threatbus-report-"));
  stop = new AbortController();
  metrics = new MetricSet();
});
afterEach(() => {
  stop.abort();
  rmSync(folder, { recursive: true, force: true });
});

const limits = (more: Partial<CommandLimits> = {}): CommandLimits => ({ timeout: 60_000, lines: 100, slots: new Slots(4), owner: folder, signal: stop.signal, ...more });

/** A program of the test's own, to be named in commands. */
function program(name: string, body: string): string {
  const path = join(folder, name);
  writeFileSync(path, `#!/bin/sh\n${body}\n`);
  chmodSync(path, 0o755);
  return path;
}

const june = "2026-06-01T00:00:00Z" as Timestamp;

function report(event: object = { timestamp: "2026-01-01T00:00:00", n: 1 }, value = "evil.example", number = 1): Report {
  const finding = findingOf({ observable: { kind: "domain", value }, event: event as never }, "RETRO");
  if (finding === undefined) throw new Error("no time");
  return sightingOf(finding, indicator(number, "[domain-name:value = 'evil.example']", { created: june, modified: june, valid_from: june }), "VAST", june);
}

describe("a transformation", () => {
  const transform = (command: string, more: Partial<CommandLimits> = {}): { run: (one: Report) => Promise<readonly Report[]>; failures: string[] } => {
    const failures: string[] = [];
    return { run: transformBy(splitCommand(command), limits(more), metrics, (reason) => failures.push(reason)), failures };
  };

  it("puts what the command prints in place of the event", async () => {
    const { run, failures } = transform(program("t", `cat > ${folder}/in; printf '{"ioc":"%s","type":"%s"}\\n' "$1" "$2"`) + " %ioc x-%matchtype");
    const [one, ...more] = await run(report());
    expect(one).toEqual({ ...report(), x_threatbus_sighting_context: { ioc: "evil.example", type: "x-RETRO" } });
    expect(more).toEqual([]);
    expect(readFileSync(join(folder, "in"), "utf8")).toBe('{"timestamp":"2026-01-01T00:00:00","n":1}\n');
    expect(failures).toEqual([]);
  });

  it("makes of several lines several sightings, each with an id that stays the same", async () => {
    const { run } = transform(program("t", `cat >/dev/null; echo '{"a":1}'; echo; echo '{"a":2}'`));
    const two = await run(report());
    expect(two.map(({ x_threatbus_sighting_context: event }) => event)).toEqual([{ a: 1 }, { a: 2 }]);
    expect(two[0]?.id).toBe(report().id);
    expect(new Set(two.map(({ id }) => id)).size).toBe(2);
    expect(await run(report())).toEqual(two);
  });

  it.each([
    ["prints nothing", "cat >/dev/null", "no JSON object"],
    ["prints no JSON", "cat >/dev/null; echo nonsense; echo 7; echo '[1]'", "no JSON object"],
    ["fails", "cat >/dev/null; printf 'no\\033[31m' >&2; exit 3", "exit code 3: \"no\\u001b[31m\""],
    ["reads nothing", "exit 0", "no JSON object"],
    ["kills itself", "kill -9 $$", "SIGKILL"],
    ["prints without end", "yes '{\"a\":1}'", "more than 100 lines"],
  ])("by a command that %s leaves the event as it was, and is told", async (_, body, reason) => {
    const { run, failures } = transform(program("t", body));
    const big = report({ timestamp: "2026-01-01T00:00:00", text: "x".repeat(50_000) });
    const reports = await run(big);
    expect(failures.join()).toContain(reason);
    if (!body.startsWith("yes")) expect(reports).toEqual([big]);
    expect(metrics.counter("transform_failures").value).toBe(1);
  });

  it("by a command that hangs, or is missing, likewise", async () => {
    const slow = transform(program("t", "exec sleep 1000"), { timeout: 50 });
    expect(await slow.run(report())).toEqual([report()]);
    expect(slow.failures).toEqual(["it took longer than 0.05 s"]);
    const missing = transform("/nowhere/t");
    expect(await missing.run(report())).toEqual([report()]);
    expect(missing.failures).toEqual(["it cannot be started (ENOENT)"]);
  });

  it("never lets a value become an argument of its own, or a command of the shell", async () => {
    const echo = program("t", `cat >/dev/null; for a in "$@"; do printf '%s\\n' "$a" >> ${folder}/args; done`);
    for (const value of ["evil.com --alert-limit 1", "--config=/etc/evil.yaml", "'", "\\", "$(touch pwned)", "; touch pwned", "%matchtype"]) {
      await runCommand(splitCommand(`${echo} --ioc=%ioc`).map((word) => word.replace("%ioc", () => value)) as never, "{}", limits());
    }
    await transform(`${echo} '%ioc' "a %ioc b"`).run(report({ ts: "2026-01-01T00:00:00" }, "x y'; touch pwned"));
    expect(readFileSync(join(folder, "args"), "utf8").split("\n").slice(-3)).toEqual(["x y'; touch pwned", "a x y'; touch pwned b", ""]);
    expect(existsSync(join(folder, "pwned"))).toBe(false);
  });

  it("takes no more turns at once than it may", async () => {
    const { run } = transform(program("t", `cat >/dev/null; touch "${folder}/run.$$"; ls ${folder} | grep -c '^run' >> ${folder}/counts; rm "${folder}/run.$$"; echo '{}'`), { slots: new Slots(2) });
    await Promise.all(Array.from({ length: 10 }, () => run(report())));
    const counts = readFileSync(join(folder, "counts"), "utf8").trim().split("\n").map(Number);
    expect(counts.length).toBe(10);
    expect(Math.max(...counts)).toBeLessThanOrEqual(2);
  });
});

const fever = await needs("fever");
fever.describe("fever alertify", () => {
  const eve = (more: object): Report => report({ timestamp: "2026-01-01T00:00:00.123456+0000", event_type: "http", src_ip: "10.0.0.1", ...more });

  it("makes alerts: one for a host, two for a host and a URL that holds it, a generic one for the rest", async () => {
    const failures: string[] = [];
    const run = transformBy(splitCommand(`${await requireFever()} alertify --alert-prefix 'MY PREFIX' --extra-key my-ioc --ioc %ioc`), limits(), metrics, (reason) => failures.push(reason));
    const signatures = async (one: Report): Promise<unknown[]> => (await run(one)).map(({ x_threatbus_sighting_context: event }) => (event?.["alert"] as { signature: string }).signature);
    const [only] = await run(eve({ http: { hostname: "evil.example", url: "/x" } }));
    expect(only?.x_threatbus_sighting_context).toMatchObject({ event_type: "alert", alert: { signature: "MY PREFIX Possibly bad HTTP host: evil.example" }, _extra: { "my-ioc": "evil.example" }, src_ip: "10.0.0.1" });
    expect((await signatures(eve({ http: { hostname: "evil.example", url: "/evil.example", http_method: "GET" } }))).length).toBe(2);
    expect(await signatures(eve({ event_type: "flow" }))).toEqual(["MY PREFIX Generic IoC match for: evil.example"]);
    expect(failures).toEqual([]);
  });

  it("falls silent on more than 64 KiB, which loses nothing", async () => {
    const failures: string[] = [];
    const run = transformBy(splitCommand(`${await requireFever()} alertify --ioc %ioc`), limits(), metrics, (reason) => failures.push(reason));
    const big = eve({ text: "x".repeat(60_000), more: "y".repeat(60_000) });
    expect(await run(big)).toEqual([big]);
    expect(failures.length).toBe(1);
  });
});

describe("a sink", () => {
  it("STDOUT has the events alone, one per line, spaced as ever", async () => {
    const stream = new PassThrough();
    expect(await standardOutput(stream).deliver([report(), report({ ts: "2026-01-01T00:00:00", a: [1, "ü"] })])).toEqual({ outcome: "kept" });
    expect(String(stream.read())).toBe('{"timestamp": "2026-01-01T00:00:00", "n": 1}\n{"ts": "2026-01-01T00:00:00", "a": [1, "\\u00fc"]}\n');
    stream.destroy();
    expect((await standardOutput(stream).deliver([report()])).outcome).toBe("again");
  });

  it("is a command with an event on its standard input; what it does not take may be tried again", async () => {
    const sink = commandSink(splitCommand(program("s", `cat >> ${folder}/out; echo "$1" >> ${folder}/out`) + " %ioc/%matchtype"), limits());
    expect(await sink.deliver([report()])).toEqual({ outcome: "kept" });
    expect(readFileSync(join(folder, "out"), "utf8")).toBe('{"timestamp": "2026-01-01T00:00:00", "n": 1}\nevil.example/RETRO\n');
    expect(await commandSink(["/nowhere/s"], limits()).deliver([report()])).toEqual({ outcome: "again", reason: "it cannot be started (ENOENT)" });
    expect(await commandSink(splitCommand(program("f", "exit 4")), limits()).deliver([report()])).toMatchObject({ outcome: "refused" });
    expect(await commandSink(splitCommand(program("h", "exec sleep 1000")), limits({ timeout: 50 })).deliver([report()])).toMatchObject({ outcome: "refused" });
  });
});

describe("the outbox", () => {
  const stores: Store[] = [];
  afterEach(() => {
    for (const store of stores.splice(0)) store.close();
  });
  const clock = { now: Date.now, sleep: (_: number, signal?: AbortSignal): Promise<void> => new Promise((resolve) => (signal?.aborted === true ? resolve() : setImmediate(resolve))) };
  function make(outlet: Outlet, transform = async (one: Report): Promise<readonly Report[]> => [one]): Outbox {
    const store = new Store(join(folder, "outbox"));
    stores.push(store);
    const outbox = new Outbox(store, outlet, transform, { parallel: 4 }, { clock, logger: silentLogger, metrics });
    outbox.start();
    return outbox;
  }
  const answers = (...outcomes: Delivery["outcome"][]): Outlet & { readonly seen: Report[] } => {
    const seen: Report[] = [];
    return {
      seen,
      async deliver(reports) {
        seen.push(...reports);
        const outcome = outcomes.shift() ?? "kept";
        return outcome === "kept" ? { outcome } : { outcome, reason: "r" };
      },
    };
  };

  it("offers again what may arrive later, for ever, and gives up what is refused, after a while", async () => {
    const patient = answers(...Array.from({ length: 50 }, () => "again" as const));
    const outbox = make(patient);
    outbox.put(report());
    await outbox.drained(AbortSignal.timeout(60_000));
    expect(outbox.size).toBe(0);
    expect(patient.seen.length).toBe(51);
    await outbox.stop();
    const refusing = make(answers(...Array.from({ length: 10 }, () => "refused" as const)));
    refusing.put(report());
    await refusing.drained(AbortSignal.timeout(60_000));
    expect(metrics.counter("sightings_given_up").value).toBe(1);
    await refusing.stop();
  });

  it("keeps what is not out over the end of the process, and the same sighting once", async () => {
    const outbox = make({ deliver: async () => ({ outcome: "again", reason: "r" }) });
    for (const one of [report(), report(), report({ ts: "2026-01-01T00:00:01" })]) outbox.put(one);
    await eventually(() => outbox.size).toBe(2);
    await outbox.stop();
    stores.at(-1)?.close();
    const outlet = answers();
    const again = make(outlet);
    await again.drained(AbortSignal.timeout(60_000));
    expect(outlet.seen.map(({ last_seen: seen }) => seen).sort()).toEqual(["2026-01-01T00:00:00Z", "2026-01-01T00:00:01Z"]);
    await again.stop();
  });

  it("is not stopped by what throws", async () => {
    let throws = 2;
    const outlet = answers();
    const outbox = make({ deliver: async (reports) => (throws-- > 0 ? Promise.reject(new Error("fault")) : outlet.deliver(reports)) });
    outbox.put(report());
    await outbox.drained(AbortSignal.timeout(60_000));
    expect(outlet.seen.length).toBe(1);
    await outbox.stop();
  });
});
