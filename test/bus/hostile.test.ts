import { readdirSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { setImmediate as immediate } from "node:timers/promises";
import { createOracle, expectBalanced, seeded, type Random } from "@threatbus/testkit";
import { expect, test } from "vitest";
import { Dealer, XPublisher } from "zeromq";
import { bytesOf, counted, indicator, join, read, say, scale, seed, stand, subscriptionsOf, type Ports } from "./stand.ts";

const connections = Math.round(600 * scale);
const requests = Math.round(1_500 * scale);
const frames = Math.round(5_000 * scale);
/** Indicators of the honest producer, spread over all that happens. */
const burst = 20;

const bytes = (random: Random, length: number): Buffer => Buffer.from(Array.from({ length }, () => Math.floor(random() * 256)));
const pick = <T>(random: Random, items: readonly T[]): T => items[Math.floor(random() * items.length)] as T;

/** Cut short, with some bytes changed, or with bytes put in. */
function garbled(random: Random, valid: Buffer): Buffer {
  const at = Math.floor(random() * valid.length);
  switch (Math.floor(random() * 4)) {
    case 0:
      return valid.subarray(0, at);
    case 1:
      return Buffer.concat([valid.subarray(0, at), bytes(random, 1 + Math.floor(random() * 8)), valid.subarray(at)]);
    case 2:
      return Buffer.concat([valid, valid.subarray(at)]);
    default: {
      const changed = Buffer.from(valid);
      for (let n = 0; n < 3; n++) changed[Math.floor(random() * changed.length)] = Math.floor(random() * 256);
      return changed;
    }
  }
}

/** Connections of all bad kinds to all three ports, a few at a time. Idle ones stay until the end of the storm. */
async function storm(ports: Ports, random: Random): Promise<void> {
  const kinds = [
    () => bytes(random, 1 + Math.floor(random() * 400)),
    () => Buffer.from("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n"),
    // ZMTP/1.0: a peer without a name, then a frame of garbage.
    () => Buffer.concat([Buffer.from([1, 0, 21, 0]), bytes(random, 20)]),
    // The beginning of a ZMTP/3.1 greeting, and no end.
    () => Buffer.from([0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f, 3, 1]),
    () => Buffer.alloc(0),
  ];
  const idle: Socket[] = [];
  let next = 0;
  async function one(): Promise<void> {
    while (next < connections) {
      const n = next++;
      const socket = connect([ports.manage, ports.pub, ports.sub][n % 3] ?? 0, "127.0.0.1").on("error", () => undefined).resume();
      await new Promise<void>((resolve) => socket.once("connect", () => resolve()).once("close", () => resolve()));
      if (n % 10 === 9) idle.push(socket);
      else {
        socket.end(pick(random, kinds)());
        await new Promise<void>((resolve) => socket.once("finish", () => resolve()).once("close", () => resolve()));
        if (n % 2 === 0) socket.destroy();
      }
      await immediate();
    }
  }
  await Promise.all(Array.from({ length: 10 }, one));
  for (const socket of idle) socket.destroy();
}

/** Garbled requests, many under way at a time. Returns how many replies came, the last request's included. */
async function ask(manage: number, random: Random): Promise<number> {
  const socket = new Dealer({ linger: 0, receiveTimeout: 60_000 });
  socket.connect(`tcp://127.0.0.1:${manage}`);
  const valid = ['{"action":"subscribe","topic":"stix2/indicator","snapshot":0}', `{"action":"heartbeat","topic":"${"a".repeat(32)}"}`, '{"action":"unsubscribe","topic":"a"}'];
  const sending = (async () => {
    for (let n = 0; n < requests; n++) {
      await socket.send(["", n % 5 === 0 ? bytes(random, n % 200) : garbled(random, Buffer.from(pick(random, valid)))]);
      if (n % 20 === 0) await immediate();
    }
    // Answered last, and the only one to be told of its features.
    await socket.send(["", '{"action":"subscribe","topic":"last","features":["seq"]}']);
  })();
  let replies = 0;
  for (let last = false; !last; replies++) {
    const [empty, reply, ...rest] = await socket.receive();
    const { status, features } = JSON.parse(String(reply)) as { status: string; features?: unknown };
    if (empty?.length !== 0 || rest.length !== 0 || !["success", "error", "unknown request"].includes(status)) throw new Error(`no reply: ${String(reply)}`);
    last = features !== undefined;
  }
  await sending;
  socket.close();
  return replies;
}

/** Garbled messages on the port that takes them. Returns how many the bus was sent. */
async function publish(sub: number, random: Random): Promise<number> {
  const socket = new XPublisher({ linger: 5_000, sendHighWaterMark: 0 });
  socket.connect(`tcp://127.0.0.1:${sub}`);
  const taken: string[] = [];
  while (taken.length < 4) taken.push(String((await socket.receive())[0]?.subarray(1)));
  let sent = 0;
  for (let n = 0; n < frames; n++) {
    const valid = Buffer.concat([Buffer.from("stix2/indicator "), bytesOf(indicator(n, 0xeeee))]);
    const frame = n % 7 === 0 ? Buffer.concat([Buffer.from("stix2/indicator "), bytes(random, n % 300)]) : garbled(random, valid);
    if (taken.some((topic) => frame.subarray(0, topic.length).equals(Buffer.from(topic)))) sent++;
    await socket.send(frame);
    if (n % 20 === 0) await immediate();
  }
  socket.close();
  return sent;
}

test("hostile connections, requests and messages all at once leave honest apps, the figures, the log and the descriptors whole", async () => {
  say(`THREATBUS_TEST_SEED=${seed}`);
  const { bus, ports, lines } = await stand({ zmq: { attach_timeout: 1 } });
  const names = ["one", "other"] as const;
  const oracle = createOracle(names);
  const subscriptions = [];
  const readers: Promise<void>[] = [];
  const honest = new Set<string>();
  for (const name of names) {
    const subscription = await (await join(ports.manage)).subscribe("stix2/indicator");
    subscriptions.push(subscription);
    // A garbled indicator may still be an indicator, with an id of its own or of none.
    readers.push(read(subscription, (id, payload) => (honest.has(id) ? oracle.ingest(name, id, payload) : undefined)));
  }
  const producer = await join(ports.manage);
  let running = true;
  const send = async (n: number): Promise<void> => {
    const object = indicator(n, 1);
    honest.add(object.id);
    oracle.claim(object.id, bytesOf(object), "producer");
    await producer.publish(object);
    oracle.acked(object.id);
  };
  await send(0);
  await expect.poll(() => oracle.report().total.deliveredDistinct).toBe(2);
  const descriptors = readdirSync("/proc/self/fd").length;

  const producing = (async () => {
    for (let n = 1; running; n++) {
      await send(n);
      if (n % burst === 0) await immediate();
      if (n % 50 === 0) expectBalanced(bus.stats());
    }
  })();
  const [, replies, sent] = await Promise.all([storm(ports, seeded(seed)), ask(ports.manage, seeded(seed + 1)), publish(ports.sub, seeded(seed + 2))]);
  running = false;
  await producing;
  expect(replies).toBe(requests + 1);

  const { issued } = oracle.report();
  await expect.poll(() => oracle.report().total.deliveredDistinct).toBe(2 * issued);
  expect(oracle.report().total).toMatchObject({ missing: 0, duplicates: 0, corrupted: 0, reordered: 0 });
  expect(subscriptions.map(({ stats: { lost, malformed, resubscribed } }) => ({ lost, malformed, resubscribed }))).toEqual(Array(2).fill({ lost: 0, malformed: 0, resubscribed: 0 }));
  // Connections brought messages of their own, but none of ours went without a verdict.
  await expect.poll(() => counted(bus, "accepted") + counted(bus, "refused")).toBeGreaterThanOrEqual(issued + sent);
  expect(counted(bus, "refused")).toBeGreaterThan(sent / 2);
  await expect.poll(() => readdirSync("/proc/self/fd").length).toBeLessThanOrEqual(descriptors);
  // Subscriptions made by garbled requests that were valid after all are forgotten.
  await expect.poll(() => subscriptionsOf(bus).length).toBe(2);
  const told = lines.filter(({ level }) => level === "warn" || level === "error");
  say(`${issued} honest messages, ${replies} replies, ${counted(bus, "refused")} messages refused, ${told.length} warnings`);
  expect(told.filter(({ level }) => level === "error")).toEqual([]);
  expect(told.length).toBeLessThanOrEqual(5);
  expectBalanced(bus.stats());
  for (const subscription of subscriptions) await subscription.close();
  await Promise.all(readers);
});
