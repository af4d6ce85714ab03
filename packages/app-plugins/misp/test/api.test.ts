/** What the API adds to the feed: tags, what was missed, history. */
import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createBus, message, silentLogger } from "@threatbus/core";
import { inmem } from "@threatbus/inmem";
import { fakeMisp, mispFeed } from "@threatbus/testkit";
import type { Indicator, Sighting } from "stix2-ts-types";
import { describe, expect, test } from "vitest";
import { misp } from "../src/index.ts";
import type { Snapshot } from "./history.ts";
import { ask } from "./history.ts";
import { atEnd, expectBalanced, refusing, stand } from "./stand.ts";

const ip = (last: number): string => `[ipv4-addr:value = '198.51.100.${last}']`;
const fast = { poll_interval: 1 };

describe("tags", () => {
  test("of a new attribute and of its event are asked for: the filter sees them, markings and labels have them", async () => {
    const all = await stand({ filter: [{ tags: ["tlp:amber"] }] });
    const { api, got, count, patterns } = all;
    const amber = api.addEvent({ tags: ["tlp:amber"] }), plain = api.addEvent();
    await api.add(amber, { value: "198.51.100.1" });
    await api.add(plain, { value: "198.51.100.2", tags: ["tlp:amber"] });
    await api.add(plain, { value: "198.51.100.3", tags: ["tlp:green"] });
    await expect.poll(() => patterns()).toStrictEqual([`ADD ${ip(1)}`, `ADD ${ip(2)}`]);
    expect(got.map(({ object_marking_refs: refs }) => refs)).toStrictEqual(Array(2).fill(["marking-definition--f88d31f6-486f-44da-b317-01333bde0b82"]));
    expect(count("misp_skipped")).toStrictEqual({ reread: 3, filter: 1 });
    // The event is known now: its next attribute needs no question once it has tags of its own.
    const requests = api.requests.length;
    const [first] = api.library.attributes.keys();
    await api.edit(first ?? "", { value: "198.51.100.4", tags: ["x"] });
    await expect.poll(() => patterns().slice(2)).toStrictEqual([`REMOVE ${ip(1)}`, `ADD ${ip(4)}`]);
    expect(api.requests.length).toBe(requests);
    expectBalanced(all);
  });

  test("of an event that has none are known too, and those it gets later are news", async () => {
    const { api, feed, patterns, count } = await stand({ zmq: { topics: ["misp_json_attribute", "misp_json_event"] } });
    const event = api.addEvent();
    const { uuid } = await api.add(event, { value: "198.51.100.1" });
    await expect.poll(() => count("misp_skipped")).toStrictEqual({ unchanged: 1 });
    const requests = api.requests.length;
    await api.edit(uuid, { value: "198.51.100.2" });
    await expect.poll(() => patterns()).toStrictEqual([`ADD ${ip(1)}`, `REMOVE ${ip(1)}`, `ADD ${ip(2)}`]);
    expect([api.requests.length, count("misp_rereads_waiting")]).toStrictEqual([requests, { "": 0 }]);
    const tag = api.library.tag("tlp:red");
    event.tags.push(tag);
    await feed.send("misp_json_event", { Event: api.library.feedEventJson(event), EventTag: [{ Tag: api.library.tagJson(tag) }], action: "edit" });
    await expect.poll(() => patterns().slice(3)).toStrictEqual([`EDIT ${ip(2)}`]);
  });

  test("excluded ones keep an attribute back before it was ever sent", async () => {
    const { api, patterns, count } = await stand({ exclude: [{ tags: ["TLP:RED"] }] });
    const event = api.addEvent();
    await api.add(event, { value: "198.51.100.1", tags: ["tlp:red"] });
    await api.add(event, { value: "198.51.100.2" });
    await expect.poll(() => patterns()).toStrictEqual([`ADD ${ip(2)}`]);
    await expect.poll(() => count("misp_skipped")).toStrictEqual({ reread: 2, filter: 1 });
  });

  test("excluded ones keep rules and patterns back, too", async () => {
    const { api, patterns, count } = await stand({ exclude: [{ tags: ["tlp:red"] }], rule_topics: true });
    const event = api.addEvent();
    for (const type of ["sigma", "yara", "suricata", "snort"]) await api.add(event, { type, value: `the ${type} rule`, tags: ["tlp:red"] });
    await api.add(event, { type: "stix2-pattern", value: ip(1), tags: ["tlp:red"] });
    await api.add(event, { type: "yara", value: "rule another { condition: true }" });
    await expect.poll(() => patterns()).toStrictEqual(["ADD rule another { condition: true }"]);
    await expect.poll(() => count("misp_skipped")).toStrictEqual({ reread: 6, filter: 5 });
    await expect.poll(() => count("misp_messages")).toStrictEqual({ ADD: 1, RULE: 1 });
  });

  test("that are too many to be asked for are counted", async () => {
    const { feed, count } = await stand({ zmq: { topics: ["misp_json_attribute", "misp_json_tag"] } });
    for (let id = 1; id <= 50_100; id++) await feed.send("misp_json_tag", { Tag: { name: "tlp:red", event_id: id }, action: "attached to event" });
    await expect.poll(() => count("misp_handled")["tag"]).toBe(50_100);
    expect(count("misp_rereads_dropped")[""]).toBeGreaterThan(0);
    expect(count("misp_rereads_waiting")[""]).toBeLessThanOrEqual(50_000);
  });

  test("without a filter that needs them an attribute is sent at once, and again with its tags", async () => {
    const { api, got, patterns } = await stand();
    await api.add(api.addEvent({ tags: ["tlp:green"] }), { value: "198.51.100.1", tags: ["campaign"] });
    await expect.poll(() => patterns()).toStrictEqual([`ADD ${ip(1)}`, `EDIT ${ip(1)}`]);
    expect(got.map(({ object_marking_refs: refs }) => refs)).toStrictEqual([undefined, ["marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da"]]);
    expect(got[1]?.["labels"]).toContain("campaign");
  });

  test("that an event gets later reach all its attributes", async () => {
    const { api, patterns } = await stand({ zmq: { topics: ["misp_json_attribute", "misp_json_tag"] }, exclude: [{ tags: ["tlp:red"] }] });
    const event = api.addEvent();
    for (const last of [1, 2]) await api.add(event, { value: `198.51.100.${last}` });
    await expect.poll(() => patterns()).toHaveLength(2);
    await api.tagEvent(event, "tlp:red");
    await expect.poll(() => patterns().slice(2)).toStrictEqual([`REMOVE ${ip(1)}`, `REMOVE ${ip(2)}`]);
  });

  test("are asked for again when MISP is back", async () => {
    const { api, patterns, count } = await stand({ filter: [{ tags: ["good"] }] });
    api.trouble({ path: "/attributes", status: 503, times: 3 });
    await api.add(api.addEvent(), { value: "198.51.100.1", tags: ["good"] });
    await expect.poll(() => patterns()).toStrictEqual([`ADD ${ip(1)}`]);
    await expect.poll(() => count("misp_rereads_waiting")).toStrictEqual({ "": 0 });
  });
});

