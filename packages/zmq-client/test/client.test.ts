import { createServer } from "node:net";
import { afterEach, expect, test } from "vitest";
import { curveKeyPair } from "zeromq";
import { type Client, connect, type ConnectOptions, ZmqClientError } from "../src/index.ts";
import { type Answer, FakeBus, type FakeBusOptions } from "./fake-bus.ts";

const buses: FakeBus[] = [], clients: Client[] = [];
const eventually = <Value>(read: () => Value): ReturnType<typeof expect.poll<Value>> => expect.poll(read, { timeout: 15_000 });

afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()));
  for (const bus of buses.splice(0)) bus.kill();
});

async function busWith(options?: FakeBusOptions): Promise<FakeBus> {
  const bus = await FakeBus.start(options);
  buses.push(bus);
  return bus;
}

async function join(bus: FakeBus, options: ConnectOptions = {}): Promise<Client> {
  const client = await connect({ manage: bus.port, requestTimeout: 2_000, ...options });
  clients.push(client);
  return client;
}

const codeOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(() => "no error", (error: unknown) => (error instanceof ZmqClientError ? error.code : error));

/** A port where nobody listens. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === "object" && address !== null ? address.port : 0;
}

test("no bus is told from a silent one", async () => {
  const manage = await freePort();
  expect(await codeOf(connect({ manage, requestTimeout: 200 }))).toBe("CONNECTION_FAILED");
  const silent = await busWith({ answer: () => undefined });
  expect(await codeOf(connect({ manage: silent.port, requestTimeout: 200 }))).toBe("REQUEST_TIMEOUT");
});

test.each<[string, Answer]>([
  ["nothing", ""],
  ["words", "hello"],
  ["a list", "[]"],
  ["null", "null"],
  ["no status", "{}"],
  ["a status that is no text", '{"status":1}'],
  ["bytes", Buffer.from([0xff, 0xfe, 0])],
  ["two frames", ['{"status":"success"}', "more"]],
  ["a pit", `{"status":"success","x":${"[".repeat(20_000)}${"]".repeat(20_000)}}`],
])("%s is no reply, and the client asks again", async (_, wrong) => {
  let answer: Answer;
  const bus = await busWith({ answer: (__, usual) => answer ?? usual });
  const client = await join(bus);
  answer = wrong;
  expect(await codeOf(client.subscribe("stix2/"))).toBe("REPLY_INVALID");
  answer = undefined;
  expect(await client.subscribe("stix2/")).toMatchObject({ state: "subscribed" });
});

test("a bus that dies before it answers is not waited for", async () => {
  let silent = false;
  const bus = await busWith({ answer: (_, usual) => (silent ? undefined : usual) });
  const client = await join(bus, { requestTimeout: 3_600_000 });
  silent = true;
  const asked = codeOf(client.subscribe("stix2/"));
  await eventually(() => bus.actions("subscribe")).toHaveLength(1);
  bus.kill();
  expect(await asked).toBe("CONNECTION_FAILED");
});

test("a huge reply is not read", async () => {
  let huge = false;
  const bus = await busWith({ answer: (_, usual) => (huge ? `{"status":"success","x":"${"x".repeat(1_000_000)}"}` : usual) });
  const client = await join(bus);
  huge = true;
  expect(await codeOf(client.subscribe("stix2/"))).toBe("CONNECTION_FAILED");
  huge = false;
  expect(await client.subscribe("stix2/")).toMatchObject({ state: "subscribed" });
});

test("a refusal carries the bus's reason apart", async () => {
  const bus = await busWith({ answer: (request, usual) => (request.action === "subscribe" ? '{"status":"error","reason":"too\\nmany"}' : usual) });
  const error: unknown = await (await join(bus)).subscribe("stix2/").catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: "REQUEST_REFUSED", reason: "too many" });
  expect((error as Error).message).not.toContain("many");
});

test("a grant with ports that cannot be used is refused", async () => {
  const bus = await busWith({ answer: (request, usual) => (request.action === "subscribe" ? usual.replace(/"pub_port":\d+/, '"pub_port":"x"') : usual) });
  expect(await codeOf((await join(bus)).subscribe("stix2/"))).toBe("REPLY_INVALID");
});

test("an unreachable pub port fails the subscription, which is given back", async () => {
  const closed = await freePort();
  const bus = await busWith({ answer: (request, usual) => (request.action === "subscribe" ? usual.replace(/"pub_port":\d+/, `"pub_port":${closed}`) : usual) });
  expect(await codeOf((await join(bus, { requestTimeout: 300 })).subscribe("stix2/"))).toBe("CONNECTION_FAILED");
  expect(bus.actions("unsubscribe")).toHaveLength(1);
});

test.each([[{ manage: 0 }], [{ manage: 70_000 }], [{ requestTimeout: Number.NaN }], [{ linger: -1 }], [{ heartbeatInterval: 0 }], [{ publishTimeout: 1.5 }], [{ maxMessageSize: 0 }]])(
  "%j is out of range",
  async (options) => {
    await expect(connect(options)).rejects.toThrow(RangeError);
  },
);

test.each([[{ host: "" }], [{ host: "a b" }], [{ host: "x;tcp://y" }], [{ host: "x/y" }], [{ curve: { serverKey: "short" } }], [{ curve: { serverKey: "x".repeat(40), publicKey: "x".repeat(40) } }]])(
  "%j is no option",
  async (options) => {
    await expect(connect(options)).rejects.toThrow(TypeError);
  },
);

test("subscriptions are checked before the bus is asked", async () => {
  const bus = await busWith();
  const client = await join(bus);
  await expect(client.subscribe([])).rejects.toThrow(TypeError);
  await expect(client.subscribe("stix2/", { snapshot: -1 })).rejects.toThrow(RangeError);
  await expect(client.subscribe("stix2/", { buffer: 0 })).rejects.toThrow(RangeError);
  await expect(client.subscribe("stix2/", { signal: AbortSignal.abort() })).rejects.toThrow("abort");
  expect(bus.actions("subscribe")).toEqual([]);
});

test("what the bus would cut the connection for is not sent", async () => {
  const bus = await busWith();
  const client = await join(bus, { maxPublishSize: 100 });
  await expect(client.publish({ topic: "stix2/indicator", payload: "x".repeat(101) })).rejects.toThrow(RangeError);
});

test("a program that only publishes loses nothing from the first message on", async () => {
  const bus = await busWith();
  const client = await join(bus);
  await Promise.all(Array.from({ length: 2_000 }, (_, n) => client.publish({ type: "x-test", id: `x-test--${n}`, spec_version: "2.1" } as never)));
  await eventually(() => bus.taken.length).toBe(2_000);
  expect(bus.taken.every((frame, n) => frame === `stix2/x-test {"type":"x-test","id":"x-test--${n}","spec_version":"2.1"}`)).toBe(true);
  expect(bus.actions("subscribe")).toHaveLength(1);
  expect(bus.actions("unsubscribe")).toHaveLength(1);
});

test("a topic the bus does not take is refused, others go on", async () => {
  const bus = await busWith({ takes: ["stix2/"] });
  const client = await join(bus);
  const rules = Array.from({ length: 20 }, () => codeOf(client.publish({ topic: "yara/rule", payload: "rule x { condition: true }" })));
  expect(new Set(await Promise.all(rules))).toEqual(new Set(["REQUEST_REFUSED"]));
  await client.publish({ topic: "stix2/indicator", payload: "{}" });
  await eventually(() => bus.taken).toEqual(["stix2/indicator {}"]);
});

test("a bus that does not read makes publishing wait, and gets everything", async () => {
  const bus = await busWith({ receiveHighWaterMark: 10 });
  bus.reading = false;
  const client = await join(bus);
  const payload = "x".repeat(20_000);
  const total = 3_000;
  let handed = 0;
  const all = Promise.all(Array.from({ length: total }, () => client.publish({ topic: "stix2/indicator", payload }).then(() => handed++)));
  await eventually(() => handed).toBeGreaterThan(100);
  // What the queue and the network hold is bounded; the rest waits here.
  let last = -1;
  await eventually(() => last === (last = handed)).toBe(true);
  expect(handed).toBeLessThan(total);
  bus.reading = true;
  await all;
  await eventually(() => bus.taken.length).toBe(total);
});

test("publishing to a bus that never reads ends with its time", async () => {
  const bus = await busWith({ receiveHighWaterMark: 10 });
  bus.reading = false;
  const client = await join(bus, { publishTimeout: 500, linger: 0 });
  const payload = "x".repeat(20_000);
  const codes = await Promise.all(Array.from({ length: 3_000 }, () => codeOf(client.publish({ topic: "stix2/indicator", payload }))));
  expect(new Set(codes)).toEqual(new Set(["no error", "REQUEST_TIMEOUT"]));
});

test("publishing waits for a bus that restarts", async () => {
  const before = await busWith();
  const client = await join(before);
  await client.publish({ topic: "stix2/indicator", payload: "1" });
  await eventually(() => before.taken).toEqual(["stix2/indicator 1"]);
  const { ports } = before;
  before.kill();
  const after = await busWith({ ports });
  await client.publish({ topic: "stix2/indicator", payload: "2" });
  await eventually(() => after.taken).toEqual(["stix2/indicator 2"]);
});

test("snapshot requests are answered with envelopes, each once", async () => {
  const bus = await busWith();
  const client = await join(bus);
  const responder = await client.onSnapshotRequest(async function* ({ snapshot_type, snapshot }) {
    if (snapshot_type !== 2) return;
    for (let n = 0; n < 3; n++) yield { type: "sighting", id: `sighting--${n}`, snapshot } as never;
  });
  await eventually(() => bus.attached.has(bus.channel)).toBe(true);
  const request = (snapshot_type: number, snapshot_id: string): string => JSON.stringify({ type: "snapshotrequest", snapshot_type, snapshot_id, snapshot: 60 });
  await bus.send("snapshotrequest", request(1, "a"));
  await bus.send("snapshotrequest", request(2, "a"));
  await bus.send("snapshotrequest", request(2, "a"));
  await bus.send("snapshotrequest", '{"type":"snapshotrequest","snapshot_type":"x"}');
  await bus.send("snapshotrequest", request(2, "b"));
  await eventually(() => bus.taken.length).toBe(6);
  expect(bus.taken.filter((frame) => frame.includes('"snapshot_id":"a"'))).toEqual(
    [0, 1, 2].map((n) => `threatbus/snapshotenvelope ${JSON.stringify({ type: "snapshotenvelope", snapshot_type: 2, snapshot_id: "a", body: { type: "sighting", id: `sighting--${n}`, snapshot: 60 } })}`),
  );
  await responder.close();
  expect(bus.actions("unsubscribe").length).toBeGreaterThanOrEqual(1);
});

test("an answer that throws ends alone; closing gives the signal", async () => {
  const bus = await busWith();
  const client = await join(bus);
  let aborted = false;
  const responder = await client.onSnapshotRequest(async function* ({ snapshot_id }, signal) {
    yield { type: "sighting", id: snapshot_id } as never;
    if (snapshot_id === "bad") throw new Error("the store is away");
    await new Promise((resolve) => signal.addEventListener("abort", resolve));
    aborted = true;
  });
  await eventually(() => bus.attached.has(bus.channel)).toBe(true);
  for (const id of ["bad", "good"]) await bus.send("snapshotrequest", JSON.stringify({ type: "snapshotrequest", snapshot_type: 1, snapshot_id: id, snapshot: 1 }));
  await eventually(() => bus.taken.length).toBe(2);
  expect(aborted).toBe(false);
  await responder.close();
  await eventually(() => aborted).toBe(true);
});

test("with CURVE all three connections work, and a wrong server key does not", async () => {
  const keys = curveKeyPair();
  const bus = await busWith({ curve: keys });
  const pair = curveKeyPair();
  for (const curve of [{ serverKey: keys.publicKey }, { serverKey: keys.publicKey, ...pair }]) {
    const client = await join(bus, { curve });
    const subscription = await client.subscribe("stix2/");
    await eventually(() => bus.attached.has(bus.channel)).toBe(true);
    await bus.send("indicator", '{"type":"indicator"}');
    for await (const message of subscription) {
      expect(message.type).toBe("indicator");
      break;
    }
    await client.publish({ topic: "stix2/indicator", payload: "{}" });
  }
  await eventually(() => bus.taken.length).toBe(2);
  expect(await codeOf(connect({ manage: bus.port, requestTimeout: 300, curve: { serverKey: pair.publicKey } }))).toBe("CONNECTION_FAILED");
  expect(await codeOf(connect({ manage: bus.port, requestTimeout: 300 }))).toBe("CONNECTION_FAILED");
});

test("a closed client says so everywhere, and closing twice is harmless", async () => {
  const bus = await busWith();
  const client = await join(bus);
  await client.subscribe("stix2/");
  await Promise.all([client.close(), client.close()]);
  expect(bus.actions("unsubscribe")).toHaveLength(1);
  for (const late of [client.subscribe("x"), client.publish({ topic: "a/b", payload: "" }), client.request({ action: "heartbeat", topic: "" })]) expect(await codeOf(late)).toBe("CLOSED");
});

test("the signal given to connect closes the client, also while connecting", async () => {
  const bus = await busWith();
  const stop = new AbortController();
  const client = await join(bus, { signal: stop.signal });
  await client.subscribe("stix2/");
  stop.abort();
  await eventually(() => bus.actions("unsubscribe")).toHaveLength(1);
  const early = new AbortController();
  const connecting = codeOf(connect({ manage: await freePort(), signal: early.signal }));
  early.abort();
  expect(await connecting).toBe("CLOSED");
});

test("closing while the bus is silent takes one request's time, however many subscriptions", async () => {
  let silent = false;
  const bus = await busWith({ answer: (_, usual) => (silent ? undefined : usual) });
  const client = await join(bus, { requestTimeout: 300, heartbeatInterval: 100_000 });
  for (let n = 0; n < 5; n++) await client.subscribe("stix2/");
  silent = true;
  await client.close();
  expect(bus.actions("unsubscribe").length).toBeLessThanOrEqual(1);
});
