/** Each topic of MISP's ZeroMQ publisher, through a socket that wants to know who listens (PLAIN). */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { mispFeed } from "@threatbus/testkit";
import { expect, test } from "vitest";
import { atEnd, expectBalanced, stand } from "./stand.ts";
import type { Stand } from "./stand.ts";

type Topic = "misp_json_attribute" | "misp_json" | "misp_json_event" | "misp_json_tag" | "misp_json_sighting";

const secret = { username: "misp", password: "s3cret" };
const ip = (last: number): string => `[ipv4-addr:value = '198.51.100.${last}']`;

/** Lets nobody in who cannot name the secret, and listens to these topics only. */
async function listening(...topics: Topic[]): Promise<Stand> {
  const feed = await mispFeed({ secret });
  atEnd(() => feed.stop());
  return await stand({ zmq: { ...secret, topics } }, { feed });
}

/** Sent, asked for, and found to have no more tags. */
async function known({ api, patterns, count }: Stand, event: ReturnType<Stand["api"]["addEvent"]>, fields = {}): Promise<string> {
  const { uuid } = await api.add(event, { value: "198.51.100.1", ...fields });
  await expect.poll(() => patterns()).toStrictEqual([`ADD ${ip(1)}`]);
  await expect.poll(() => count("misp_skipped")).toStrictEqual({ unchanged: 1 });
  return uuid;
}

test("misp_json_attribute: adds, edits and removals, and nothing of other topics", async () => {
  const all = await listening("misp_json_attribute");
  const { api, patterns, count } = all;
  const event = api.addEvent();
  const { uuid } = await api.add(event, { value: "198.51.100.1" });
  await api.publish(event);
  await api.tagEvent(event, "tlp:red");
  await api.edit(uuid, { value: "198.51.100.2" });
  await api.remove(uuid);
  await expect.poll(() => patterns()).toStrictEqual([`ADD ${ip(1)}`, `REMOVE ${ip(1)}`, `ADD ${ip(2)}`, `REMOVE ${ip(2)}`]);
  expect(count("misp_received")["feed"]).toBe(3);
  expectBalanced(all);
});

test("misp_json: what is in an event when it is published, and what is no longer", async () => {
  const all = await listening("misp_json");
  const { api, patterns, count } = all;
  const event = api.addEvent({ tags: ["tlp:green"] });
  const [first] = [await api.add(event, { value: "198.51.100.1" }), await api.add(event, { value: "198.51.100.2" })];
  await api.publish(event);
  await expect.poll(() => patterns()).toStrictEqual([`ADD ${ip(1)}`, `ADD ${ip(2)}`]);
  expect(all.got.map(({ object_marking_refs: refs }) => refs)).toStrictEqual(Array(2).fill(["marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da"]));
  // Without a word on any other topic.
  api.library.attributes.delete(first.uuid);
  event.timestamp++;
  await api.publish(event);
  await expect.poll(() => patterns().slice(2)).toStrictEqual([`REMOVE ${ip(1)}`]);
  expect(count("misp_handled")).toStrictEqual({ published: 2 });
  expectBalanced(all);
});

test("misp_json_event: an event's tags as they are now, its pull from another MISP, and its end with all that was in it", async () => {
  const all = await listening("misp_json_attribute", "misp_json_event");
  const { api, feed, got, patterns, count } = all;
  const event = api.addEvent();
  await known(all, event);
  const tag = api.library.tag("tlp:amber");
  event.tags.push(tag);
  await feed.send("misp_json_event", { Event: api.library.feedEventJson(event), Orgc: event.orgc, EventTag: [{ Tag: api.library.tagJson(tag) }], action: "edit" });
  await expect.poll(() => patterns()).toStrictEqual([`ADD ${ip(1)}`, `EDIT ${ip(1)}`]);
  expect(got[1]?.["object_marking_refs"]).toStrictEqual(["marking-definition--f88d31f6-486f-44da-b317-01333bde0b82"]);
  await feed.send("misp_json_event", { Event: String(event.id), Server: "1", action: "edit_from_connected_server" });
  await api.removeEvent(event);
  await expect.poll(() => patterns().slice(2)).toStrictEqual([`REMOVE ${ip(1)}`]);
  expect(count("misp_handled")).toStrictEqual({ event: 3 });
  expectBalanced(all);
});

test("misp_json_tag: a tag of an event is one of all its attributes", async () => {
  const all = await listening("misp_json_attribute", "misp_json_tag");
  const { api, got, patterns, count } = all;
  const event = api.addEvent();
  await known(all, event);
  await api.tagEvent(event, "tlp:red");
  await expect.poll(() => patterns()).toStrictEqual([`ADD ${ip(1)}`, `EDIT ${ip(1)}`]);
  expect(got[1]?.["object_marking_refs"]).toStrictEqual(["marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed"]);
  expect(count("misp_handled")).toStrictEqual({ tag: 1 });
  expectBalanced(all);
});

test.each(["misp_json_tag", "misp_json_event"] as const)("%s: a tag of an event that was not heard of since a restart", async (topic) => {
  const folder = await mkdtemp(join(tmpdir(), "misp-wire-"));
  atEnd(() => rm(folder, { recursive: true }));
  const options = { state: { path: join(folder, "state") }, zmq: { topics: ["misp_json_attribute", topic] as Topic[] } };
  const before = await stand(options);
  const { api } = before;
  const event = api.addEvent();
  // Too old to be asked for after the restart.
  await known(before, event, { timestamp: event.timestamp - 3_600 });
  await before.bus.stop();
  await before.feed.stop();
  const feed = await mispFeed({ port: before.feed.port });
  atEnd(() => feed.stop());
  const { got, patterns } = await stand(options, { api, feed });
  const tag = api.library.tag("tlp:red");
  event.tags.push(tag);
  await feed.send(topic, topic === "misp_json_tag"
    ? { Tag: { ...api.library.tagJson(tag), event_id: String(event.id) }, action: "attached to event" }
    : { Event: api.library.feedEventJson(event), Orgc: event.orgc, EventTag: [{ Tag: api.library.tagJson(tag) }], action: "edit" });
  await expect.poll(() => patterns()).toStrictEqual([`EDIT ${ip(1)}`]);
  expect(got[0]?.["object_marking_refs"]).toStrictEqual(["marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed"]);
});

test("misp_json_sighting: what others saw", async () => {
  const all = await listening("misp_json_attribute", "misp_json_sighting");
  const { api, got, count } = all;
  const uuid = await known(all, api.addEvent());
  const { uuid: id } = await api.sight(uuid, { source: "their sensor" });
  await expect.poll(() => got.filter(({ type }) => type === "sighting")).toMatchObject([{ id: `sighting--${id}`, sighting_of_ref: `indicator--${uuid}`, description: "their sensor" }]);
  expect(count("misp_handled")).toStrictEqual({ sighting: 1 });
  expectBalanced(all);
});
