/** Zeeks that subscribe anew, come back late, or come twice. */
import { createBus, defineApp, type ThreatBus } from "@threatbus/core";
import { inmem } from "@threatbus/inmem";
import { expectBalanced, fakeHost, freePort } from "@threatbus/testkit";
import { expect, it, onTestFinished } from "vitest";
import { zeek as plugin } from "../src/index.ts";
import { messageTypes, rawPayload, reservedTopic } from "../src/native/message.ts";
import { string, timespan } from "../src/wire/value.ts";
import { eventually } from "./eventually.ts";
import { bridgedZeek, wsServer, type WsZeek } from "./fake-ws-zeek.ts";
import { FakeZeek, highId, intelText, listeningZeek } from "./fake-zeek.ts";
import { indicator, stand } from "./stand.ts";

const member = (bus: ThreatBus) => bus.stats().subscriptions.filter(({ name }) => name.includes("tcp://"));
const removal = { x_threatbus_update: "REMOVE", modified: "2024-06-01T00:00:00Z" };

/** Subscribes without listening to what it is granted. */
async function askAgain(zeek: FakeZeek, seconds: bigint): Promise<void> {
  zeek.publish("threatbus/manage", "Tenzir::subscribe", string("stix2/indicator"), timespan(seconds * 1_000_000_000n));
  expect((await zeek.event()).event.name).toBe("Tenzir::subscription_acknowledged");
}

it("keeps two subscriptions of a Zeek that subscribes over and over, and accounts for what waited in the others", async () => {
  const { bus, port, host } = await stand();
  const zeek = await FakeZeek.peered(port);
  for (let n = 0; n < 6; n++) {
    await askAgain(zeek, 60n);
    for (let m = 0; m < 2; m++) await bus.publish(indicator(2 * n + m));
    await eventually(() => member(bus).length <= 2, true);
  }
  expect(host.count("zeek_maybe_lost")).toBeGreaterThan(0);
  expect(host.entries.filter(({ text }) => text.includes("before it had taken what waited"))).toHaveLength(1);
  expectBalanced(bus.stats());
});

it("asks for history for a Zeek so many times a minute, and subscribes it without beyond", async () => {
  let asked = 0;
  const feed = defineApp({
    name: "feed",
    create: () => ({
      async start() {},
      async *snapshot() {
        asked++;
        yield* [];
      },
      async stop() {},
    }),
  });
  const port = await freePort();
  const host = fakeHost();
  const configured = plugin({ port });
  const bus = createBus({ backbones: [inmem()], apps: [feed(), { ...configured, create: (real) => configured.create({ ...real, metrics: host.metrics }) }], logger: host.logger });
  await bus.start();
  onTestFinished(() => bus.stop());
  const zeek = await FakeZeek.peered(port);
  for (let n = 0; n < 12; n++) await askAgain(zeek, 60n);
  expect([asked, host.count("zeek_events_refused", { reason: "history" })]).toEqual([10, 2]);
});

it("tells a Zeek again what its connection took without an answer when another one takes its place", async () => {
  const port = await freePort();
  const { bus, host } = await stand({ listen: false, bridge: { port } });
  const endpoint = "3eece35d-9f94-568d-861c-6a16c433e090-websocket-";
  const [first, second] = [await bridgedZeek(port), await bridgedZeek(port)];
  const enter = async (zeek: WsZeek, n: number): Promise<void> => {
    await zeek.topics();
    zeek.ack("8.2.0", endpoint + n);
    await zeek.subscribe();
  };
  await enter(first, 1);
  for (let n = 0; n < 3; n++) await bus.publish(indicator(n));
  for (let n = 0; n < 3; n++) await first.event();
  // Dead without a word: no answer to any ping.
  first.socket.pause();
  await enter(second, 2);
  for (let n = 0; n < 3; n++) expect(intelText((await second.event()).event)).toBe(`ADD ADDR 10.0.0.${n}`);
  expect([host.count("zeek_repeated"), host.gauge("zeek_connected")]).toEqual([3, 1]);
});

const standsBy = "this address leads to a Zeek that is connected already: one connection is kept, this one stands by";

it("keeps one connection to a Zeek that two WebSocket addresses lead to, and says so once", async () => {
  const servers = [await wsServer(), await wsServer()];
  const { bus, host } = await stand({ listen: false, websocket: servers.map(({ url }) => ({ url })) });
  const zeeks = await Promise.all(servers.map((server) => server.accept()));
  for (const [n, zeek] of zeeks.entries()) {
    await zeek.topics();
    zeek.ack("8.2.0", `d2949faa-754d-5da6-8596-dde590bde811-websocket-${n}`);
    if (n === 0) await zeek.subscribe();
  }
  expect(await zeeks[1]?.gone).toEqual({ code: 1000 });
  for (let n = 0; n < 3; n++) {
    await bus.publish(indicator(n));
    expect(intelText((await (zeeks[0] as WsZeek).event()).event)).toBe(`ADD ADDR 10.0.0.${n}`);
  }
  expect(host.entries.filter(({ text }) => text === standsBy)).toEqual([expect.objectContaining({ level: "warn", fields: { remote: `${servers[1]?.url}/v1/messages/json`, reason: `the same Zeek is connected already, as ${servers[0]?.url}/v1/messages/json` } })]);
  expect([host.gauge("zeek_connected"), zeeks[0]?.socket.readyState]).toEqual([1, 1]);
});

