import { freePort } from "@threatbus/testkit";
import { describe, expect, it } from "vitest";
import { anonymousTls } from "../src/native/tls.ts";
import { zoneOf } from "../src/wire/time.ts";
import { string, vector } from "../src/wire/value.ts";
import { eventually } from "./eventually.ts";
import { bridgedZeek, wsServer, type WsZeek } from "./fake-ws-zeek.ts";
import { idsOf } from "./fake-zeek.ts";
import { idOf, indicator, stand } from "./stand.ts";

describe.each([["client", "client"], ["server, behind a bridge", "server"]] as const)("as %s", (_, role) => {
  async function connected(): Promise<{ zeek: WsZeek; on: Awaited<ReturnType<typeof stand>> }> {
    if (role === "client") {
      const server = await wsServer();
      const on = await stand({ listen: false, websocket: [{ url: server.url }] });
      return { zeek: await server.accept(), on };
    }
    const port = await freePort();
    const on = await stand({ listen: false, bridge: { port } });
    return { zeek: await bridgedZeek(port), on };
  }

  it("names its topics first, subscribes a Zeek after its acknowledgement, gives intel, takes sightings, ends", async () => {
    const { zeek, on } = await connected();
    const { bus, host, sightings } = on;
    expect(await zeek.topics()).toEqual(["threatbus/manage", "stix2/sighting"]);
    zeek.ack();
    const topic = await zeek.subscribe();
    await bus.publish(indicator(1));
    const { topic: used, event } = await zeek.event();
    expect(used).toBe(topic);
    expect(event.args).toEqual([vector([{ type: "timestamp", value: 1_714_557_600_123_000_000n }, string(idOf(1)), string("ADDR"), string("10.0.0.1"), string("ADD")])]);
    zeek.sight(idOf(1), { type: "table", value: [[string("noisy"), vector([vector([string("zeek::Broker::detail::DataVal"), { type: "boolean", value: true }])])]] });
    await eventually(() => sightings, [expect.objectContaining({ sighting_of_ref: idOf(1), last_seen: "2024-05-01T10:00:00.123Z", x_threatbus_sighting_context: { noisy: true } })]);
    expect(zeek.text).toBe(true);
    const ending = bus.stop();
    expect(await zeek.gone).toEqual({ code: 1000 });
    await ending;
    expect(host.count("zeek_intel", { operation: "ADD" })).toBe(1);
  });

  it("goes on after errors and after what it cannot read", async () => {
    const { zeek, on } = await connected();
    await zeek.topics();
    zeek.ack();
    zeek.socket.send('{"type":"error","code":"deserialization_failed","context":"failed to create Zeek event"}');
    zeek.socket.send('{"type":"error","code":"deserialization_failed","message":"as 7.2.0 says it"}');
    zeek.socket.send('{"type":"error","code":"broker_error","context":"spurious"}');
    for (const text of ["", "{", "[]", '{"type":"data-message","topic":"stix2/sighting","@data-type":"string","data":"x"}', "\ud800"]) zeek.socket.send(text);
    zeek.socket.send(Buffer.from('{"type":"data-message","topic":"x\\vy\x80","@data-type":"vector","data":[]}', "latin1"), { binary: false });
    zeek.socket.send("x".repeat(1_000), { fin: false });
    zeek.socket.send("y", { fin: true });
    zeek.sight("a\vb\x01", { type: "table", value: [[string("raw"), string(Uint8Array.of(0x80, 0xff))]] });
    await eventually(() => on.sightings, [expect.objectContaining({ x_threatbus_indicator_value: "a\vb\x01", x_threatbus_sighting_context: { raw: "\ufffd\ufffd" } })]);
    expect(on.host.count("zeek_errors")).toBe(2);
    expect(on.host.count("zeek_frames_refused")).toBe(7);
  });

  it("gives up on a Zeek that does not acknowledge, and says what to do", async () => {
    const server = role === "client" ? await wsServer() : undefined;
    const port = await freePort();
    const { host } = await stand({ listen: false, handshake_timeout: 0.1, ...(server === undefined ? { bridge: { port } } : { websocket: [{ url: server.url }] }) });
    const zeek = await (server === undefined ? bridgedZeek(port) : server.accept());
    await zeek.gone;
    await eventually(() => host.entries.some(({ fields }) => String(fields["reason"]).includes("@load frameworks/cluster/backend/broker")), true);
  });
});

it("asks for the path Zeek insists on, and tells its name", async () => {
  const server = await wsServer();
  await stand({ listen: false, websocket: [{ url: `${server.url}/` }] });
  const { request } = await server.accept();
  expect(request?.url).toBe("/v1/messages/json");
  expect(request?.headers["x-application-name"]).toMatch(/^threatbus\/[0-9.]+$/);
  expect(request?.headers["sec-websocket-extensions"]).toBeUndefined();
});

