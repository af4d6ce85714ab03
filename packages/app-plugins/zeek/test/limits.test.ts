/** Who comes in, how many, and how much they may send before they are known. */
import { once } from "node:events";
import { connect, Server, type Socket } from "node:net";
import { freePort } from "@threatbus/testkit";
import { expect, it, onTestFinished, vi } from "vitest";
import { dropCodes, encodeHandshake } from "../src/native/handshake-message.ts";
import { decodeMessage, messageTypes, rawPayload, reservedTopic } from "../src/native/message.ts";
import { string, timespan } from "../src/wire/value.ts";
import { eventually } from "./eventually.ts";
import { bridgedZeek } from "./fake-ws-zeek.ts";
import { FakeZeek, highId, listeningZeek, lowId } from "./fake-zeek.ts";
import { indicator, stand } from "./stand.ts";

const hello = encodeHandshake({ type: "hello", sender: lowId, minVersion: 1, maxVersion: 1 });

/** A connection that says what it is told to; `closed` when the other side ended it. */
async function raw(port: number, bytes: string | Buffer = ""): Promise<{ socket: Socket; closed: Promise<unknown> }> {
  const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
  onTestFinished(() => void socket.destroy());
  socket.on("error", () => undefined);
  const closed = new Promise((resolve) => socket.once("close", resolve).once("end", resolve));
  socket.resume();
  await Promise.race([once(socket, "connect"), closed]);
  socket.write(bytes);
  return { socket, closed };
}

it("tells a Zeek beyond max_connections so, in Broker's terms, and the log what to do", async () => {
  const { bus, port, host } = await stand({ max_connections: 1 });
  const first = await FakeZeek.peered(port);
  await first.subscribe();
  await expect(FakeZeek.peered(port, { id: highId })).rejects.toThrow("dropped: 40 too many peers");
  await eventually(() => host.entries.some(({ fields }) => fields["reason"] === "there are too many Zeeks: raise max_connections"), true);
  await bus.publish(indicator(1));
  expect(await first.intel(1)).toEqual(["ADD ADDR 10.0.0.1"]);
  // The one that leaves makes room.
  first.socket.destroy();
  await eventually(() => host.gauge("zeek_connected"), 0);
  await (await FakeZeek.peered(port, { id: highId })).subscribe();
});

it("tells a bridge beyond max_connections so", async () => {
  const port = await freePort();
  const { host } = await stand({ listen: false, max_connections: 1, bridge: { port } });
  const first = await bridgedZeek(port);
  await first.topics();
  await (await bridgedZeek(port)).gone;
  expect(host.entries.some(({ text }) => text === "there are too many bridges: one was refused; raise max_connections")).toBe(true);
  expect(first.socket.readyState).toBe(1);
});

it.each(["native", "bridge"])("holds a few connections beyond the limit, and no more: %s", async (kind) => {
  const port = await freePort();
  const { host } = await stand(kind === "native" ? { port, max_connections: 2 } : { listen: false, max_connections: 2, bridge: { port } });
  const connections = await Promise.all(Array.from({ length: 30 }, () => raw(port, kind === "native" ? "" : "GET / HTTP/1.1\r\n")));
  await eventually(() => host.count("zeek_connections_refused", { reason: "full" }), 12);
  expect(connections.filter(({ socket }) => !socket.readableEnded && !socket.destroyed)).toHaveLength(18);
});

it.each(["native", "bridge"])("ends every connection with the bus, also one it refused or knows nothing of: %s", async (kind) => {
  const port = await freePort();
  const { bus } = await stand(kind === "native" ? { port } : { listen: false, bridge: { port } });
  const upgrade = "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n";
  const says = kind === "native" ? ["", hello, hello.subarray(0, 9), "\x16\x03\x01"] : ["", "GET ", `${upgrade}Origin: https://evil.example\r\n\r\n`, `${upgrade}\r\n`];
  const connections = await Promise.all(says.map((bytes) => raw(port, bytes)));
  await bus.stop();
  await Promise.all(connections.map(({ closed }) => closed));
});

it.each(["native", "bridge"])("goes on when a connection cannot be accepted: %s", async (kind) => {
  const listen = vi.spyOn(Server.prototype, "listen");
  onTestFinished(() => listen.mockRestore());
  const port = await freePort();
  const { host } = await stand(kind === "native" ? { port } : { listen: false, bridge: { port } });
  const server = listen.mock.contexts.at(-1) as Server;
  for (let n = 0; n < 2; n++) server.emit("error", Object.assign(new Error("accept EMFILE"), { code: "EMFILE" }));
  expect(host.entries.filter(({ text }) => text === "a connection could not be accepted")).toHaveLength(1);
  if (kind === "native") await FakeZeek.peered(port);
  else await (await bridgedZeek(port)).topics();
});