it.each(["this side", "Zeek"])("keeps one connection to a Zeek that two native addresses lead to; %s notices", async (who) => {
  const servers = [await listeningZeek(), await listeningZeek()];
  const { host } = await stand({ listen: false, peers: servers.map(({ port }) => ({ host: "127.0.0.1", port, tls: "off" as const })) });
  const [first, second] = await Promise.all(servers.map((server) => server.accept()));
  if (first === undefined || second === undefined) return expect.unreachable();
  const self = (await first.hear()) as { sender: string };
  first.say({ type: "version_select", sender: first.id, version: 1 });
  first.say({ type: "originator_syn", filter: [] });
  expect((await first.hear()).type).toBe("responder_syn_ack");
  first.say({ type: "originator_ack" });
  await eventually(() => host.gauge("zeek_connected"), 1);
  expect(await second.hear()).toMatchObject({ type: "hello", sender: self.sender });
  if (who === "Zeek") second.say({ type: "drop_conn", sender: first.id, code: 39, reason: "redundant connection" });
  else {
    const asked = first.frame();
    second.say({ type: "version_select", sender: first.id, version: 1 });
    // Asked whether it lives, the first says something.
    expect((await asked)?.[32]).toBe(messageTypes.ping);
    first.write({ type: messageTypes.ping, topic: reservedTopic }, rawPayload(Buffer.from("alive")));
    expect(await second.hear()).toMatchObject({ type: "drop_conn", code: 39 });
  }
  await second.gone;
  await eventually(() => host.entries.filter(({ text }) => text === standsBy).length, 1);
  expect([host.gauge("zeek_connected"), first.socket.destroyed]).toEqual([1, false]);
});

it("takes from a Zeek that comes back after grace what ended meanwhile, and leaves the rest", async () => {
  const { bus, port, host } = await stand({ grace: 0.1 });
  const zeek = await FakeZeek.peered(port);
  await zeek.subscribe();
  await bus.publish(indicator(1));
  await bus.publish(indicator(2, undefined, { valid_until: new Date(Date.now() + 3_000).toISOString() }));
  // Two indicators of one value, for a script that takes a value away whoever named it.
  for (const n of [3, 4]) await bus.publish(indicator(n, "[domain-name:value = 'evil.example']"));
  await zeek.intel(4);
  zeek.socket.destroy();
  await eventually(() => host.gauge("zeek_subscribed"), 0);
  await bus.publish(indicator(1, undefined, removal));
  await bus.publish(indicator(3, "[domain-name:value = 'evil.example']", removal));
  await bus.publish(indicator(5));
  await eventually(() => host.count("zeek_indicators"), 7);
  expect(host.count("zeek_maybe_lost")).toBeGreaterThanOrEqual(1);
  const back = await FakeZeek.peered(port);
  await back.subscribe();
  // The removal, then the one whose time comes; neither what came meanwhile, nor the value that one indicator still names.
  expect(await back.intel(2)).toEqual(["REMOVE ADDR 10.0.0.1", "REMOVE ADDR 10.0.0.2"]);
  await bus.publish(indicator(6));
  expect(await back.intel(1)).toEqual(["ADD ADDR 10.0.0.6"]);
  expect(host.entries.some(({ text }) => text.startsWith("a Zeek is back after longer than grace"))).toBe(true);
  expectBalanced(bus.stats());
});

it("remembers of all Zeeks that stay away as much as of one that is there, the latest to leave", async () => {
  const { bus, port, host } = await stand({ grace: 0.1, max_indicators: 3 });
  const ids = ["01", "02"].map((end) => highId.slice(2) + end);
  for (const id of ids) {
    const zeek = await FakeZeek.peered(port, { id });
    await zeek.subscribe();
    for (const n of [1, 2]) await bus.publish(indicator(n));
    await zeek.intel(2);
    zeek.socket.destroy();
    await eventually(() => host.gauge("zeek_connected"), 0);
    await eventually(() => host.gauge("zeek_subscribed"), 0);
  }
  await eventually(() => host.gauge("zeek_indicators_known"), 2);
  await bus.publish(indicator(1, undefined, removal));
  const zeek = await FakeZeek.peered(port, { id: ids[1] as string });
  await zeek.subscribe();
  expect(await zeek.intel(1)).toEqual(["REMOVE ADDR 10.0.0.1"]);
});