it("says why Zeek does not let it subscribe", async () => {
  const server = await wsServer();
  const { host } = await stand({ listen: false, websocket: [{ url: server.url }] });
  const zeek = await server.accept();
  zeek.socket.send('{"type":"error","code":"invalid_uri","context":"Invalid URI - use /v1/messages/json"}');
  await zeek.gone;
  await eventually(() => host.entries.some(({ fields }) => String(fields["reason"]).includes("invalid_uri")), true);
});

it("connects again after every kind of end, and keeps what waits for the same Zeek", async () => {
  const server = await wsServer();
  const { bus, host } = await stand({ listen: false, websocket: [{ url: server.url }] });
  let n = 0;
  for (const end of [
    (zeek: WsZeek) => zeek.socket.close(1001, "Terminating"), (zeek: WsZeek) => zeek.socket.close(1011, "Ping timeout"), (zeek: WsZeek) => zeek.socket.close(1000),
    (zeek: WsZeek) => zeek.socket.terminate(),
  ]) {
    const zeek = await server.accept();
    await zeek.topics();
    zeek.ack("8.2.0", `d2949faa-754d-5da6-8596-dde590bde811-websocket-${n}`);
    await zeek.subscribe();
    // Earlier ones come once more where no answer shows that they had come.
    for (let id = ""; n > 0 && id !== idOf(n); ) id = idsOf((await zeek.event()).event);
    end(zeek);
    await zeek.gone;
    await eventually(() => host.gauge("zeek_connected"), 0);
    await bus.publish(indicator(++n));
  }
});

it("serves several Zeeks over WebSocket at once", async () => {
  const servers = [await wsServer(), await wsServer()];
  const { bus } = await stand({ listen: false, websocket: servers.map(({ url }) => ({ url })) });
  const zeeks = await Promise.all(servers.map((server) => server.accept()));
  for (const [n, zeek] of zeeks.entries()) {
    await zeek.topics();
    zeek.ack("7.0.0", `d2949faa-754d-5da6-8596-dde590bde81${n}`);
    await zeek.subscribe();
  }
  await bus.publish(indicator(1));
  for (const zeek of zeeks) expect((await zeek.event()).event.name).toBe("Tenzir::intel");
});

it.each([["7.2.0", "2024-05-01T12:00:00.123"], ["2.6.0", "2024-05-01T12:00:00.123"], ["8.0.1", "2024-05-01T10:00:00.123456000"]])("writes and reads times as Zeek %s does", async (version, written) => {
  const server = await wsServer();
  const { bus, sightings } = await stand({ listen: false, websocket: [{ url: server.url, time_zone: "Europe/Berlin" }] });
  const zone = version.startsWith("8") ? {} : { zone: zoneOf("Europe/Berlin") };
  const zeek = await server.accept({ raw: true, ...zone });
  await zeek.topics();
  zeek.ack(version);
  await zeek.subscribe();
  await bus.publish(indicator(1, undefined, { created: "2024-05-01T10:00:00.123456Z", modified: "2024-05-01T10:00:00.123456Z" }));
  expect(String(await zeek.message())).toContain(`"@data-type":"timestamp","data":"${written}"`);
  zeek.sight(idOf(1));
  await eventually(() => sightings.map(({ last_seen }) => last_seen), ["2024-05-01T10:00:00.123Z"]);
});

it("speaks anonymous TLS, as Zeek 5.0 to 7.1 comes", async () => {
  const server = await wsServer({ tls: anonymousTls });
  await stand({ listen: false, websocket: [{ url: server.url, tls: "anonymous" }] });
  expect(await (await server.accept()).topics()).toEqual(["threatbus/manage", "stix2/sighting"]);
});

it("keeps to its pace, and never stops reading", async () => {
  const server = await wsServer();
  const { bus, sightings, host } = await stand({ listen: false, websocket: [{ url: server.url, max_rate: 50 }] });
  const zeek = await server.accept();
  await zeek.topics();
  zeek.ack();
  await zeek.subscribe();
  for (let n = 0; n < 1_000; n++) await bus.publish(indicator(n));
  zeek.sight(idOf(1));
  await eventually(() => sightings.length, 1);
  expect(host.count("zeek_intel", { operation: "ADD" })).toBeLessThan(1_000);
});

it("lets no web page be a bridge", async () => {
  const port = await freePort();
  const { host } = await stand({ listen: false, bridge: { port } });
  await (await bridgedZeek(port, { origin: "https://evil.example" })).gone;
  expect(host.count("zeek_connections_refused", { reason: "bridge" })).toBe(1);
});
