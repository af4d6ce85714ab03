import { expect, test } from "vitest";
import { curveKeyPair } from "zeromq";
import { connect } from "../src/index.ts";
import type { Answer, FakeBus } from "./fake-bus.ts";
import { freePort } from "@threatbus/testkit";
import { busWith, codeOf, join } from "./joined.ts";

/** A bus that answers subscriptions its own way. */
const busGranting = (grant: (usual: string) => string): Promise<FakeBus> =>
  busWith({ answer: ({ action }, usual) => (action === "subscribe" ? grant(usual) : usual) });

test("no bus is told from a silent one", async () => {
  const manage = await freePort();
  expect(await codeOf(connect({ manage, requestTimeout: 200 }))).toBe("CONNECTION_FAILED");
  const silent = await busWith({ answer: () => undefined });
  expect(await codeOf(connect({ manage: silent.port, requestTimeout: 2_000 }))).toBe("REQUEST_TIMEOUT");
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
  await expect.poll(() => bus.actions("subscribe")).toHaveLength(1);
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
  const bus = await busGranting(() => '{"status":"error","reason":"too\\nmany"}');
  const error: unknown = await (await join(bus)).subscribe("stix2/").catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: "REQUEST_REFUSED", reason: "too many" });
  expect((error as Error).message).not.toContain("many");
});

test("a grant with ports that cannot be used is refused", async () => {
  const bus = await busGranting((usual) => usual.replace(/"pub_port":\d+/, '"pub_port":"x"'));
  expect(await codeOf((await join(bus)).subscribe("stix2/"))).toBe("REPLY_INVALID");
});

test("an unreachable pub port fails the subscription, which is given back", async () => {
  const closed = await freePort();
  const bus = await busGranting((usual) => usual.replace(/"pub_port":\d+/, `"pub_port":${closed}`));
  expect(await codeOf((await join(bus)).subscribe("stix2/"))).toBe("CONNECTION_FAILED");
  expect(bus.actions("unsubscribe")).toHaveLength(1);
});

test.each([
  [{ manage: 0 }], [{ manage: 70_000 }], [{ requestTimeout: Number.NaN }], [{ linger: -1 }], [{ heartbeatInterval: 0 }],
  [{ publishTimeout: 1.5 }], [{ maxMessageSize: 0 }],
])(
  "%j is out of range",
  async (options) => {
    await expect(connect(options)).rejects.toThrow(RangeError);
  },
);

test.each([
  [{ host: "" }], [{ host: "a b" }], [{ host: "x;tcp://y" }], [{ host: "x/y" }],
  [{ curve: { serverKey: "short" } }], [{ curve: { serverKey: "x".repeat(40), publicKey: "x".repeat(40) } }],
])(
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

test("with CURVE all three connections work, and a wrong server key does not", async () => {
  const keys = curveKeyPair();
  const bus = await busWith({ curve: keys });
  const pair = curveKeyPair();
  for (const curve of [{ serverKey: keys.publicKey }, { serverKey: keys.publicKey, ...pair }]) {
    const client = await join(bus, { curve });
    const subscription = await client.subscribe("stix2/");
    await expect.poll(() => bus.attached.has(bus.channel)).toBe(true);
    await bus.send("indicator", '{"type":"indicator"}');
    for await (const message of subscription) {
      expect(message.type).toBe("indicator");
      break;
    }
    await client.publish({ topic: "stix2/indicator", payload: "{}" });
  }
  await expect.poll(() => bus.taken.length).toBe(2);
  expect(await codeOf(connect({ manage: bus.port, requestTimeout: 300, curve: { serverKey: pair.publicKey } }))).toBe("CONNECTION_FAILED");
  expect(await codeOf(connect({ manage: bus.port, requestTimeout: 300 }))).toBe("CONNECTION_FAILED");
});

test("a closed client says so everywhere, and closing twice is harmless", async () => {
  const bus = await busWith();
  const client = await join(bus);
  await client.subscribe("stix2/");
  await Promise.all([client.close(), client.close()]);
  expect(bus.actions("unsubscribe")).toHaveLength(1);
  expect(await codeOf(client.subscribe("stix2/"))).toBe("CLOSED");
  expect(await codeOf(client.publish({ topic: "stix2/indicator", payload: "{}" }))).toBe("CLOSED");
  expect(await codeOf(client.request({ action: "heartbeat", topic: "" }))).toBe("CLOSED");
});

test("the signal given to connect closes the client, also while connecting", async () => {
  const bus = await busWith();
  const stop = new AbortController();
  const client = await join(bus, { signal: stop.signal });
  await client.subscribe("stix2/");
  stop.abort();
  await expect.poll(() => bus.actions("unsubscribe")).toHaveLength(1);
  const early = new AbortController();
  const connecting = codeOf(connect({ manage: await freePort(), signal: early.signal }));
  early.abort();
  expect(await connecting).toBe("CLOSED");
});

test("closing while the bus is silent takes one request's time, however many subscriptions", async () => {
  let silent = false;
  const bus = await busWith({ answer: (_, usual) => (silent ? undefined : usual) });
  const client = await join(bus, { heartbeatInterval: 100_000 });
  for (let n = 0; n < 5; n++) await client.subscribe("stix2/");
  silent = true;
  await client.close();
  expect(bus.actions("unsubscribe").length).toBeLessThanOrEqual(1);
});
