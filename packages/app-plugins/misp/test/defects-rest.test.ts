/** Defects of the first Threat Bus's MISP plugin that need MISP's API or its feed; the others are in defects.test.ts. */
import { randomUUID } from "node:crypto";
import { createBus, message, silentLogger } from "@threatbus/core";
import type { Message } from "@threatbus/core";
import { inmem } from "@threatbus/inmem";
import { mispFeed } from "@threatbus/testkit";
import type { Sighting, StixObject } from "stix2-ts-types";
import { expect, test } from "vitest";
import { misp } from "../src/index.ts";
import { ask } from "./history.ts";
import { atEnd, stand } from "./stand.ts";

const seen = "2026-01-01T00:00:00Z";

function sightingOf(ref: string): Message {
  return message({ type: "sighting", spec_version: "2.1", id: `sighting--${randomUUID()}`, created: "2026-02-01T00:00:00Z", modified: "2026-02-01T00:00:00Z", last_seen: seen, sighting_of_ref: ref } as Sighting);
}

test("defect 5: tags that come with a new attribute, and those of its event, never match", async () => {
  const { api, patterns } = await stand({ filter: [{ tags: ["wanted"] }] });
  await api.add(api.addEvent({ tags: ["wanted"] }), { value: "198.51.100.1" });
  await api.add(api.addEvent(), { value: "198.51.100.2", tags: ["wanted"] });
  await expect.poll(() => patterns()).toStrictEqual(["ADD [ipv4-addr:value = '198.51.100.1']", "ADD [ipv4-addr:value = '198.51.100.2']"]);
});

test("defect 10: the snapshot goes by the event's day, has one page, asks for each organisation and type, and one bad attribute or answer spoils it", async () => {
  const { api, bus } = await stand({ filter: [{ types: ["ip-dst", "domain"], orgs: ["2", "3"], tags: ["wanted"] }], api: { page_size: 2 } });
  const event = api.addEvent({ tags: ["wanted"] });
  const now = Math.floor(Date.now() / 1_000);
  for (let n = 1; n <= 5; n++) api.library.addAttribute(event, { value: n === 3 ? "no address" : `198.51.100.${n}`, warned: n === 2 }, now);
  api.library.addAttribute(event, { value: "198.51.100.6" }, now - 7_200);
  api.trouble({ path: "/attributes", status: 500, body: '{"message": "An Internal Error Has Occurred."}' });
  const { objects, failed } = await ask(bus, 1, 3_600);
  expect(failed).toBe(0);
  expect(objects.map(({ pattern }) => pattern)).toStrictEqual([1, 2, 4, 5].map((n) => `[ipv4-addr:value = '198.51.100.${n}']`));
  const searches = api.requests.filter(({ path }) => path.startsWith("/attributes")).map(({ body }) => JSON.stringify({ ...(body as object), page: 0 }));
  // What was changed, and what was published, since.
  expect(new Set(searches).size).toBe(2);
});

test("defect 10: tags of an event count in the snapshot, and live only those of the attribute", async () => {
  const { api, bus, patterns } = await stand({ filter: [{ tags: ["wanted"] }] });
  const [tagged, plain] = [api.addEvent({ tags: ["wanted"] }), api.addEvent()];
  await api.add(tagged, { value: "198.51.100.1" });
  await api.add(plain, { value: "198.51.100.2", tags: ["wanted"] });
  await api.add(plain, { value: "198.51.100.3" });
  const both = [1, 2].map((n) => `[ipv4-addr:value = '198.51.100.${n}']`);
  await expect.poll(() => patterns()).toStrictEqual(both.map((pattern) => `ADD ${pattern}`));
  expect((await ask(bus, 1, 3_600)).objects.map(({ pattern }) => pattern)).toStrictEqual(both);
});

