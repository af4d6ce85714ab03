import { appendFile, mkdir, mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isThreatbusError, silentLogger, systemClock } from "@threatbus/core";
import { fakeHost } from "@threatbus/testkit";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { indicatorId } from "../src/map/indicator.ts";
import type { Report } from "../src/sightings/report.ts";
import type { Sent } from "../src/state/sent.ts";
import { openState } from "../src/state/state.ts";
import type { SentStore } from "../src/state/state.ts";
import { SentTable } from "../src/state/table.ts";
import { creator, scaled, time } from "./sample.ts";

const uuidOf = (n: number): string => `${n.toString(16).padStart(8, "0")}-1c80-4149-be3a-${(n * 7).toString(16).padStart(12, "0")}`;
const sent = (n: number, more: Partial<Sent> = {}): Sent => ({
  patterns: [`[domain-name:value = 'host-${n}.example']`], patternType: "stix", timestamp: time + n, eventId: String(1 + (n % 7)), fingerprint: n, creator: `identity--${creator}`, ...more,
});

describe("the table", () => {
  test("keeps everything it is given", () => {
    const markings = ["marking-definition--f88d31f6-486f-44da-b317-01333bde0b82", "marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003"] as const;
    const kinds: Sent[] = [
      sent(1), sent(2, { patterns: [] }), sent(3, { patterns: ["[domain-name:value = 'a.example']", "[ipv4-addr:value = '198.51.100.7']"] }), sent(4, { markings }),
      sent(5, { patternType: "yara", patterns: ["rule a {\n condition: true }"] }), sent(6, { patterns: ["[file:name = 'a]\n[b']"] }), sent(7, { timestamp: 253_402_300_799, fingerprint: 2 ** 32 - 1 }),
      { patterns: ["[url:value = 'ü😀']"], patternType: "stix", timestamp: 0, eventId: "4294967295", fingerprint: 0 },
    ];
    const table = new SentTable(100);
    kinds.forEach((kind, n) => table.set(uuidOf(n), kind));
    expect(kinds.map((_, n) => table.get(uuidOf(n)))).toStrictEqual(kinds);
    expect([table.get(uuidOf(99)), table.size]).toStrictEqual([undefined, kinds.length]);
    expect([...table.uuids()].sort()).toStrictEqual(kinds.map((_, n) => uuidOf(n)).filter((_, n) => n !== 1).sort());
  });

  test("full, it lets go of the longest untouched", () => {
    const table = new SentTable(2);
    table.set(uuidOf(1), sent(1));
    table.set(uuidOf(2), sent(2));
    table.set(uuidOf(1), sent(1, { patterns: [] }));
    table.set(uuidOf(3), sent(3));
    expect([table.size, table.evicted, table.get(uuidOf(1))?.patterns, table.get(uuidOf(2)), table.get(uuidOf(3))?.fingerprint]).toStrictEqual([2, 1, [], undefined, 3]);
  });

  test("long texts take the room of many, and never all", () => {
    const table = new SentTable(1_000);
    const rule = (n: number): Sent => sent(n, { patternType: "yara", patterns: [`${n}${"x".repeat(4 * 1024 * 1024)}`] });
    for (let n = 0; n < 20; n++) table.set(uuidOf(n), rule(n));
    expect(table.size).toBeLessThan(9);
    expect(table.bytes).toBeLessThan(36 * 1024 * 1024);
    expect(table.get(uuidOf(19))).toStrictEqual(rule(19));
    table.set(uuidOf(20), sent(20, { patterns: ["x".repeat(40 * 1024 * 1024)] }));
    expect(table.size).toBe(1);
  });

  test("does what a map does that forgets its oldest", () => {
    const step = fc.tuple(fc.nat(60), fc.constantFrom("1", "2", "3", "", "x"), fc.boolean());
    fc.assert(fc.property(fc.integer({ min: 1, max: 40 }), fc.array(step, { maxLength: 300 }), (most, steps) => {
      const table = new SentTable(most);
      const model = new Map<string, Sent>();
      for (const [n, eventId, live] of steps) {
        const one = sent(n, { eventId, ...(live ? {} : { patterns: [] }) });
        table.set(uuidOf(n), one);
        model.delete(uuidOf(n));
        model.set(uuidOf(n), { ...one, eventId: /^\d/.test(eventId) ? eventId : "" });
        const [oldest] = model.keys();
        if (model.size > most && oldest !== undefined) model.delete(oldest);
      }
      expect([...table.entries()]).toStrictEqual([...model]);
      for (const event of ["1", "2", "3"]) {
        expect([...table.ofEvent(event)].sort()).toStrictEqual([...model].filter(([, { eventId }]) => eventId === event).map(([id]) => id).sort());
      }
      expect([table.ofEvent(""), table.ofEvent("x"), table.ofEvent("4")]).toStrictEqual([[], [], []]);
    }), { numRuns: scaled(200) });
  });
});