it("takes a megabyte from a peer that nobody knows yet, and as much as max_frame_size from one that is known", async () => {
  const { port, host } = await stand();
  const stranger = await FakeZeek.dial(port);
  stranger.socket.write(Buffer.concat([hello, Buffer.from("00200000", "hex")]));
  await stranger.gone;
  await eventually(() => host.entries.some(({ fields }) => String(fields["reason"]).startsWith("a frame of 2097152 bytes was announced, 1048576 are the most")), true);
  const zeek = await FakeZeek.peered(port);
  zeek.write({ type: messageTypes.ping, topic: reservedTopic, receiver: zeek.peer }, rawPayload(Buffer.alloc(2_097_152)));
  expect((await zeek.message()).payload).toHaveLength(2_097_152);
});

it("ends a bridge that sends more than an acknowledgement before there is one", async () => {
  const port = await freePort();
  const { host } = await stand({ listen: false, bridge: { port } });
  const [babbling, quiet] = [await bridgedZeek(port), await bridgedZeek(port)];
  babbling.socket.send("x".repeat(100_000));
  await babbling.gone;
  await eventually(() => host.count("zeek_connections_refused", { reason: "bridge" }), 1);
  await quiet.topics();
  quiet.ack();
  const topic = await quiet.subscribe();
  expect(topic).toMatch(/^stix2\/indicator/);
  quiet.sight("x", { type: "table", value: [[string("long"), string("x".repeat(200_000))]] });
  await eventually(() => host.count("zeek_sightings"), 1);
});

it.each([
  [dropCodes.incompatible, "5.0 to 9.0"], [dropCodes.badTag, "check the version of Zeek"], [dropCodes.badMessage, "check the version of Zeek"], [dropCodes.shuttingDown, "restart Zeek"],
  [dropCodes.badMagic, "check host and port"], [dropCodes.redundant, "holds an earlier connection to be alive"], [dropCodes.logic, "see its log"], [99, undefined],
])("says what to do about Zeek's refusal %i", async (code, advice) => {
  const server = await listeningZeek();
  const { host } = await stand({ listen: false, peers: [{ host: "127.0.0.1", port: server.port, tls: "off" }] });
  const zeek = await server.accept();
  await zeek.hear();
  zeek.say({ type: "drop_conn", sender: lowId, code, reason: "since" });
  await zeek.gone;
  await eventually(() => host.entries.some(({ text }) => text === "Zeek cannot be reached, trying on"), true);
  const { fields } = host.entries.find(({ text }) => text === "Zeek cannot be reached, trying on") ?? {};
  expect(fields).toMatchObject({ code, reason: `the other side ended the handshake: since (code ${code})` });
  if (advice === undefined) expect(fields?.["advice"]).toBeUndefined();
  else expect(fields?.["advice"]).toContain(advice);
});

it("says why nobody answers where it dials", async () => {
  const port = await freePort();
  const { host } = await stand({ listen: false, peers: [{ host: "127.0.0.1", port }, { host: "127.0.0.1", port, tls: "off" }], websocket: [{ url: `ws://127.0.0.1:${port}` }] });
  const said = (): unknown[] => host.entries.filter(({ text }) => text === "Zeek cannot be reached, trying on").map(({ fields }) => /ECONNREFUSED/.test(String(fields["reason"])) && String(fields["remote"]).slice(0, 5)).sort();
  await eventually(said, ["tcp:/", "tls:/", "ws://"]);
});

it("says good-bye in Broker's bytes, and ends when that is answered", async () => {
  const { bus, port, host } = await stand();
  const zeek = await FakeZeek.peered(port);
  await eventually(() => host.gauge("zeek_connected"), 1);
  const stopping = bus.stop();
  const said = decodeMessage((await zeek.frame()) ?? Buffer.alloc(0));
  expect(said).toMatchObject({ type: messageTypes.ping, topic: reservedTopic, receiver: lowId });
  expect(said.payload.toString("hex")).toBe(`${Buffer.from("BYE").toString("hex")}0100000000000010`);
  expect(zeek.socket.destroyed).toBe(false);
  zeek.write({ type: messageTypes.pong, topic: reservedTopic, receiver: said.sender }, rawPayload(said.payload));
  await zeek.gone;
  await stopping;
});

it("acknowledges to the Zeek that asked alone, though all want the management topic", async () => {
  const { port } = await stand();
  const [one, other] = [await FakeZeek.peered(port), await FakeZeek.peered(port, { id: highId })];
  one.publish("threatbus/manage", "Tenzir::subscribe", string("stix2/indicator"), timespan(0n));
  expect((await one.event()).event.name).toBe("Tenzir::subscription_acknowledged");
  // What the other would have got comes before the answer to its ping.
  other.write({ type: messageTypes.ping, topic: reservedTopic, receiver: other.peer }, rawPayload(Buffer.from("mark")));
  expect((await other.message()).type).toBe(messageTypes.pong);
});
