/** How much a Zeek is told at a time. */
import { createBus, defineApp, message, type Bus } from "@threatbus/core";
import { inmem } from "@threatbus/inmem";
import { expectBalanced, fakeHost, freePort, type ManualClock } from "@threatbus/testkit";
import type { Indicator } from "stix2-ts-types";
import { expect, it, onTestFinished } from "vitest";
import { Briefing } from "../src/briefing.ts";
import { zeek as plugin } from "../src/index.ts";
import { Line } from "../src/line.ts";
import type { Link } from "../src/link.ts";
import type { MemberSetup } from "../src/member-setup.ts";
import { options } from "../src/options.ts";
import { Protocol } from "../src/protocol.ts";
import { Reports } from "../src/reports.ts";
import { Troubles } from "../src/troubles.ts";
import { eventually } from "./eventually.ts";
import { closing } from "./raw-websocket.ts";
import { wsServer, type WsServer, type WsZeek } from "./fake-ws-zeek.ts";
import { FakeZeek, intelText } from "./fake-zeek.ts";
import { idOf, indicator, stand } from "./stand.ts";

const adds = { operation: "ADD" };

async function subscribed(server: WsServer): Promise<WsZeek> {
  const zeek = await server.accept();
  await zeek.topics();
  zeek.ack();
  await zeek.subscribe();
  return zeek;
}

it("gives history at snapshot_rate", async () => {
  const feed = defineApp({
    name: "feed",
    create: () => ({
      async start() {},
      async *snapshot() {
        for (let n = 0; n < 500; n++) yield indicator(n).body as Indicator;
      },
      async stop() {},
    }),
  });
  const port = await freePort();
  const host = fakeHost();
  const configured = plugin({ port, snapshot_rate: 50 });
  const bus = createBus({ backbones: [inmem()], apps: [feed(), { ...configured, create: (real) => configured.create({ ...real, metrics: host.metrics }) }], logger: host.logger, drainTimeout: 100 });
  await bus.start();
  onTestFinished(() => bus.stop().catch(() => undefined));
  const zeek = await FakeZeek.peered(port);
  await zeek.subscribe(60n);
  await zeek.intel(3);
  expect(host.count("zeek_intel", adds)).toBeLessThan(250);
});

it("spreads a long list, and what is told again, as it does all else", async () => {
  // No answer to anything, pings included: all of it is in doubt.
  const server = await wsServer({ autoPong: false });
  const { bus, host } = await stand({ listen: false, websocket: [{ url: server.url, max_rate: 40 }], ping_interval: 60 });
  const zeek = await subscribed(server);
  const names = Array.from({ length: 60 }, (_, n) => `'${n}.example'`);
  await bus.publish(indicator(1, `[domain-name:value IN (${names.join(", ")})]`));
  await zeek.event();
  expect(host.count("zeek_intel", adds)).toBeLessThan(40);
  for (let n = 1; n < 60; n++) await zeek.event();
  zeek.socket.terminate();
  const again = await subscribed(server);
  await again.event();
  expect(host.count("zeek_repeated")).toBeLessThan(40);
  const told: string[] = [];
  for (let n = 1; n < 60; n++) told.push(intelText((await again.event()).event));
  expect(told.at(-1)).toBe("ADD DOMAIN 59.example");
});

it("lets a Zeek that reads nothing be slow alone over WebSocket too, within its queue", async () => {
  const servers = [await wsServer(), await wsServer()];
  const { bus, host } = await stand({ listen: false, queue: { max_items: 50 }, websocket: servers.map(({ url }) => ({ url, max_rate: 0 })), ping_interval: 60 });
  const zeeks = await Promise.all(servers.map(async (server, n) => {
    const zeek = await server.accept();
    await zeek.topics();
    zeek.ack("8.2.0", `d2949faa-754d-5da6-8596-dde590bde81${n}`);
    await zeek.subscribe();
    return zeek;
  }));
  const [slow, quick] = zeeks as [WsZeek, WsZeek];
  slow.socket.pause();
  const long = (n: number): string => `[file:name = '${String(n).padStart(4_000, "x")}']`;
  for (let n = 0; n < 3_000; n += 25) {
    for (let m = n; m < n + 25; m++) await bus.publish(indicator(m, long(m)));
    for (let m = n; m < n + 25; m++) await quick.event();
  }
  const waiting = bus.stats().subscriptions.filter(({ name }) => name.includes("ws://"));
  expect(waiting.map(({ dropped }) => dropped.overflow).sort((a, b) => a - b)).toEqual([0, expect.toSatisfy((dropped: number) => dropped > 0)]);
  expect(Math.max(...waiting.map((each) => each.waiting))).toBeLessThanOrEqual(51);
  expectBalanced(bus.stats());
  // It goes on where it stopped.
  slow.socket.resume();
  await slow.event();
  await eventually(() => bus.stats().subscriptions.every((each) => each.waiting === 0), true);
  expect(host.gauge("zeek_connected")).toBe(2);
});