describe("the state", () => {
  let folder = "";
  const ends: SentStore[] = [];
  beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), "misp-state-"))));
  afterEach(async () => {
    for (const store of ends.splice(0)) await store.close();
    await rm(folder, { recursive: true, force: true });
  });
  const path = (): string => join(folder, "deep", "misp.state");
  async function open(host = fakeHost(), max_items = 1_000_000): Promise<SentStore> {
    const store = await openState({ path: path(), max_items }, host);
    ends.push(store);
    return store;
  }
  async function filled(count: number): Promise<Buffer> {
    const store = await open();
    for (let n = 0; n < count; n++) store.set(uuidOf(n), sent(n));
    store.setMark("attributes", time);
    await store.close();
    return await readFile(path());
  }
  const all = (store: SentStore, count: number): (number | undefined)[] => Array.from({ length: count }, (_, n) => store.get(uuidOf(n))?.fingerprint);

  test("without a path ends with the process, and says that it does not know all", async () => {
    const store = await openState({ max_items: 10 }, fakeHost());
    store.set(uuidOf(1), sent(1));
    store.setMark("m", 7);
    expect([store.get(uuidOf(1)), store.mark("m"), store.mark("n"), store.size, store.diskBytes, store.complete]).toStrictEqual([sent(1), 7, undefined, 1, 0, false]);
    await store.close();
    await store.close();
  });

  test("comes back whole, marks too, and then knows all that was sent", async () => {
    const first = await open();
    const kinds = [sent(0), sent(1, { patterns: [] }), sent(2, { patterns: ["[a:b = 'c']", "[d:e = 'f']"] }), sent(3, { patternType: "snort", patterns: ["alert \"x\" \\ \n y"] }), sent(4, { patterns: ["[file:name = 'a]\n[b ü😀']"] })];
    kinds.forEach((kind, n) => first.set(uuidOf(n), kind));
    first.set(uuidOf(0), sent(0, { timestamp: time + 100 }));
    first.setMark("attributes", 1);
    first.setMark("attributes", time);
    first.setMark("events", 0.5);
    expect(first.complete).toBe(false);
    await first.close();
    const again = await open();
    expect([again.get(uuidOf(0)), ...kinds.slice(1).map((_, n) => again.get(uuidOf(n + 1)))]).toStrictEqual([sent(0, { timestamp: time + 100 }), ...kinds.slice(1)]);
    expect([again.mark("attributes"), again.mark("events"), again.size, again.complete, again.ofEvent("2")]).toStrictEqual([time, 0.5, 5, true, [uuidOf(1)]]);
    expect(again.diskBytes).toBe((await stat(path())).size);
    expect((await stat(path())).mode & 0o777).toBe(0o600);
  });

  test("comes back whatever the UUIDs are", async () => {
    // All beginnings that a line can have, and some ends.
    const uuids = [...Array(256).keys()].map((byte) => byte.toString(16).padStart(2, "0")).map((hex) => `${hex}ffffff-ff00-4ff0-8${hex}0-0000000000${hex}`);
    const first = await open();
    for (const [n, uuid] of uuids.entries()) first.set(uuid, sent(n));
    await first.close();
    const again = await open();
    expect(again.size).toBe(uuids.length);
    for (const [n, uuid] of uuids.entries()) expect(again.get(uuid)).toStrictEqual(sent(n));
  });

  test("finds the attribute of an indicator, of a split one's second half too", async () => {
    const store = await open();
    const split = sent(2, { patterns: ["[domain-name:value = 'a.example']", "[ipv4-addr:value = '198.51.100.7']"] });
    store.set(uuidOf(1), sent(1));
    store.set(uuidOf(2), split);
    await store.close();
    const half = indicatorId(uuidOf(2), 1).slice("indicator--".length);
    for (const each of [store, await open()]) expect([uuidOf(1), uuidOf(2), half, uuidOf(3)].map((id) => each.attributeOf(id))).toStrictEqual([uuidOf(1), uuidOf(2), uuidOf(2), undefined]);
    const small = await openState({ max_items: 1 }, fakeHost());
    for (let n = 0; n < 10; n++) small.set(uuidOf(n), split);
    expect(small.memoryBytes).toBeLessThan(1_000);
  });

  test("is on the disk a second later, without being closed", async () => {
    const host = fakeHost();
    const store = await open(host);
    store.set(uuidOf(1), sent(1));
    await host.clock.advance(1_000);
    await expect.poll(async () => (await readFile(path(), "utf8")).split("\n").length).toBe(3);
  });

  test("is cut after the last whole line, wherever it ends", async () => {
    const whole = await filled(3);
    const lines = whole.toString().split("\n").slice(1, -1);
    const ends = lines.reduce<number[]>((sum, line) => [...sum, (sum.at(-1) ?? 0) + Buffer.byteLength(line) + 1], [whole.indexOf(10) + 1]);
    for (let length = whole.indexOf(10) + 1; length < whole.length; length += 7) {
      const host = fakeHost();
      await writeFile(path(), whole.subarray(0, length));
      const store = await open(host);
      const expected = Math.min(ends.filter((end) => end <= length).length - 1, 3);
      expect(all(store, 3).filter((n) => n !== undefined)).toHaveLength(expected);
      store.set(uuidOf(9), sent(9));
      await store.close();
      const again = await open();
      expect(again.get(uuidOf(9))).toStrictEqual(sent(9));
      await again.close();
      expect(host.entries.filter(({ level }) => level !== "info")).toStrictEqual([]);
    }
    expect(await readdir(join(folder, "deep"))).toStrictEqual(["misp.state"]);
  });

  test("a power cut that leaves zeros behind does no harm", async () => {
    await filled(3);
    await appendFile(path(), Buffer.alloc(4_096));
    expect(all(await open(), 3)).toStrictEqual([0, 1, 2]);
  });

  test("damaged in its midst it is set aside, with a warning, and what could be read is kept", async () => {
    const whole = await filled(5);
    const second = whole.indexOf("\n", whole.indexOf("\n") + 1) + 1;
    whole[second + 30] = (whole[second + 30] ?? 0) ^ 1;
    await writeFile(path(), whole);
    const host = fakeHost();
    const store = await open(host);
    expect([all(store, 5), store.mark("attributes"), store.complete]).toStrictEqual([[0, undefined, 2, 3, 4], time, false]);
    expect(host.entries).toMatchObject([{ level: "warn", fields: { path: path(), lines: 5, damaged: 1 } }, { level: "info" }]);
    await store.close();
    const names = await readdir(join(folder, "deep"));
    expect(names).toStrictEqual(["misp.state", expect.stringMatching(/^misp\.state\.damaged-/)]);
    expect(await readFile(join(folder, "deep", names[1] ?? ""))).toStrictEqual(whole);
    const silent = fakeHost();
    expect(all(await open(silent), 5)).toStrictEqual([0, undefined, 2, 3, 4]);
    expect(silent.entries.filter(({ level }) => level === "warn")).toStrictEqual([]);
  });

  test.each(["{}", "threatbus-misp-st", "\0".repeat(100), "threatbus-misp-state one\n"])("a file that is none (%j) is set aside", async (content) => {
    await mkdir(join(folder, "deep"));
    await writeFile(path(), content);
    const host = fakeHost();
    const store = await open(host);
    store.set(uuidOf(1), sent(1));
    await store.close();
    expect(host.entries.map(({ level }) => level)).toStrictEqual(["warn"]);
    expect((await open()).size).toBe(1);
  });

  test("an empty file is a new one", async () => {
    await mkdir(join(folder, "deep"));
    await writeFile(path(), "");
    const host = fakeHost();
    expect((await open(host)).complete).toBe(false);
    expect(host.entries).toStrictEqual([]);
  });

  test("a later version's file, a folder, and a folder that is a file are problems with a way out", async () => {
    const problem = async (at: string): Promise<unknown> => openState({ path: at, max_items: 1 }, fakeHost()).catch((thrown: unknown) => thrown);
    await mkdir(join(folder, "deep"));
    await writeFile(path(), "threatbus-misp-state 2\nwhatever\n");
    for (const [at, words] of [[path(), /later version/], [folder, /cannot be read/], [join(path(), "below"), /cannot be/]] as const) {
      const thrown = await problem(at);
      expect(isThreatbusError(thrown, "OPTIONS_INVALID") && thrown.message).toMatch(words);
      expect(isThreatbusError(thrown) && thrown.hint).toBeTruthy();
    }
    expect(await readFile(path(), "utf8")).toContain("whatever");
  });

  test("whatever bytes stand in it, it opens", async () => {
    const whole = await filled(4);
    await fc.assert(fc.asyncProperty(fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { maxLength: 6 }), fc.nat(whole.length), async (changes, length) => {
      const mutant = Buffer.from(whole.subarray(0, length));
      for (const [at, byte] of changes) if (at < mutant.length) mutant[at] = byte;
      await writeFile(path(), mutant);
      const store = await open().catch((thrown: unknown) => (isThreatbusError(thrown, "OPTIONS_INVALID") ? undefined : Promise.reject(thrown as Error)));
      for (let n = 0; n < 4; n++) expect([undefined, n]).toContain(store?.get(uuidOf(n))?.fingerprint);
      await store?.close();
    }), { numRuns: scaled(50) });
  });

  test("is written anew without what was overwritten, and loses nothing that comes meanwhile", async () => {
    const host = fakeHost();
    const store = await open(host);
    for (let round = 0; round < 4; round++) {
      for (let n = 0; n < 6_000; n++) store.set(uuidOf(n), sent(n, { timestamp: time + round }));
      const written = host.clock.advance(1_000);
      // While it is written.
      store.set(uuidOf(round), sent(round, { timestamp: time + 1_000 + round }));
      store.set(uuidOf(7_000 + round), sent(7_000 + round));
      await written;
    }
    await store.close();
    const lines = (await readFile(path(), "utf8")).split("\n").length;
    expect(lines).toBeLessThan(18_100);
    const again = await open();
    expect([again.size, again.get(uuidOf(7_003))?.fingerprint, again.get(uuidOf(5_999))?.timestamp, again.get(uuidOf(3))?.timestamp]).toStrictEqual([6_004, 7_003, time + 3, time + 1_003]);
    await again.close();
    expect(await readdir(join(folder, "deep"))).toStrictEqual(["misp.state"]);
  });

  test("a disk that takes nothing: said once, tried again, and nothing is lost when it does", async () => {
    const host = fakeHost();
    const whole = await filled(3);
    whole[whole.length - 60] = 0;
    await writeFile(path(), whole);
    // Where the new file would be written there is a folder.
    await mkdir(`${path()}.new`);
    const store = await open(host);
    store.set(uuidOf(8), sent(8));
    for (let second = 0; second < 20; second++) await host.clock.advance(1_000);
    await expect.poll(() => host.entries.filter(({ level }) => level === "error").length).toBe(1);
    store.set(uuidOf(9), sent(9));
    await rm(`${path()}.new`, { recursive: true });
    for (let minute = 0; minute < 3; minute++) await host.clock.advance(60_000);
    await expect.poll(() => host.entries.some(({ text }) => text.includes("on the disk again"))).toBe(true);
    await store.close();
    const again = await open();
    expect([again.get(uuidOf(8)), again.get(uuidOf(9)), again.get(uuidOf(0))]).toStrictEqual([sent(8), sent(9), sent(0)]);
  });

  test("takes at most 300 bytes an attribute in memory and on disk, however often each changes", async () => {
    const kinds = [
      (n: number) => `[ipv4-addr:value = '198.51.${n % 256}.7']`, (n: number) => `[domain-name:value = 'host-${n}.some-longer-name.example']`,
      (n: number) => `[url:value = 'http://host-${n}.example/a/rather/long/path/gate.php?id=${n}']`, (n: number) => `[file:hashes.'SHA-256' = '${n.toString(16).padStart(64, "a")}']`,
    ];
    const store = await openState({ path: path(), max_items: 1_000_000 }, { logger: silentLogger, clock: systemClock });
    ends.push(store);
    const count = Math.min(scaled(30_000), 1_000_000);
    for (let n = 0; n < 3 * count; n++) store.set(uuidOf(n % count), sent(n, { patterns: [kinds[n % 4]?.(n) ?? ""] }));
    await store.close();
    expect(store.memoryBytes / count).toBeLessThan(300);
    expect(store.diskBytes / count).toBeLessThan(300);
    expect((await stat(path())).size).toBe(store.diskBytes);
  });

  test("with a smaller limit than before it keeps the newest", async () => {
    await filled(10);
    const store = await open(fakeHost(), 4);
    expect([all(store, 10), store.complete]).toStrictEqual([[undefined, undefined, undefined, undefined, undefined, undefined, 6, 7, 8, 9], false]);
  });

  test("keeps the sightings that wait, and only those that wait when it is written", async () => {
    const report = (n: number): Report => ({ uuid: uuidOf(n), attribute: uuidOf(100 + n), type: n % 2 === 0 ? 0 : 1, source: `Threat "Bus" ü\n😀 + - @ ${n}`, time: time + n });
    const host = fakeHost();
    const store = await open(host);
    for (let n = 0; n < 4; n++) store.reports.add(report(n));
    store.reports.delete(report(0));
    await host.clock.advance(1_000);
    const linesNow = async (): Promise<number> => (await readFile(path(), "utf8")).split("\n").length;
    await expect.poll(linesNow).toBe(5);
    store.reports.delete(report(1));
    store.reports.add(report(5));
    await store.close();
    expect(await linesNow()).toBe(7);
    const again = await open();
    expect([[...again.reports.values()], again.size]).toStrictEqual([[report(2), report(3), report(5)], 0]);
    for (let n = 0; n < 12_000; n++) again.setMark("m", n);
    await again.close();
    expect(await linesNow()).toBe(6);
    expect([...(await open()).reports.values()]).toStrictEqual([report(2), report(3), report(5)]);
  });

  test("a file cut to nothing behind its back is not filled with zeros", async () => {
    const whole = await filled(2);
    await truncate(path(), whole.indexOf(10) + 1);
    expect((await open()).size).toBe(0);
  });
});
