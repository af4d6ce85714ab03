import { expectBalanced } from "@threatbus/testkit";
import { expect, it, describe } from "vitest";
import { encodeHandshake } from "../src/native/handshake-message.ts";
import { messageTypes, rawPayload, reservedTopic } from "../src/native/message.ts";
import { anonymousTls } from "../src/native/tls.ts";
import { string, timespan, vector } from "../src/wire/value.ts";
import { eventually } from "./eventually.ts";
import { FakeZeek, highId, idsOf, lowId, listeningZeek } from "./fake-zeek.ts";
import { idOf, indicator, stand } from "./stand.ts";

const anonymous = { ...anonymousTls, rejectUnauthorized: false };

describe.each([["plain", undefined], ["anonymous TLS", anonymous]] as const)("over %s", (_, tls) => {
  it.each([["Zeek leads", lowId], ["Threat Bus leads", highId]])("peers, subscribes, gets intel, reports, unsubscribes; %s", async (_role, id) => {
    const { bus, port, host, sightings } = await stand();
    const zeek = await FakeZeek.peered(port, { id, ...(tls !== undefined && { tls }) });
    const topic = await zeek.subscribe();
    expect(topic).toMatch(/^stix2\/indicator[a-z]{28}$/);
    await bus.publish(indicator(1));
    const { topic: used, event } = await zeek.event();
    expect(used).toBe(topic);
    expect(event).toEqual({ name: "Tenzir::intel", args: [vector([
      { type: "timestamp", value: 1_714_557_600_123_000_000n }, string(idOf(1)), string("ADDR"), string("10.0.0.1"), string("ADD"),
    ])] });
    zeek.sight(idOf(1));
    await eventually(() => sightings, [expect.objectContaining({
      sighting_of_ref: idOf(1), last_seen: "2024-05-01T10:00:00.123456789Z", x_threatbus_sighting_context: { noisy: false }, x_threatbus_source: "Zeek",
    })]);
    zeek.publish("threatbus/manage", "Tenzir::unsubscribe", string(topic));
    await eventually(() => host.gauge("zeek_subscribed"), 0);
    expectBalanced(bus.stats());
  });
});

it("serves the plain and the encrypted at once on one port, to each what it subscribed", async () => {
  const { bus, port } = await stand();
  const plain = await FakeZeek.peered(port);
  const secret = await FakeZeek.peered(port, { id: highId, tls: anonymous });
  await plain.subscribe();
  await secret.subscribe();
  await bus.publish(indicator(1));
  expect([await plain.intel(1), await secret.intel(1)]).toEqual([["ADD ADDR 10.0.0.1"], ["ADD ADDR 10.0.0.1"]]);
});

it("acknowledges to the one that asked, and to no other", async () => {
  const { port } = await stand();
  const [one, other] = [await FakeZeek.peered(port), await FakeZeek.peered(port, { id: highId })];
  const topic = await one.subscribe();
  expect(await other.subscribe()).not.toBe(topic);
});

it("sends nothing before Zeek listens to its topic", async () => {
  const { bus, port, host } = await stand();
  const zeek = await FakeZeek.peered(port);
  zeek.publish("threatbus/manage", "subscribe", string("stix2/indicator"), timespan(0n));
  const { event } = await zeek.event();
  await bus.publish(indicator(1));
  // The answer to a ping shows that everything before it was dealt with.
  zeek.write({ type: messageTypes.ping, topic: reservedTopic, receiver: zeek.peer }, rawPayload(Buffer.from("mark")));
  expect((await zeek.message()).type).toBe(messageTypes.pong);
  expect(host.count("zeek_intel", { operation: "ADD" })).toBe(0);
  zeek.want([(event.args[0] as { value: string }).value]);
  expect(await zeek.intel(1)).toEqual(["ADD ADDR 10.0.0.1"]);
});

it("answers pings: with a payload, without, to nobody, and the good-bye", async () => {
  const { port } = await stand();
  const zeek = await FakeZeek.peered(port);
  for (const [payload, receiver] of [["hello", zeek.peer], ["", zeek.peer], ["hello", undefined], ["BYE\u0001\0\0\0\0\0\0\u0010", zeek.peer]] as const) {
    zeek.write({ type: messageTypes.ping, topic: reservedTopic, ...(receiver !== undefined && { receiver }) }, rawPayload(Buffer.from(payload, "latin1")));
    expect(await zeek.message()).toMatchObject({ type: messageTypes.pong, sender: zeek.peer, receiver: zeek.id, topic: reservedTopic, payload: Buffer.from(payload, "latin1") });
  }
});

