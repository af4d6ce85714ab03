import { createBus, defineApp, silentLogger } from "@threatbus/core";
import type { ThreatBus } from "@threatbus/core";
import { inmem } from "@threatbus/inmem";
import { chaosProxy, expectBalanced, freePort, seeded } from "@threatbus/testkit";
import type { Indicator } from "stix2-ts-types";
import { expect, it, onTestFinished } from "vitest";
import { zeek as plugin } from "../src/index.ts";
import { messageTypes, rawPayload, reservedTopic } from "../src/native/message.ts";
import { string, vector } from "../src/wire/value.ts";
import { eventually, scaled } from "./eventually.ts";
import { FakeZeek, highId, idsOf, intelText, lowId } from "./fake-zeek.ts";
import { created, idOf, indicator, stand } from "./stand.ts";

const member = (bus: ThreatBus) => bus.stats().subscriptions.filter(({ name }) => name.includes("tcp://"));

it("gives a Zeek the history it asks for, whatever sign its span has", async () => {
  const asked: number[] = [];
  const feed = defineApp({
    name: "feed",
    create: () => ({
      async start() {},
      async *snapshot({ snapshot }) {
        asked.push(snapshot);
        for (let n = 0; n < 100; n++) yield indicator(n).body as Indicator;
      },
      async stop() {},
    }),
  });
  const port = await freePort();
  const bus = createBus({ backbones: [inmem()], apps: [feed(), plugin({ port, snapshot_rate: 10_000 })], logger: silentLogger });
  await bus.start();
  onTestFinished(() => bus.stop());
  for (const [id, seconds] of [[lowId, 2_592_000n], [highId, -86_400n]] as const) {
    const zeek = await FakeZeek.peered(port, { id });
    await zeek.subscribe(seconds);
    expect((await zeek.intel(100)).slice(0, 2)).toEqual(["ADD ADDR 10.0.0.0", "ADD ADDR 10.0.0.1"]);
  }
  expect(asked).toEqual([2_592_000, 86_400]);
});

it("gives a Zeek that comes back and asks for history what waited for it as well", async () => {
  const { bus, port, host } = await stand();
  const first = await FakeZeek.peered(port);
  await first.subscribe();
  first.socket.destroy();
  await eventually(() => host.gauge("zeek_connected"), 0);
  await bus.publish(indicator(1, undefined, { x_threatbus_update: "REMOVE" }));
  const again = await FakeZeek.peered(port);
  await again.subscribe(86_400n);
  expect(await again.intel(1)).toEqual(["REMOVE ADDR 10.0.0.1"]);
  // The older subscription ends when it is empty.
  await eventually(() => member(bus).length, 1);
  await bus.publish(indicator(2));
  expect(await again.intel(1)).toEqual(["ADD ADDR 10.0.0.2"]);
  expectBalanced(bus.stats());
});

it("tells a script that keeps indicators apart of each removal", async () => {
  const { bus, port } = await stand();
  const zeek = await FakeZeek.peered(port);
  await zeek.subscribe(0n, vector([string("separate")]));
  const pattern = "[domain-name:value = 'evil.example']";
  for (const n of [1, 2]) await bus.publish(indicator(n, pattern));
  await bus.publish(indicator(1, pattern, { x_threatbus_update: "REMOVE", modified: "2024-06-01T00:00:00Z" }));
  const events = [await zeek.event(), await zeek.event(), await zeek.event()].map(({ event }) => event);
  expect(events.map((event) => [idsOf(event), intelText(event).slice(0, 3)])).toEqual([[idOf(1), "ADD"], [idOf(2), "ADD"], [idOf(1), "REM"]]);
});

it("removes an indicator when its time has come", async () => {
  const { bus, port } = await stand();
  const zeek = await FakeZeek.peered(port);
  await zeek.subscribe();
  await bus.publish(indicator(1, undefined, { valid_until: new Date(Date.now() + 3_000).toISOString() }));
  expect(await zeek.intel(2)).toEqual(["ADD ADDR 10.0.0.1", "REMOVE ADDR 10.0.0.1"]);
  await bus.publish(indicator(2, undefined, { valid_until: created }));
  expect(await zeek.intel(1)).toEqual(["REMOVE ADDR 10.0.0.2"]);
});