test("numbers in place of their strings, as a MISP 2.5 may write them, are the same: in the feed, in the API, in sightings", async () => {
  const topics = ["misp_json_attribute", "misp_json", "misp_json_event", "misp_json_tag", "misp_json_sighting"] as const;
  const all = await stand({ zmq: { topics: [...topics] }, filter: [{ orgs: ["2"], tags: ["wanted"] }] });
  const { api, bus, got, patterns, count } = all;
  api.library.integers = true;
  const event = api.addEvent({ tags: ["wanted"] });
  const { uuid } = await api.add(event, { value: "198.51.100.1" });
  await api.add(api.addEvent({ tags: ["wanted"], orgc: { id: 3, uuid: "55f6ea5e-2c60-40e5-964f-47a8950d2100", name: "other" } }), { value: "198.51.100.2" });
  await expect.poll(() => [patterns(), count("misp_skipped")["filter"]]).toStrictEqual([[`ADD ${ip(1)}`], 1]);
  const { uuid: seen } = await api.sight(uuid, { source: "their sensor" });
  await expect.poll(() => got.filter(({ type }) => type === "sighting")).toMatchObject([{ id: `sighting--${seen}` }]);
  expect((await ask(bus, 2, 3_600)).objects).toMatchObject([{ id: `sighting--${seen}` }]);
  await api.tagEvent(event, "tlp:red");
  await expect.poll(() => patterns().slice(1)).toStrictEqual([`EDIT ${ip(1)}`]);
  await api.publish(event);
  await api.removeEvent(event);
  await expect.poll(() => patterns().slice(2)).toStrictEqual([`REMOVE ${ip(1)}`]);
  expect(count("misp_refused")).toStrictEqual({});
  expectBalanced(all);
});