it("says good-bye when it stops, and waits for the answer", async () => {
  const { bus, port } = await stand();
  const zeek = await FakeZeek.peered(port);
  await zeek.subscribe();
  const stopping = bus.stop();
  await expect(zeek.message()).rejects.toThrow("the connection ended");
  await stopping;
});

it("keeps what is for a Zeek that loses its connection, and goes on when it is back", async () => {
  const { bus, port, host } = await stand();
  const first = await FakeZeek.peered(port);
  const topic = await first.subscribe();
  await bus.publish(indicator(1));
  expect(await first.intel(1)).toEqual(["ADD ADDR 10.0.0.1"]);
  first.socket.destroy();
  await eventually(() => host.gauge("zeek_connected"), 0);
  await bus.publish(indicator(1, undefined, { x_threatbus_update: "REMOVE", modified: "2024-05-02T10:00:00Z" }));
  const second = await FakeZeek.peered(port, { filter: ["threatbus/manage", topic] });
  second.publish("threatbus/manage", "Tenzir::unsubscribe", string(topic));
  expect(await second.subscribe()).not.toBe(topic);
  // What nothing shows to have come is told once more.
  expect(await second.intel(2)).toEqual(["ADD ADDR 10.0.0.1", "REMOVE ADDR 10.0.0.1"]);
});

it("forgets a Zeek that stays away, and the one that unsubscribes from nothing has done no harm", async () => {
  const { bus, port, host } = await stand({ grace: 0.1 });
  const zeek = await FakeZeek.peered(port);
  zeek.publish("threatbus/manage", "Tenzir::unsubscribe", string(""));
  await zeek.subscribe();
  zeek.socket.destroy();
  await eventually(() => host.gauge("zeek_subscribed"), 0);
  expectBalanced(bus.stats());
});

it("refuses a second connection of a Zeek that is there, and takes it when the first turns out to be dead", async () => {
  const { port } = await stand();
  const first = await FakeZeek.peered(port);
  const answering = first.message().catch(() => undefined);
  await expect(FakeZeek.peered(port)).rejects.toThrow("dropped: 39 redundant connection");
  first.socket.destroy();
  await answering;
  const deaf = await FakeZeek.peered(port, { id: highId });
  const again = await FakeZeek.peered(port, { id: highId });
  await deaf.gone;
  await again.subscribe();
});

it.each([
  ["a wrong magic", Buffer.from("00000017065a454558ffffffffffff4fffbfffffffffffff010101", "hex"), 38],
  ["versions that are too new", encodeHandshake({ type: "hello", sender: lowId, minVersion: 2, maxVersion: 9 }), 2],
  ["versions that are too old", encodeHandshake({ type: "hello", sender: lowId, minVersion: 0, maxVersion: 0 }), 2],
  ["a truncated hello", Buffer.from("0000000a065a45454bffffffffff", "hex"), 25],
  ["an unknown tag", Buffer.from("00000005555a45454b", "hex"), 24],
  ["data before the handshake", Buffer.from("0000005affffffffffff4fffbfffffffffffff0e00000000000000000000000000000000010010000764656d6f2f696e0e03", "hex").fill(0, 0, 4).fill(46, 3, 4), 24],
])("answers %s as Zeek does, and says so", async (_, bytes, code) => {
  const { port, host } = await stand();
  const zeek = await FakeZeek.dial(port);
  zeek.socket.write(bytes);
  expect(await zeek.hear()).toMatchObject({ type: "drop_conn", code });
  await zeek.gone;
  await eventually(() => host.count("zeek_connections_refused", { reason: "handshake" }), 1);
});

it.each([["an HTTP request", Buffer.from("GET / HTTP/1.1\r\n\r\n")], ["a length of 2 GiB", Buffer.from("7fffffff065a45454b", "hex")]])("ends a connection that begins with %s", async (_, bytes) => {
  const { port, host } = await stand();
  const zeek = await FakeZeek.dial(port);
  zeek.socket.write(bytes);
  await zeek.gone;
  await eventually(() => host.entries.some(({ fields }) => String(fields["reason"]).includes("is it a Broker peer at all")), true);
});