it("lets a Zeek that reads nothing be slow alone, within its queue", async () => {
  const { bus, port } = await stand({ queue: { max_items: 100 } });
  const slow = await FakeZeek.peered(port);
  const quick = await FakeZeek.peered(port, { id: highId });
  await slow.subscribe();
  await quick.subscribe();
  slow.socket.pause();
  // Long values fill the socket; the other one takes them as they come.
  const long = (n: number): string => `[file:name = '${String(n).padStart(4_000, "x")}']`;
  for (let n = 0; n < 3_000; n += 50) {
    for (let m = n; m < n + 50; m++) await bus.publish(indicator(m, long(m)));
    await quick.intel(50);
  }
  const [one, other] = member(bus);
  expect(Math.max(one?.dropped.overflow ?? 0, other?.dropped.overflow ?? 0)).toBeGreaterThan(0);
  expect(Math.min(one?.dropped.overflow ?? 0, other?.dropped.overflow ?? 0)).toBe(0);
  expect(Math.max(one?.waiting ?? 0, other?.waiting ?? 0)).toBeLessThanOrEqual(101);
  expectBalanced(bus.stats());
});

it("notices a Zeek that is gone without a word", async () => {
  const { port, host } = await stand({ ping_interval: 0.2 });
  const proxy = await chaosProxy({ target: { host: "127.0.0.1", port } });
  onTestFinished(() => proxy.stop());
  const zeek = await FakeZeek.peered(proxy.port);
  await zeek.subscribe();
  proxy.add({ type: "halfOpen" });
  await eventually(() => host.gauge("zeek_connected"), 0);
});

it("asks a silent Zeek for a sign of life, and leaves one that answers alone", async () => {
  const { port, host } = await stand({ ping_interval: 0.5 });
  const zeek = await FakeZeek.peered(port);
  // Answers pings while it waits for what does not come.
  const nothing = zeek.message().catch(() => "ended");
  let pings = 0;
  const write = zeek.write.bind(zeek);
  zeek.write = (message, payload) => {
    if (message.type === messageTypes.pong) pings++;
    write(message, payload);
  };
  await eventually(() => pings >= 3, true);
  expect(host.gauge("zeek_connected")).toBe(1);
  zeek.socket.destroy();
  expect(await nothing).toBe("ended");
});

it.each([["tells again", 30], ["counts as lost, when the Zeek stays away,", 0.1]])("%s what no answer came after when a connection breaks", async (_, grace) => {
  const { bus, port, host } = await stand({ ping_interval: 1, grace });
  const zeek = await FakeZeek.peered(port);
  await zeek.subscribe();
  for (let n = 0; n < 10; n++) await bus.publish(indicator(n));
  await zeek.intel(10);
  // Answers the ping that comes after them, and takes no more.
  const over = zeek.message().catch(() => undefined);
  await new Promise<void>((resolve) => {
    const write = zeek.write.bind(zeek);
    zeek.write = (message, payload) => {
      write(message, payload);
      if (message.type === messageTypes.pong) resolve();
    };
  });
  zeek.write = () => undefined;
  await eventually(() => host.count("zeek_intel", { operation: "ADD" }), 10);
  for (let n = 10; n < 13; n++) await bus.publish(indicator(n));
  await eventually(() => host.count("zeek_intel", { operation: "ADD" }), 13);
  zeek.socket.destroy();
  await over;
  if (grace < 1) return eventually(() => host.count("zeek_maybe_lost"), 3);
  await eventually(() => host.gauge("zeek_connected"), 0);
  const back = await FakeZeek.peered(port);
  await back.subscribe();
  expect(await back.intel(3)).toEqual(["ADD ADDR 10.0.0.10", "ADD ADDR 10.0.0.11", "ADD ADDR 10.0.0.12"]);
  expect([host.count("zeek_repeated"), host.count("zeek_maybe_lost")]).toEqual([3, 0]);
});

