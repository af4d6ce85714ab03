/** Real processes that are killed: nothing pending is lost, nothing answered is asked again. */
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { site, vast } from "./grounds.ts";
import { eventually, indicator } from "./program.ts";

const scale = Number(process.env["THREATBUS_TEST_SCALE"] ?? 1);
const dns = (n: number): { ts: string; query: string; n: number } => ({ ts: "2026-01-01T00:00:00", query: `n${n}.evil.example`, n });
const pattern = (n: number): string => `[domain-name:value = 'n${n}.evil.example']`;
const numbers = (count: number): number[] => Array.from({ length: count }, (_, n) => n);
/** Values asked for so far, in order, those of one process together. */
const searches = (): string[][] => vast.argv("json").filter((argv) => argv.includes("export")).map((argv) => [...new Set(Array.from((argv.at(-1) ?? "").matchAll(/"(n\d+)\./g), ([, name]) => name ?? ""))]);
const asked = (): string[] => searches().flat();
const config = (): object => ({ vast_binary: vast.binary, max_background_tasks: 4 });

/** Entries of one of the bridge's files of state. */
const kept = (name: string): number => readFileSync(join(site.folder, "vast-threatbus.state", `${name}.ndjson`), "utf8").split("\n").length - 1;

test("killed while it searches, it does the rest the next time, and nothing twice", async () => {
  await site.bus();
  const { client, sightings } = await site.client();
  const count = 30 * scale, early = 3;
  const events = numbers(count).map(dns);
  vast.events(...events);
  const first = await site.running(site.bridge({ ...config(), max_background_tasks: 1 }));
  for (const n of numbers(early)) await client.publish(indicator(n, pattern(n)));
  await eventually(() => kept("answered")).toBe(early);
  // One search that does not end, and the others behind it.
  vast.events(...events, { stand_in: "hang" });
  for (const n of numbers(count).slice(early)) await client.publish(indicator(n, pattern(n)));
  await eventually(() => kept("indicators")).toBe(count);
  await eventually(() => asked().length).toBeGreaterThan(early);
  await first.kill("SIGKILL");
  const hung = searches().at(-1);
  vast.events(...events);
  const second = await site.running(site.bridge(config()));
  await eventually(() => new Set(sightings.map(({ sighting_of_ref: id }) => id)).size).toBe(count);
  expect(await second.kill("SIGTERM")).toEqual({ code: 0, signal: null });
  // Those of the process that ran when it was killed are asked again, and no others.
  const answered = asked();
  expect(new Set(answered).size).toBe(count);
  expect(answered.filter((name, n) => answered.indexOf(name) < n)).toEqual(hung);
  // A sighting may come twice when the process is killed between sending and knowing; it has one id then.
  expect(new Set(sightings.map(({ id }) => id)).size).toBe(count);
  // Nothing is left to do: a third run asks nothing.
  const third = await site.running(site.bridge(config()));
  for (const n of numbers(count)) await client.publish(indicator(n, pattern(n), { modified: indicator(n, pattern(n)).modified }));
  expect(await third.kill("SIGTERM")).toEqual({ code: 0, signal: null });
  expect(asked()).toEqual(answered);
});

test("a search that its time cut short is reported with what it found, told with the indicator, and made again by the next process", async () => {
  await site.bus();
  const { client, sightings } = await site.client();
  const search = (then: string): void => vast.shell(`case "$*" in *json*) echo >> asked; echo '${JSON.stringify(dns(1))}'; ${then};; esac`);
  search("exec sleep 1000");
  // Time enough for a shell to begin.
  const first = await site.running(site.bridge({ ...config(), retro_match_timeout: 4 }));
  await client.publish(indicator(1, pattern(1)));
  await eventually(() => first.stderr).toContain("a search was cut short");
  expect(first.stderr).toMatch(new RegExp(`cut short.* by="deadline".*n1\\.evil\\.example.*${indicator(1, pattern(1)).id}`));
  await eventually(() => sightings.length).toBe(1);
  expect(await first.kill("SIGTERM")).toEqual({ code: 0, signal: null });
  search(`echo '${JSON.stringify({ ...dns(1), more: 2 })}'`);
  const second = await site.running(site.bridge(config()));
  await eventually(() => sightings.length).toBe(2);
  expect(await second.kill("SIGTERM")).toEqual({ code: 0, signal: null });
  expect(sightings.map(({ x_threatbus_sighting_context: event }) => event)).toEqual([dns(1), { ...dns(1), more: 2 }]);
  expect(readFileSync(join(vast.folder, "asked"), "utf8")).toBe("\n\n");
});

test("sightings wait for a bus that is gone, over the end of the bridge, and arrive", async () => {
  const bus = await site.bus();
  const first = await site.client();
  vast.events(...numbers(5).map(dns));
  // Searches that wait until the bus is gone.
  vast.set("down", true);
  const bridge = await site.running(site.bridge(config()));
  for (const n of numbers(5)) await first.client.publish(indicator(n, pattern(n)));
  await eventually(() => kept("indicators")).toBe(5);
  await bus.kill("SIGKILL");
  vast.set("down", false);
  await eventually(() => kept("outbox")).toBe(5);
  await bridge.kill("SIGKILL");
  const again = site.bridge(config());
  await eventually(() => again.stderr).toContain("no connection to the bus");
  await site.bus();
  const second = await site.client();
  await eventually(() => second.sightings.length).toBe(5);
  expect(new Set(second.sightings.map(({ sighting_of_ref: id }) => id)).size).toBe(5);
  await eventually(() => again.stderr).toContain(`the bus state="subscribed"`);
  expect(await again.kill("SIGTERM")).toEqual({ code: 0, signal: null });
});

test("a bus that is restarted under it is joined again; what is new is searched, what was is not", async () => {
  const bus = await site.bus();
  const first = await site.client();
  vast.events(dns(1), dns(2));
  const bridge = await site.running(site.bridge({ ...config(), live_match: true, matcher_name: "m" }));
  await first.client.publish(indicator(1, pattern(1)));
  await eventually(() => first.sightings.length).toBe(1);
  await bus.kill("SIGKILL");
  await site.bus();
  const second = await site.client();
  await eventually(() => bridge.stderr).toMatch(/the bus state="resubscribed"/);
  await second.client.publish(indicator(1, pattern(1)));
  await second.client.publish(indicator(2, pattern(2)));
  // The bus may have been killed before the bridge knew that the first sighting had arrived: then it sends it again.
  await eventually(() => second.sightings.at(-1)?.sighting_of_ref).toBe(indicator(2, pattern(2)).id);
  expect(asked()).toEqual(["n1", "n2"]);
  expect(await bridge.kill("SIGTERM")).toEqual({ code: 0, signal: null });
});

test("a tool that goes away and comes back gets what it missed, and is told all it has to watch for", async () => {
  await site.bus();
  const { client, sightings } = await site.client();
  vast.events(dns(1), dns(2));
  const bridge = await site.running(site.bridge({ ...config(), live_match: true, matcher_name: "m" }));
  await client.publish(indicator(1, pattern(1)));
  await eventually(() => sightings.length).toBe(1);
  await eventually(() => vast.told.length).toBe(1);
  await eventually(() => vast.watching).toBe(1);
  vast.set("down", true);
  await eventually(() => bridge.stderr).toContain("live matching is interrupted");
  await client.publish(indicator(2, pattern(2)));
  await eventually(() => bridge.stderr).toContain("a search failed");
  vast.set("down", false);
  await eventually(() => sightings.length).toBe(2);
  await eventually(() => vast.told.slice(1).map(({ add }) => add).sort()).toEqual(["n1.evil.example", "n2.evil.example"]);
  await eventually(() => vast.watching).toBeGreaterThan(1);
  vast.happens({ ...dns(1), n: "live" });
  await eventually(() => sightings.at(-1)?.x_threatbus_match_type).toBe("LIVE");
  await bridge.kill("SIGTERM");
});

test("told to stop, it lets what runs come to its end, and what was found arrive", async () => {
  await site.bus();
  const { client, sightings } = await site.client();
  vast.shell(`case "$*" in *json*) touch began; while [ ! -e go ]; do sleep 0.05; done; printf '{"ts":"2026-01-01T00:00:00","query":"n1.evil.example"}\\n';; esac`);
  const bridge = await site.running(site.bridge(config()));
  await client.publish(indicator(1, pattern(1)));
  await eventually(() => existsSync(join(vast.folder, "began"))).toBe(true);
  bridge.child.kill("SIGTERM");
  await eventually(() => bridge.stderr).toContain("stopping; a second signal ends at once");
  writeFileSync(join(vast.folder, "go"), "");
  expect(await bridge.ended).toEqual({ code: 0, signal: null });
  expect(bridge.stderr).toContain("stopped searches=0 sightings=0");
  await eventually(() => sightings.length).toBe(1);
});

/** What has ended and is waited for by nobody is still in the table of processes. */
function isRunning(pid: number): boolean {
  try {
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}

describe("processes", () => {
  test("of the tool end with SIGTERM; those that SIGKILL leaves, the next start ends", async () => {
    await site.bus();
    const { client } = await site.client();
    vast.events(dns(1), { stand_in: "hang" });
    const alive = (): number[] => vast.calls.map(({ pid }) => pid).filter(isRunning);
    const first = await site.running(site.bridge({ ...config(), live_match: true, matcher_name: "m", shutdown_timeout: 0.2 }));
    await client.publish(indicator(1, pattern(1)));
    await eventually(() => asked().length).toBe(1);
    await eventually(() => [vast.told.length, vast.watching]).toEqual([1, 1]);
    // The search and the matcher; the program that told the matcher something ends by itself.
    await eventually(() => alive().length).toBe(2);
    await first.kill("SIGKILL");
    const left = alive();
    expect(left.length).toBe(2);
    const second = await site.running(site.bridge({ ...config(), live_match: true, matcher_name: "m", shutdown_timeout: 0.2 }));
    expect(second.stderr).toContain("ended what an earlier run left behind");
    expect(alive().some((pid) => left.includes(pid))).toBe(false);
    await eventually(() => asked().length).toBe(2);
    expect(await second.kill("SIGTERM")).toEqual({ code: 0, signal: null });
    expect(alive()).toEqual([]);
  });

  test("of commands that hang or fail hold up nothing but their own sightings", async () => {
    await site.bus();
    const { client, sightings } = await site.client();
    vast.events(...numbers(6).map(dns));
    writeFileSync(join(site.folder, "t.sh"), 'case "$(cat)" in *n1*) sleep 1000;; *n2*) exit 3;; *n3*) echo;; *) echo "{\\"ok\\":\\"$1\\"}";; esac');
    const bridge = await site.running(site.bridge({ ...config(), transform_context: "sh t.sh %ioc", command_timeout: 8 }));
    for (const n of numbers(6)) await client.publish(indicator(n, pattern(n)));
    await eventually(() => sightings.length).toBe(6);
    const contexts = new Map(sightings.map(({ sighting_of_ref: id, x_threatbus_sighting_context: event }) => [Number(id.slice(-1)), event]));
    for (const n of numbers(6)) expect(contexts.get(n)).toEqual([1, 2, 3].includes(n) ? dns(n) : { ok: `n${n}.evil.example` });
    expect(bridge.stderr).toContain("transform_context failed");
    await bridge.kill("SIGTERM");
  });

  test("for the sink that is missing are waited for, with what they are to get", async () => {
    await site.bus();
    const { client } = await site.client();
    vast.events(dns(1));
    const bridge = await site.running(site.bridge({ ...config(), sink: "./sink.sh %ioc %matchtype" }));
    await client.publish(indicator(1, pattern(1)));
    await eventually(() => bridge.stderr).toContain("a sighting could not be delivered; it will be tried again");
    writeFileSync(join(site.folder, "sink.part"), '#!/bin/sh\n{ echo "$1 $2"; cat; } > got.part; mv got.part got\n', { mode: 0o755 });
    renameSync(join(site.folder, "sink.part"), join(site.folder, "sink.sh"));
    await eventually(() => existsSync(join(site.folder, "got"))).toBe(true);
    expect(readFileSync(join(site.folder, "got"), "utf8")).toBe('n1.evil.example RETRO\n{"ts": "2026-01-01T00:00:00", "query": "n1.evil.example", "n": 1}\n');
    expect(await bridge.kill("SIGTERM")).toEqual({ code: 0, signal: null });
  });
});