test("two MISPs on one bus: each has its own memory, and a sighting is reported to the one that has its attribute", async () => {
  const misps = await Promise.all([fakeMisp(), fakeMisp()]);
  for (const each of misps) atEnd(() => each.stop());
  const apps = misps.map((each, n) => ({ ...misp({ api: { host: each.url, key: each.key, poll_interval: 1 } }), name: `misp/${n}` }));
  const bus = createBus({ backbones: [inmem()], apps, logger: silentLogger });
  atEnd(() => bus.stop());
  const got: string[] = [];
  await bus.subscribe("stix2/indicator", ({ body }) => void got.push((body as Indicator).pattern));
  await bus.start();
  await expect.poll(() => misps.every(({ requests }) => requests.length > 0)).toBe(true);
  // Of one number in both.
  const rows = await Promise.all(misps.map((each, n) => each.add(each.addEvent({ id: 7 }), { value: `198.51.100.${n + 1}` })));
  await expect.poll(() => [...got].sort()).toStrictEqual([ip(1), ip(2)]);
  const [uuid] = rows.map((row) => row.uuid);
  const now = "2026-01-01T00:00:00Z" as Sighting["created"];
  await bus.publish(message({ type: "sighting", spec_version: "2.1", id: `sighting--${randomUUID()}`, created: now, modified: now, sighting_of_ref: `indicator--${uuid ?? ""}` }));
  const outcomes = (name: string): unknown[] => (bus.stats().plugins[name] ?? []).filter((sample) => sample.name === "misp_sightings").map(({ labels, value }) => ({ ...labels, value }));
  await expect.poll(() => ["misp/0", "misp/1"].map(outcomes)).toStrictEqual([[{ outcome: "reported", value: 1 }], [{ outcome: "unknown", value: 1 }]]);
  expect(misps.map(({ library }) => library.sightings.length)).toStrictEqual([1, 0]);
});

test("a certificate that is not to be checked is accepted, and warned of", async () => {
  const { log } = await stand({ zmq: false, api: { ssl: false } });
  expect(log.filter(({ level }) => level === "warn").map(({ text }) => text)).toContain("MISP's certificate is not checked: whoever is between can read the key");
});