it("waits for the end of a connection that Zeek has begun to close, and leaves the process to others meanwhile", async () => {
  const server = await wsServer();
  const { bus, host } = await stand({ listen: false, websocket: [{ url: server.url }] });
  const zeek = await subscribed(server);
  // The closing handshake of RFC 6455 without the end of TCP that should follow.
  const tcp = zeek.request?.socket;
  tcp?.write(closing(1001, "Terminating"));
  await eventually(() => bus.stats().subscriptions.length, 2);
  await bus.publish(indicator(1));
  for (let turn = 0; turn < 100; turn++) await new Promise((resolve) => setImmediate(resolve));
  tcp?.destroy();
  await eventually(() => host.gauge("zeek_connected"), 0);
  expect(intelText((await (await subscribed(server)).event()).event)).toBe("ADD ADDR 10.0.0.1");
});

it("ends a Zeek's connection when its queue overflows and the policy is to disconnect", async () => {
  const { bus, port, host } = await stand({ queue: { max_items: 10, overflow: "disconnect" } });
  const zeek = await FakeZeek.peered(port);
  zeek.publish("threatbus/manage", "Tenzir::subscribe", { type: "string", value: "stix2/indicator" }, { type: "timespan", value: 0n });
  await zeek.event();
  for (let n = 0; n < 20; n++) await bus.publish(indicator(n));
  await zeek.gone;
  await eventually(() => host.gauge("zeek_subscribed"), 0);
  await (await FakeZeek.peered(port)).subscribe();
});

/** What one Zeek is told, without one. */
function briefed(): { briefing: Briefing; told: string[]; clock: ManualClock; link: Link; line: Line } {
  const host = fakeHost();
  const bus = { publish: async () => undefined } as unknown as Bus;
  const troubles = new Troubles(host);
  const counter = (name: string) => host.metrics.counter(name);
  const setup: MemberSetup = {
    bus, host, troubles, options: options.parse({}), protocol: new Protocol("Tenzir"), reports: new Reports(bus, host, troubles),
    counters: { ADD: counter("ADD"), REMOVE: counter("REMOVE"), indicators: counter("i"), repeated: counter("r"), maybeLost: counter("l") },
  };
  const told: string[] = [];
  const link: Link = {
    identity: "x", remote: "x", pace: 0, unconfirmed: 0, listening: () => true, room: () => true, sign: async () => true, close: async () => undefined,
    send: (_, event) => void told.push(intelText(event)),
  };
  const line = new Line();
  line.connect(link);
  line.grant("t");
  return { briefing: new Briefing(setup, line), told, clock: host.clock, link, line };
}

it("removes all that is no longer valid at one go, however much it is", async () => {
  const { briefing, told, clock } = briefed();
  const until = new Date(clock.now() + 1_000).toISOString();
  for (let n = 0; n < 5_500; n++) await briefing.take(indicator(n, undefined, { valid_until: until }), false);
  expect(told).toHaveLength(5_500);
  await clock.advance(2_000);
  await briefing.expire();
  expect(told).toHaveLength(11_000);
  expect(briefing.known).toBe(0);
});

it("tells in the order of what came, whoever waits for it", async () => {
  const { briefing, told, line, link } = briefed();
  line.connect(undefined);
  const waiting = [briefing.take(indicator(1), false), briefing.take(indicator(2), false), briefing.take(indicator(1, undefined, { x_threatbus_update: "REMOVE", modified: "2024-06-01T00:00:00Z" }), false)];
  line.connect(link);
  line.grant("u");
  for (const told of waiting) await told;
  expect(told).toEqual(["ADD ADDR 10.0.0.1", "ADD ADDR 10.0.0.2", "REMOVE ADDR 10.0.0.1"]);
});

it("holds so many sightings, and so many bytes of them, for a bus that does not take them, the one under way included", async () => {
  for (const [context, most] of [[{}, 10_000], [{ text: "x".repeat(1_048_576) }, 15]] as const) {
    const host = fakeHost();
    let release: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => (release = resolve));
    const reports = new Reports({ publish: () => gate } as unknown as Bus, host, new Troubles(host));
    const sighting = {
      type: "sighting", spec_version: "2.1", id: idOf(1).replace("indicator", "sighting"), created: "2024-05-01T10:00:00.123Z", modified: "2024-05-01T10:00:00.123Z", sighting_of_ref: idOf(1),
      x_threatbus_sighting_context: context, x_threatbus_source: "Zeek",
    } as unknown as Parameters<Reports["put"]>[0];
    for (let n = 0; n < most + 5; n++) reports.put(sighting);
    // Where publishing has begun it makes no difference.
    await new Promise((resolve) => setImmediate(resolve));
    for (let n = 0; n < 5; n++) reports.put(sighting);
    expect([host.gauge("zeek_sightings_waiting"), host.count("zeek_sightings_refused", { reason: "overflow" })]).toEqual([most, 10]);
    release();
    await reports.drained();
    expect([host.gauge("zeek_sightings_waiting"), host.count("zeek_sightings")]).toEqual([0, most]);
    reports.put({ ...sighting, id: "none" } as never);
    expect(host.count("zeek_sightings_refused", { reason: "bus" })).toBe(1);
    expect(() => message(sighting as never)).not.toThrow();
  }
});
