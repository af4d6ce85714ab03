import { defineApp, type SnapshotRequest } from "@threatbus/core";
import { expectBalanced } from "@threatbus/testkit";
import { expect, onTestFinished, test } from "vitest";
import { Publisher, Request, Subscriber } from "zeromq";
import { counted, indicator, join, stand, subscriptionsOf } from "./stand.ts";

/** As `json.dumps` writes: a space behind every colon and comma. */
function dumps(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(dumps).join(", ")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  return `{${Object.entries(value).map(([key, each]) => `${JSON.stringify(key)}: ${dumps(each)}`).join(", ")}}`;
}

const sighting = (n: number): Record<string, unknown> => ({
  type: "sighting",
  spec_version: "2.1",
  id: `sighting--00000000-0000-4000-8000-${String(n).padStart(12, "0")}`,
  created: "2021-05-03T09:12:45.123456Z",
  modified: "2021-05-03T09:12:45.123456Z",
  last_seen: "2021-05-03T09:12:45.000000Z",
  sighting_of_ref: indicator(0).id,
  x_threatbus_sighting_context: { event_type: "flow", dest_ip: "10.0.0.1", bytes: 1.5 },
  x_threatbus_source: "VAST",
});

test("an app of the first Threat Bus works unchanged", async () => {
  const asked: SnapshotRequest[] = [];
  const history = defineApp({
    name: "history",
    create: () => ({
      start: () => Promise.resolve(),
      async *snapshot(request) {
        asked.push(request);
        if (request.snapshot_type === 1) yield indicator(1);
        else yield sighting(0) as never;
      },
      stop: () => Promise.resolve(),
    }),
  });
  const { bus, ports } = await stand({ apps: [history()] });
  const req = new Request({ linger: 0, receiveTimeout: 60_000 });
  const sub = new Subscriber({ linger: 0, receiveTimeout: 60_000 });
  const pub = new Publisher({ linger: 0 });
  onTestFinished(() => [req, sub, pub].forEach((socket) => socket.close()));
  req.connect(`tcp://127.0.0.1:${ports.manage}`);
  const ask = async (request: unknown): Promise<Record<string, unknown>> => {
    await req.send(dumps(request));
    const replies = await req.receive();
    expect(replies).toHaveLength(1);
    return JSON.parse(String(replies[0])) as Record<string, unknown>;
  };
  const take = async (): Promise<string> => {
    const parts = await sub.receive();
    expect(parts).toHaveLength(1);
    return String(parts[0]);
  };

  const granted = await ask({ action: "subscribe", topic: ["stix2/indicator", "stix2/sighting"], snapshot: "30" });
  expect(granted).toEqual({ topic: expect.stringMatching(/^[a-z]{32}$/) as string, pub_port: ports.pub, sub_port: ports.sub, status: "success" });
  const topic = String(granted["topic"]);
  const single = await ask({ action: "subscribe", topic: "stix2/sighting", snapshot: 0 });
  expect(single).toMatchObject({ status: "success" });
  expect(single["topic"]).not.toBe(topic);
  sub.connect(`tcp://127.0.0.1:${String(granted["pub_port"])}`);
  sub.subscribe(topic);
  pub.connect(`tcp://127.0.0.1:${String(granted["sub_port"])}`);

  // The history it asked for: 30 days of both types, each object as an ordinary message.
  const history30 = [await take(), await take()].sort().map((text) => [text.slice(0, text.indexOf(" ")), JSON.parse(text.slice(text.indexOf(" "))) as unknown]);
  expect(history30).toEqual([[`${topic}indicator`, indicator(1)], [`${topic}sighting`, sighting(0)]]);
  expect(asked.map(({ snapshot, snapshot_type }) => [snapshot, snapshot_type]).sort()).toEqual([[30 * 86_400, 1], [30 * 86_400, 2]]);
  expect(await ask({ action: "heartbeat", topic })).toEqual({ status: "success" });

  // A plain PUB says nothing of its connection: it sends until something arrives.
  const newApp = await join(ports.manage);
  const received = await newApp.subscribe("stix2/sighting");
  let sent = 0;
  await expect.poll(async () => {
    await pub.send(`stix2/sighting ${dumps(sighting(++sent))}`);
    return counted(bus, "accepted");
  }).toBeGreaterThan(0);
  const wrong = `stix2/indicator ${dumps(sighting(1_000))}`;
  await pub.send(wrong);
  // The content decides: it goes to who wants sightings, as it was written.
  let last = "";
  for await (const { type, payload } of received) {
    last = `${type} ${String(Buffer.from(payload))}`;
    if (last.includes(String(sighting(1_000)["id"]))) break;
  }
  expect(last).toBe(`sighting ${dumps(sighting(1_000))}`);
  let own = "";
  do own = await take();
  while (!own.includes(String(sighting(1_000)["id"])));
  expect(own).toBe(`${topic}sighting ${dumps(sighting(1_000))}`);

  // Asked for its own history, it answers with an envelope; only who asked gets it.
  const fresh = (await newApp.subscribe("stix2/indicator", { snapshot: 1 }))[Symbol.asyncIterator]();
  const request = await take();
  expect(request.startsWith(`${topic}snapshotrequest `)).toBe(true);
  const { snapshot_id, snapshot } = JSON.parse(request.slice(request.indexOf(" "))) as SnapshotRequest;
  expect(snapshot).toBe(86_400);
  await pub.send(`threatbus/snapshotenvelope ${dumps({ type: "snapshotenvelope", snapshot_type: 1, snapshot_id, body: indicator(2) })}`);
  const objects = [await fresh.next(), await fresh.next()].map(({ done, value }) => (done === true ? undefined : value.body));
  expect(objects).toHaveLength(2);
  expect(objects).toEqual(expect.arrayContaining([indicator(1), indicator(2)]));

  const before = subscriptionsOf(bus).length;
  expect(await ask({ action: "unsubscribe", topic })).toEqual({ status: "success" });
  expect(await ask({ action: "heartbeat", topic })).toMatchObject({ status: "error" });
  expect(await ask({ action: "dance", topic })).toMatchObject({ status: "unknown request" });
  await expect.poll(() => subscriptionsOf(bus).length).toBe(before - 1);
  expectBalanced(bus.stats());
});
