import { expect, test, vi } from "vitest";
import type { Gap } from "../src/index.ts";
import { sequenceFrame } from "./fake-bus.ts";
import { attached, busWith, indicator, join, take } from "./joined.ts";

test("messages come in order, subscribed to exactly the granted channel", async () => {
  const bus = await busWith();
  const client = await join(bus);
  const subscription = await client.subscribe(["stix2/indicator", "stix2/sighting"], { snapshot: 3 });
  const topic = ["stix2/indicator", "stix2/sighting"];
  expect(bus.actions("subscribe")).toEqual([{ action: "subscribe", topic, snapshot: 3, features: ["seq"] }]);
  await attached(bus);
  expect([...bus.attached]).toEqual([bus.channel]);
  for (let n = 1; n <= 500; n++) await bus.send("indicator", indicator(n));
  expect(await take(subscription, 500)).toEqual(Array.from({ length: 500 }, (_, index) => `indicator--${index + 1}`));
  expect(subscription.stats).toMatchObject({ received: 500, delivered: 500, lost: 0, gaps: 0, sequenced: true, malformed: 0 });
});

test("one topic goes as text", async () => {
  const bus = await busWith();
  await (await join(bus)).subscribe("stix2/");
  expect(bus.actions("subscribe")).toMatchObject([{ topic: "stix2/", snapshot: 0 }]);
});

test("leaving the loop unsubscribes", async () => {
  const bus = await busWith();
  const subscription = await (await join(bus)).subscribe("stix2/");
  const { channel } = bus;
  await attached(bus);
  for (let n = 1; n <= 3; n++) await bus.send("indicator", indicator(n));
  await expect.poll(() => subscription.stats.waiting).toBe(3);
  await take(subscription, 1);
  expect(bus.actions("unsubscribe")).toEqual([{ action: "unsubscribe", topic: channel }]);
  await expect.poll(() => bus.attached.size).toBe(0);
  expect(subscription.stats).toMatchObject({ received: 3, delivered: 1, dropped: 2, waiting: 0 });
  expect(subscription.state).toBe("closed");
});

test("closing gives out what had come, then ends the loop", async () => {
  const bus = await busWith();
  const client = await join(bus);
  const subscription = await client.subscribe("stix2/");
  await attached(bus);
  for (let n = 1; n <= 3; n++) await bus.send("indicator", indicator(n));
  await expect.poll(() => subscription.stats.waiting).toBe(3);
  await client.close();
  const ids: unknown[] = [];
  for await (const { body } of subscription) ids.push(body);
  expect(ids).toHaveLength(3);
  expect(bus.actions("unsubscribe")).toHaveLength(1);
});

test("a signal closes the subscription and ends a waiting loop", async () => {
  const bus = await busWith();
  const stop = new AbortController();
  const subscription = await (await join(bus)).subscribe("stix2/", { signal: stop.signal });
  const ended = take(subscription, 1);
  stop.abort();
  expect(await ended).toEqual([]);
  await expect.poll(() => bus.actions("unsubscribe")).toHaveLength(1);
});

test("gaps are counted exactly, at the beginning too", async () => {
  const bus = await busWith();
  const gaps: Gap[] = [];
  const subscription = await (await join(bus)).subscribe("stix2/", { onGap: (gap) => gaps.push(gap) });
  await attached(bus);
  bus.skip(2);
  await bus.send("indicator", indicator(3));
  await bus.send("indicator", indicator(4));
  bus.skip(1_000_000);
  await bus.send("indicator", indicator(5));
  expect(await take(subscription, 3)).toHaveLength(3);
  expect(gaps).toEqual([{ after: 0, before: 3, missing: 2 }, { after: 4, before: 1_000_005, missing: 1_000_000 }]);
  expect(subscription.stats).toMatchObject({ lost: 1_000_002, gaps: 2 });
});

test("a bus without sequence numbers is as good, and says so", async () => {
  const bus = await busWith({ sequenced: false });
  const subscription = await (await join(bus)).subscribe("stix2/");
  await attached(bus);
  await bus.send("indicator", indicator(1));
  expect(await take(subscription, 1)).toEqual(["indicator--1"]);
  expect(subscription.stats).toMatchObject({ sequenced: false, lost: 0 });
});

test("what cannot be read is counted, and what follows arrives", async () => {
  const bus = await busWith();
  const warn = vi.fn();
  const logger = { debug: () => undefined, info: () => undefined, warn, error: () => undefined };
  const subscription = await (await join(bus, { logger })).subscribe("stix2/");
  await attached(bus);
  const { channel } = bus;
  await bus.raw(channel);
  await bus.raw(`${channel}indicator`);
  await bus.raw(`${channel}indicator {"type":"indic`, "not a number");
  await bus.raw(`${channel}indicator ${indicator(1)}`, sequenceFrame(0));
  await bus.raw(`${channel}indicator ${indicator(2)}`, sequenceFrame(2n ** 64n - 1n), "and more");
  await bus.raw(`${channel.slice(0, -1)}`);
  await bus.raw("");
  await bus.send("indicator", indicator(3));
  expect(await take(subscription, 3)).toEqual(["indicator--1", "indicator--2", "indicator--3"]);
  expect(subscription.stats).toMatchObject({ received: 6, malformed: 3, delivered: 3, lost: 0 });
  expect(warn).toHaveBeenCalledTimes(1);
});

test("snapshot requests go only to who asked for them", async () => {
  const bus = await busWith();
  const client = await join(bus);
  const request = JSON.stringify({ type: "snapshotrequest", snapshot_type: 1, snapshot_id: "a", snapshot: 60 });
  const objects = await client.subscribe("stix2/");
  const objectsChannel = bus.channel;
  const requests = await client.subscribe("threatbus/snapshotrequest");
  const requestsChannel = bus.channel;
  await attached(bus, objectsChannel);
  await attached(bus, requestsChannel);
  await bus.send("snapshotrequest", request, objectsChannel);
  await bus.send("snapshotrequest", request, requestsChannel);
  for await (const message of requests) {
    expect(message.type === "snapshotrequest" && message.body.snapshot).toBe(60);
    break;
  }
  await expect.poll(() => objects.stats).toMatchObject({ received: 1, ignored: 1, waiting: 0 });
});

test("a busy program leaves the rest to the bus, and nothing is lost", async () => {
  const bus = await busWith({ sendHighWaterMark: 10 });
  const subscription = await (await join(bus)).subscribe("stix2/", { buffer: 20 });
  await attached(bus);
  const filler = "x".repeat(100_000);
  let sent = 0;
  const fill = async (): Promise<number> => {
    while (await bus.send("indicator", JSON.stringify({ type: "indicator", id: `indicator--${sent}`, filler }))) sent++;
    return subscription.stats.waiting;
  };
  // The bus's queue is full before ours now and then: go on until neither takes more.
  await expect.poll(fill).toBe(20);
  await fill();
  expect(sent).toBeGreaterThan(20);
  const ids = await take(subscription, sent);
  expect(ids).toEqual(Array.from({ length: sent }, (_, n) => `indicator--${n}`));
  expect(subscription.stats.lost).toBe(0);
});

test("a throwing callback harms nothing", async () => {
  const bus = await busWith();
  const subscription = await (await join(bus)).subscribe("stix2/", {
    onStatus: () => { throw new Error("a mistake"); },
    onGap: () => { throw new Error("another"); },
  });
  await attached(bus);
  bus.skip(1);
  await bus.send("indicator", indicator(2));
  expect(await take(subscription, 1)).toEqual(["indicator--2"]);
});