it("ends a connection that says nothing, and names Zeek 4", async () => {
  const { port, host } = await stand({ handshake_timeout: 0.1 });
  await (await FakeZeek.dial(port)).gone;
  await eventually(() => host.entries.some(({ fields }) => String(fields["reason"]).includes("Zeek 4")), true);
});

it("dials a Zeek that listens, and again when the connection is lost", async () => {
  const server = await listeningZeek();
  const { bus, host } = await stand({ listen: false, peers: [{ host: "127.0.0.1", port: server.port, tls: "off" }] });
  for (const id of [lowId, highId]) {
    const zeek = await server.accept(id);
    const hello = await zeek.hear();
    expect(hello).toMatchObject({ type: "hello", minVersion: 1, maxVersion: 1 });
    zeek.peer = (hello as { sender: string }).sender;
    if (id < zeek.peer) {
      zeek.say({ type: "probe" });
      zeek.say({ type: "version_select", sender: id, version: 1 });
      zeek.say({ type: "originator_syn", filter: ["threatbus/manage"] });
    } else zeek.say({ type: "hello", sender: id, minVersion: 1, maxVersion: 1 });
    await zeek.agree(["threatbus/manage"]).catch(() => undefined);
    if (id < zeek.peer) zeek.say({ type: "originator_ack" });
    await zeek.subscribe();
    await bus.publish(indicator(7));
    expect(await zeek.intel(1)).toEqual(["ADD ADDR 10.0.0.7"]);
    zeek.socket.destroy();
    await eventually(() => host.gauge("zeek_connected"), 0);
  }
});

it("counts events that mean nothing, and goes on", async () => {
  const { port, host, sightings } = await stand();
  const zeek = await FakeZeek.peered(port);
  zeek.publish("threatbus/manage", "Tenzir::subscribe", string("stix2/indicator"));
  zeek.publish("threatbus/manage", "Other::thing");
  zeek.publish("stix2/sighting", "Tenzir::sighting", string("x"));
  zeek.publish("demo/elsewhere", "Tenzir::sighting");
  zeek.write({ type: messageTypes.data, topic: "stix2/sighting" }, rawPayload(Buffer.from("ffff", "hex")));
  zeek.write({ type: 99, topic: "stix2/sighting" }, rawPayload(Buffer.from("ffff", "hex")));
  zeek.socket.write(Buffer.from("00000000", "hex"));
  zeek.sight("x");
  await eventually(() => sightings.map((sighting) => (sighting as unknown as Record<string, unknown>)["x_threatbus_indicator_value"]), ["x"]);
  expect(["arguments", "name"].map((reason) => host.count("zeek_events_refused", { reason }))).toEqual([2, 1]);
  expect(host.count("zeek_frames_refused")).toBe(1);
});

it("tells each value once, and takes it away with the last indicator that named it", async () => {
  const { bus, port } = await stand();
  const zeek = await FakeZeek.peered(port);
  await zeek.subscribe();
  const pattern = "[domain-name:value = 'evil.example' OR ipv4-addr:value IN ('192.0.2.1', '192.0.2.0/24')]";
  await bus.publish(indicator(1, pattern));
  expect((await zeek.intel(3)).sort()).toEqual(["ADD ADDR 192.0.2.1", "ADD DOMAIN evil.example", "ADD SUBNET 192.0.2.0/24"]);
  await bus.publish(indicator(2, "[domain-name:value = 'EVIL.example.']"));
  expect(await zeek.intel(1)).toEqual(["ADD DOMAIN evil.example"]);
  await bus.publish(indicator(2, undefined, { pattern: "[domain-name:value = 'evil.example']", revoked: true, modified: "2024-06-01T00:00:00Z" }));
  const { event } = await zeek.event();
  expect([idsOf(event), event.args[0]]).toMatchObject([idOf(1), { value: [{}, {}, string("DOMAIN"), string("evil.example"), string("ADD")] }]);
  await bus.publish(indicator(1, "[domain-name:value = 'evil.example']", { x_threatbus_update: "REMOVE", modified: "2024-06-01T00:00:00Z" }));
  expect((await zeek.intel(3)).sort()).toEqual(["REMOVE ADDR 192.0.2.1", "REMOVE DOMAIN evil.example", "REMOVE SUBNET 192.0.2.0/24"]);
});