describe("what the feed did not tell", () => {
  test("is asked for: with the API alone, everything", async () => {
    const { api, patterns } = await stand({ zmq: false, api: { ...fast, page_size: 2 } });
    await expect.poll(() => api.requests.length).toBeGreaterThan(0);
    const event = api.addEvent();
    const rows = [];
    for (const last of [1, 2, 3]) rows.push(await api.add(event, { value: `198.51.100.${last}` }));
    await expect.poll(() => patterns()).toStrictEqual([1, 2, 3].map((last) => `ADD ${ip(last)}`));
    await api.edit(rows[0]?.uuid ?? "", { to_ids: false });
    await api.edit(rows[1]?.uuid ?? "", { value: "198.51.100.9" });
    await api.remove(rows[2]?.uuid ?? "", "sanitised");
    await expect.poll(() => patterns().slice(3).sort()).toStrictEqual([`ADD ${ip(9)}`, `REMOVE ${ip(1)}`, `REMOVE ${ip(2)}`, `REMOVE ${ip(3)}`]);
  });

  test("while it was away: edits, removals, and events pulled with their old times", async () => {
    const all = await stand({ api: { ...fast } });
    const { api, feed, patterns } = all;
    const event = api.addEvent();
    const first = await api.add(event, { value: "198.51.100.1" });
    await expect.poll(() => patterns()).toStrictEqual([`ADD ${ip(1)}`]);
    await expect.poll(() => api.requests.filter(({ path }) => path.endsWith("getVersion")).length).toBeGreaterThan(0);
    await feed.stop();
    api.library.attributes.get(first.uuid)!.deleted = true;
    api.library.attributes.get(first.uuid)!.timestamp = Math.floor(Date.now() / 1_000);
    const pulled = api.addEvent({ timestamp: 1_500_000_000, published: true, publish_timestamp: Math.floor(Date.now() / 1_000) });
    api.library.addAttribute(pulled, { value: "198.51.100.2" }, 1_500_000_000);
    await expect.poll(() => patterns().slice(1).sort()).toStrictEqual([`ADD ${ip(2)}`, `REMOVE ${ip(1)}`]);
    expectBalanced(all);
  });

  test("when ZeroMQ is back, at once", async () => {
    const { api, feed, patterns, log } = await stand();
    await expect.poll(() => log.map(({ text }) => text)).toContain("MISP answers");
    await feed.stop();
    await expect.poll(() => log.map(({ text }) => text)).toContain("connection to MISP lost, connecting again");
    api.library.addAttribute(api.addEvent(), { value: "198.51.100.1" }, Math.floor(Date.now() / 1_000));
    const back = await mispFeed({ port: feed.port });
    atEnd(() => back.stop());
    // The next regular question is five minutes away.
    await expect.poll(() => patterns()).toStrictEqual([`ADD ${ip(1)}`]);
  });

  test("at the start, from where the state was left", async () => {
    const folder = await mkdtemp(join(tmpdir(), "misp-catch-up-"));
    atEnd(() => rm(folder, { recursive: true, force: true }));
    const state = { path: join(folder, "misp.state") };
    const first = await stand({ zmq: false, state, api: fast });
    const { api, feed } = first;
    await expect.poll(() => api.requests.some(({ body }) => Object.hasOwn(Object(body) as object, "publish_timestamp"))).toBe(true);
    await first.bus.stop();
    api.library.addAttribute(api.addEvent(), { value: "198.51.100.1" }, Math.floor(Date.now() / 1_000));
    const second = await stand({ state }, { api, feed });
    await expect.poll(() => second.patterns()).toStrictEqual([`ADD ${ip(1)}`]);
  });

  test("without a state there is no place to go on from: it begins now", async () => {
    const feed = await mispFeed();
    atEnd(() => feed.stop());
    const api = await fakeMisp({ feed });
    atEnd(() => api.stop());
    const now = Math.floor(Date.now() / 1_000);
    api.library.addAttribute(api.addEvent({ published: true, publish_timestamp: now - 1_000 }), { value: "198.51.100.1" }, now - 1_000);
    const { patterns } = await stand({ zmq: false, api: fast }, { api, feed });
    const searches = (parameter: string): number[] => api.requests.flatMap(({ body }) => (Object(body) as Readonly<Record<string, number>>)[parameter] ?? []);
    // The second of them is asked for when the first has been read.
    await expect.poll(() => searches("publish_timestamp").length).toBe(2);
    expect(Math.min(...searches("timestamp"), ...searches("publish_timestamp"))).toBeGreaterThan(now - 300);
    expect(patterns()).toStrictEqual([]);
    await api.add(api.addEvent(), { value: "198.51.100.2" });
    await expect.poll(() => patterns()).toStrictEqual([`ADD ${ip(2)}`]);
  });

  test("what the bus did not take is not remembered, and comes with the next question", async () => {
    let refuses = true;
    const { api, patterns, count, log } = await stand({ zmq: false, api: fast }, { backbone: refusing(() => refuses) });
    await expect.poll(() => api.requests.length).toBeGreaterThan(0);
    await api.add(api.addEvent(), { value: "198.51.100.1" });
    await expect.poll(() => count("misp_messages_failed")[""]).toBeGreaterThan(1);
    expect({ patterns: patterns(), remembered: count("misp_attributes_remembered") }).toStrictEqual({ patterns: [], remembered: { "": 0 } });
    expect(log.filter(({ text }) => text.startsWith("the bus does not take what MISP says"))).toHaveLength(1);
    refuses = false;
    await expect.poll(() => patterns()).toStrictEqual([`ADD ${ip(1)}`]);
    expect(count("misp_attributes_remembered")).toStrictEqual({ "": 1 });
  });

  test("a MISP that is not there yet, or has another idea of the key, is asked until it answers; the log says why, once, without the key", async () => {
    const feed = await mispFeed();
    atEnd(() => feed.stop());
    const api = await fakeMisp({ feed });
    atEnd(() => api.stop());
    await api.down();
    const { log, count, patterns } = await stand({ zmq: false, api: fast }, { api, feed });
    await expect.poll(() => log.filter(({ level }) => level === "warn").map(({ text }) => text)).toContain("MISP's API does not answer; trying on");
    expect(count("misp_api_up")).toStrictEqual({ "": 0 });
    await api.up();
    await expect.poll(() => log.map(({ text }) => text)).toContain("MISP answers");
    expect(count("misp_api_up")).toStrictEqual({ "": 1 });
    await api.add(api.addEvent(), { value: "198.51.100.1" });
    await expect.poll(() => patterns()).toStrictEqual([`ADD ${ip(1)}`]);
    expect(JSON.stringify(log)).not.toContain(api.key);
  });
});