test("defect 10: sightings wait until the snapshot has its answer", async () => {
  const { api, bus } = await stand();
  const { uuid } = api.library.addAttribute(api.addEvent(), {}, Math.floor(Date.now() / 1_000));
  api.trouble({ path: "/attributes", status: "hang" });
  await bus.subscribe("stix2/indicator", () => undefined, { snapshot: 3_600 });
  await expect.poll(() => api.requests.filter(({ path }) => path.startsWith("/attributes")).length).toBe(1);
  await bus.publish(sightingOf(`indicator--${uuid}`));
  await expect.poll(() => api.library.sightings.length).toBe(1);
  expect(bus.stats().snapshots).toMatchObject({ begun: 1, answered: 0, failed: 0 });
});

test("defect 11: a sighting has the wrong time, and an error ends reporting for ever", async () => {
  const { api, bus, patterns } = await stand();
  const { uuid } = await api.add(api.addEvent());
  await expect.poll(() => patterns().length).toBeGreaterThan(0);
  api.trouble({ path: "/sightings", status: "cut" });
  api.trouble({ path: "/sightings", status: 200, headers: { "Content-Type": "text/html" }, body: "<html>" });
  await bus.publish(sightingOf(`indicator--${uuid}`));
  await expect.poll(() => api.library.sightings.length).toBe(1);
  await bus.publish(sightingOf(`indicator--${uuid}`));
  await expect.poll(() => api.library.sightings.length).toBe(2);
  expect(new Set(api.library.sightings.map(({ date_sighting }) => date_sighting))).toStrictEqual(new Set([Date.parse(seen) / 1_000]));
});

test("defect 11: there are no false positives, and what is about no indicator of this MISP is sent to it again and again", async () => {
  const { api, bus, patterns, count } = await stand();
  const { uuid } = await api.add(api.addEvent());
  await expect.poll(() => patterns().length).toBeGreaterThan(0);
  const foreign = randomUUID();
  await bus.publish(message({ type: "opinion", spec_version: "2.1", id: `opinion--${randomUUID()}`, created: seen, modified: seen, opinion: "strongly-disagree", object_refs: [`indicator--${uuid}`] } as StixObject));
  await bus.publish(sightingOf(`malware--${uuid}`));
  await bus.publish(sightingOf(`indicator--${foreign}`));
  await expect.poll(() => count("misp_sightings")).toStrictEqual({ reported: 1, foreign: 1, unknown: 1 });
  await bus.publish(sightingOf(`indicator--${foreign}`));
  await expect.poll(() => count("misp_sightings")).toStrictEqual({ reported: 1, foreign: 1, unknown: 2 });
  expect(api.library.sightings).toMatchObject([{ type: 1 }]);
  expect(api.requests.filter(({ path }) => path.startsWith("/sightings")).map(({ path }) => path)).toStrictEqual([expect.stringMatching(/^\/sightings\/bulkSaveSightings\//), `/sightings/add/${foreign}`]);
});

test("defect 11: without an API sightings pile up", async () => {
  const feed = await mispFeed();
  atEnd(() => feed.stop());
  const bus = createBus({ backbones: [inmem()], apps: [misp({ zmq: { host: "127.0.0.1", port: feed.port } })], logger: silentLogger });
  atEnd(() => bus.stop());
  await bus.start();
  for (let n = 0; n < 100; n++) await bus.publish(sightingOf(`indicator--${randomUUID()}`));
  expect(bus.stats()).toMatchObject({ published: 100, unmatched: 100, subscriptions: [] });
});

test("defect 12: a frame without a blank or with bad UTF-8 ends the receiver, and no metric tells", async () => {
  const { feed, api, patterns, count } = await stand();
  await feed.sendRaw("misp_json_attribute");
  await feed.sendRaw(Buffer.concat([Buffer.from("misp_json_attribute "), Buffer.from([0xc3, 0x28])]));
  await api.add(api.addEvent(), { value: "198.51.100.1" });
  await expect.poll(() => patterns()).toContain("ADD [ipv4-addr:value = '198.51.100.1']");
  expect(count("misp_refused")).toStrictEqual({ frame: 1, utf8: 1 });
});