it("survives a connection that breaks anywhere, over and over, and loses nothing that waits", async () => {
  const { bus, port, host } = await stand({ grace: 30 });
  const proxy = await chaosProxy({ target: { host: "127.0.0.1", port }, seed: 7 });
  onTestFinished(() => proxy.stop());
  for (let bytes = 1; bytes < 400; bytes += 37) {
    const remove = proxy.add({ type: "limitData", bytes }, "up");
    const zeek = await FakeZeek.dial(proxy.port);
    zeek.say({ type: "hello", sender: zeek.id, minVersion: 1, maxVersion: 1 });
    await zeek.agree(["threatbus/manage"]).then(() => zeek.subscribe()).catch(() => undefined);
    zeek.socket.destroy();
    remove();
  }
  await eventually(() => host.gauge("zeek_connected"), 0);
  proxy.add({ type: "slicer", averageSize: 3 });
  const zeek = await FakeZeek.peered(proxy.port);
  await zeek.subscribe();
  for (let n = 0; n < 50; n++) await bus.publish(indicator(n));
  const told = new Set<string>();
  while (!told.has("ADD ADDR 10.0.0.49")) for (const text of await zeek.intel(1)) told.add(text);
  expect(told.size).toBe(50);
});

it("holds out against a storm of garbage, and serves a Zeek meanwhile", async () => {
  const { bus, port, host } = await stand({ max_connections: 50, handshake_timeout: 2 });
  const zeek = await FakeZeek.peered(port);
  await zeek.subscribe();
  const random = seeded(99);
  const attack = async (): Promise<void> => {
    const other = await FakeZeek.dial(port);
    const kind = random();
    if (kind < 0.3) other.socket.write(Buffer.from(Array.from({ length: 200 }, () => Math.floor(random() * 256))));
    else if (kind < 0.5) other.socket.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    else if (kind < 0.7) other.socket.write(Buffer.from("16030100", "hex"));
    else other.socket.write(Buffer.from("00000017065a45454b", "hex"));
    await other.gone;
  };
  for (let wave = 0; wave < scaled(1); wave++) {
    const storm = Array.from({ length: 200 }, attack);
    await bus.publish(indicator(1));
    expect(await zeek.intel(1)).toEqual(["ADD ADDR 10.0.0.1"]);
    await Promise.all(storm);
  }
  expect(host.entries.filter(({ level }) => level === "error")).toEqual([]);
  // One line of each kind in ten seconds at most.
  expect(host.entries.filter(({ level }) => level === "warn").length).toBeLessThan(20 * scaled(1));
  await bus.publish(indicator(2));
  expect(await zeek.intel(1)).toEqual(["ADD ADDR 10.0.0.2"]);
});

it("ends a connection that subscribes without end", async () => {
  const { port, host } = await stand();
  const zeek = await FakeZeek.peered(port);
  for (let n = 0; n < 1_100; n++) zeek.publish("threatbus/manage", "Tenzir::unsubscribe", string("x"));
  while ((await zeek.frame()) !== undefined) zeek.write({ type: messageTypes.pong, topic: reservedTopic, receiver: zeek.peer }, rawPayload(Buffer.from("BYE\u0001\0\0\0\0\0\0\u0010", "latin1")));
  expect(host.count("zeek_events_refused", { reason: "flood" })).toBeGreaterThan(0);
});

it("says when a Zeek has its acknowledgement and does not listen", async () => {
  const { port, host } = await stand({ handshake_timeout: 2 });
  const zeek = await FakeZeek.peered(port);
  zeek.publish("threatbus/manage", "Tenzir::subscribe", string("stix2/indicator"), { type: "timespan", value: 0n });
  await eventually(() => host.entries.some(({ text }) => text.includes("does not listen")), true);
});

it("lets go of what waits for a Zeek when it unsubscribes, and keeps the accounts", async () => {
  const { bus, port, host } = await stand();
  const zeek = await FakeZeek.peered(port);
  zeek.publish("threatbus/manage", "Tenzir::subscribe", string("stix2/indicator"), { type: "timespan", value: 0n });
  const topic = ((await zeek.event()).event.args[0] as { value: string }).value;
  for (let n = 0; n < 10; n++) await bus.publish(indicator(n));
  zeek.publish("threatbus/manage", "Tenzir::unsubscribe", string(topic));
  await eventually(() => host.gauge("zeek_subscribed"), 0);
  await eventually(() => member(bus).length, 0);
  expectBalanced(bus.stats());
});