describe("history", () => {
  test("of indicators: changed or published in the span, as the filter says, each once", async () => {
    const now = Math.floor(Date.now() / 1_000);
    const { bus, api } = await stand({ filter: [{ types: ["ip-dst"], orgs: [2] }], exclude: [{ tags: ["tlp:red"] }], api: { page_size: 2 } });
    const event = api.addEvent({ published: true, publish_timestamp: now - 50, tags: ["tlp:green"] });
    const other = api.addEvent({ orgc: { id: 3, uuid: "55f6ea5e-2c60-40e5-964f-47a8950d2100", name: "other" } });
    const add = (last: number, fields: object, to = event): void => void api.library.addAttribute(to, { value: `198.51.100.${last}`, ...fields }, now - 10);
    add(1, {});
    add(2, { timestamp: now - 900_000 });
    add(3, { deleted: true });
    add(4, { to_ids: false });
    add(5, { tags: ["tlp:red"] });
    add(6, { type: "domain", value: "evil.example" });
    add(7, {}, other);
    add(8, { timestamp: now - 900_000 }, other);
    add(9, {});
    const { objects } = await ask(bus, 1, 3_600);
    expect(objects.map(({ pattern }) => pattern).sort()).toStrictEqual([ip(1), ip(2), ip(9)]);
    expect(objects[0]?.["object_marking_refs"]).toStrictEqual(["marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da"]);
    expect(api.requests.at(-1)?.body).toMatchObject({ type: ["ip-dst"], org: ["2"], to_ids: 1 });
  });

  test("of sightings", async () => {
    const { bus, api } = await stand();
    const row = await api.add(api.addEvent());
    const now = Math.floor(Date.now() / 1_000);
    const seen = await api.sight(row.uuid, { source: "someone", time: now - 10 });
    await api.sight(row.uuid, { time: now - 100_000 });
    await api.sight(row.uuid, { type: 1 });
    const { objects } = await ask(bus, 2, 3_600);
    expect(objects).toMatchObject([{ type: "sighting", id: `sighting--${seen.uuid}`, sighting_of_ref: `indicator--${row.uuid}`, x_threatbus_source: "MISP" }]);
  });

  test("a MISP that fails ends the answer with an error, no more", async () => {
    const { bus, api } = await stand();
    await expect.poll(() => api.requests.length).toBeGreaterThan(0);
    api.trouble({ path: "/attributes", status: 500, times: 9 });
    const { objects, failed }: Snapshot = await ask(bus, 1, 60);
    expect({ objects, failed }).toStrictEqual({ objects: [], failed: 1 });
  });
});
