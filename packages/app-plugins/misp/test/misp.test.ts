import { createServer } from "node:net";
import { createBus, message, silentLogger } from "@threatbus/core";
import type { Bus, Message, ThreatBus } from "@threatbus/core";
import { inmem } from "@threatbus/inmem";
import { fakeHost, freePort, mispFeed } from "@threatbus/testkit";
import type { FakeHost, MispFeed } from "@threatbus/testkit";
import { afterEach, describe, expect, test } from "vitest";
import type { StixObject } from "stix2-ts-types";
import { misp } from "../src/index.ts";
import { frame, uuid, written } from "./sample.ts";

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

async function publisher(port?: number, secret?: { username: string; password: string }): Promise<MispFeed> {
  const feed = await mispFeed({ ...(port !== undefined && { port }), ...(secret && { secret }) });
  ends.push(() => feed.stop());
  return feed;
}

/** Where subscribers of attributes have joined. */
function joined(feed: MispFeed): Promise<void> {
  return feed.joined("misp_json_attribute", "misp_json_self");
}

/** A bus with the plugin, and what it published. */
async function run(options: Parameters<typeof misp>[0]): Promise<{ bus: ThreatBus; got: Record<string, unknown>[]; count(name: string): Record<string, number> }> {
  const bus = createBus({ backbones: [inmem()], apps: [misp(options)], logger: silentLogger });
  ends.push(() => bus.stop());
  await bus.start();
  const got: Record<string, unknown>[] = [];
  await bus.subscribe("stix2/indicator", ({ body }) => void got.push(body as unknown as Record<string, unknown>));
  const count = (name: string): Record<string, number> =>
    Object.fromEntries((bus.stats().plugins["misp"] ?? []).filter((sample) => sample.name === name).map(({ labels, value }) => [Object.values(labels)[0] ?? "", value]));
  return { bus, got, count };
}

function balanced(count: (name: string) => Record<string, number>): void {
  const sum = (name: string): number => Object.values(count(name)).reduce((total, value) => total + value, 0);
  expect(sum("misp_received")).toBe(sum("misp_mapped") + sum("misp_handled") + sum("misp_skipped") + sum("misp_refused"));
}

describe("from MISP's publisher to the bus", () => {
  test("adds, edits and removals arrive in order, junk does no harm, the account balances", async () => {
    const feed = await publisher();
    const { got, count } = await run({ zmq: { host: "127.0.0.1", port: feed.port } });
    await joined(feed);
    const frames: (string | Buffer)[] = [
      frame(written()),
      "misp_json_attribute {",
      Buffer.concat([Buffer.from("misp_json_attribute "), Buffer.from([0x22, 0xff, 0x22])]),
      "misp_json_attribute_new {}",
      "misp_json_attribute",
      "misp_json_attribute{}",
      "misp_json {}",
      'misp_json_self {"status": "But there\'s no sense crying over every mistake.", "uptime": 10}',
      frame(written({ value: "2001:db8::1", timestamp: 1_726_511_690 }, { action: "edit" })),
      frame(written({ value: "2001:db8::1", timestamp: 1_726_511_695, comment: "c" }, { action: "edit" })),
      frame(written({ uuid: uuid.replace("5", "6"), type: "jarm-fingerprint", value: "2ad2" })),
      frame(written({ type: "comment", value: "deleted", to_ids: false, deleted: true, timestamp: 1_726_511_700 }, { action: "soft-delete" })),
    ];
    for (const one of frames) await feed.sendRaw(one);
    // What begins otherwise does not even come.
    await expect.poll(() => count("misp_received")["feed"]).toBe(frames.length - 1);
    expect(got.map((body) => [body["x_threatbus_update"] ?? "ADD", body["pattern"]])).toStrictEqual([
      ["ADD", "[ipv4-addr:value = '198.51.100.7']"],
      ["REMOVE", "[ipv4-addr:value = '198.51.100.7']"],
      ["ADD", "[ipv6-addr:value = '2001:db8::1']"],
      ["EDIT", "[ipv6-addr:value = '2001:db8::1']"],
      ["REMOVE", "[ipv6-addr:value = '2001:db8::1']"],
    ]);
    expect(count("misp_skipped")).toStrictEqual({ topic: 1, heartbeat: 1, type: 1 });
    expect(count("misp_refused")).toStrictEqual({ frame: 2, json: 1, utf8: 1 });
    expect(count("misp_mapped")).toStrictEqual({ "": 4 });
    expect(count("misp_messages")).toStrictEqual({ ADD: 2, EDIT: 1, REMOVE: 2 });
    expect(count("misp_attributes_remembered")).toStrictEqual({ "": 1 });
    balanced(count);
  });

  test("defect 12: MISP goes away and comes back, and the plugin does not join again", async () => {
    const feed = await publisher();
    const { got } = await run({ zmq: { host: "127.0.0.1", port: feed.port } });
    await joined(feed);
    await feed.sendRaw(frame(written()));
    await expect.poll(() => got.length).toBe(1);
    await feed.stop();
    const again = await publisher(feed.port);
    await joined(again);
    await again.sendRaw(frame(written({ comment: "after" }, { action: "edit" })));
    await expect.poll(() => got.at(-1)?.["description"]).toBe("after");
  });

  test("MISP is not there yet: the bus starts all the same", async () => {
    const port = await freePort();
    const { got } = await run({ zmq: { host: "127.0.0.1", port } });
    const feed = await publisher(port);
    await joined(feed);
    await feed.sendRaw(frame(written()));
    await expect.poll(() => got.length).toBe(1);
  });

  test("the filter keeps back what it should", async () => {
    const feed = await publisher();
    const { got, count } = await run({ zmq: { host: "127.0.0.1", port: feed.port }, filter: [{ types: ["url"] }] });
    await joined(feed);
    await feed.sendRaw(frame(written()));
    await feed.sendRaw(frame(written({ type: "url", value: "http://evil.example/" })));
    await expect.poll(() => got.map(({ pattern }) => pattern)).toStrictEqual(["[url:value = 'http://evil.example/']"]);
    expect(count("misp_skipped")).toStrictEqual({ filter: 1 });
  });

  test("garbage on the wire does not end the receiver", async () => {
    const garbage = createServer((peer) => {
      peer.on("error", () => undefined).resume();
      peer.end(Buffer.from("GET / HTTP/1.1\r\n\r\n".repeat(10)));
    });
    const port = await freePort();
    garbage.listen(port, "127.0.0.1");
    await new Promise((resolve) => garbage.once("listening", resolve));
    const connected = new Promise((resolve) => garbage.once("connection", resolve));
    const { got } = await run({ zmq: { host: "127.0.0.1", port } });
    await connected;
    await new Promise((resolve) => garbage.close(resolve));
    const feed = await publisher(port);
    await joined(feed);
    await feed.sendRaw(frame(written()));
    await expect.poll(() => got.length).toBe(1);
  });
});

describe("authentication by ZeroMQ PLAIN", () => {
  const secret = { username: "misp", password: "s3cret" };

  test("defect 12: ZeroMQ knows no authentication: right credentials receive, wrong ones are told", async () => {
    const feed = await publisher(undefined, secret);
    const host = fakeHost();
    const intruder = misp({ zmq: { host: "127.0.0.1", port: feed.port, username: "misp", password: "wrong" } }).create(host);
    ends.push(() => intruder.stop());
    await intruder.start(silentBus());
    await expect.poll(() => host.entries.filter(({ level }) => level === "warn").length).toBe(1);
    const { got } = await run({ zmq: { host: "127.0.0.1", port: feed.port, ...secret } });
    await joined(feed);
    await feed.sendRaw(frame(written()));
    await expect.poll(() => got.length).toBe(1);
    expect(host.count("misp_received", { from: "feed" })).toBe(0);
    expect(host.entries.filter(({ level }) => level === "warn")).toHaveLength(1);
    expect(JSON.stringify(host.entries)).not.toContain("wrong");
  });
});

describe("what an operator is told", () => {
  async function listening(): Promise<{ host: FakeHost; feed: Awaited<ReturnType<typeof publisher>>; published: Message[] }> {
    const feed = await publisher();
    const host = fakeHost();
    const published: Message[] = [];
    const app = misp({ zmq: { host: "127.0.0.1", port: feed.port }, filter: [{ tags: ["tlp:red"] }, { types: ["ip-dst", "domain", "bic", "iban"] }] }).create(host);
    ends.push(() => app.stop());
    await app.start(silentBus(published));
    await joined(feed);
    return { host, feed, published };
  }
  const warnings = (host: FakeHost): string[] => host.entries.filter(({ level }) => level === "warn").map(({ text }) => text);

  test("heartbeats but never an attribute: once, what to switch on", async () => {
    const { host, feed } = await listening();
    for (let n = 0; n < 12; n++) await feed.sendRaw('misp_json_self {"status": "x", "uptime": 10}');
    await expect.poll(() => host.count("misp_received", { from: "feed" })).toBe(12);
    expect(warnings(host).filter((text) => text.includes("Plugin.ZeroMQ_attribute_notifications_enable"))).toHaveLength(1);
  });

  test("a minute of silence: once, until MISP is heard again", async () => {
    const { host, feed } = await listening();
    const silent = (): number => warnings(host).filter((text) => text.startsWith("nothing heard")).length;
    await host.clock.advance(180_000);
    expect(silent()).toBe(1);
    await feed.sendRaw('misp_json_self {"status": "x", "uptime": 10}');
    await expect.poll(() => host.count("misp_received", { from: "feed" })).toBe(1);
    await host.clock.advance(60_000);
    await host.clock.advance(60_000);
    expect(silent()).toBe(2);
  });

  test("a type without mapping: once per type", async () => {
    const { host, feed } = await listening();
    for (const type of ["bic", "bic", "iban"]) await feed.sendRaw(frame(written({ type })));
    await expect.poll(() => host.count("misp_skipped", { reason: "type" })).toBe(3);
    expect(host.entries.filter(({ fields }) => fields["type"] !== undefined).map(({ fields }) => fields["type"])).toStrictEqual(["bic", "iban"]);
  });

  test("without api, a filter by tags does not see those of events and of new attributes", async () => {
    const { host } = await listening();
    expect(warnings(host).filter((text) => text.startsWith("the filter looks at tags"))).toHaveLength(1);
  });

  test("a bus that does not take a message: counted, and the next one is tried", async () => {
    const { host, feed, published } = await listening();
    await feed.sendRaw(frame(written({ type: "domain", value: "refuse.example" })));
    await feed.sendRaw(frame(written({ uuid: uuid.replace("5", "6") })));
    await expect.poll(() => published.length).toBe(1);
    expect([host.count("misp_messages_failed"), host.count("misp_mapped"), host.count("misp_messages", { update: "ADD" })]).toStrictEqual([1, 2, 1]);
  });
});

test("stop ends the receiver, twice is harmless, before start too", async () => {
  const host = fakeHost();
  const app = misp({ zmq: {} }).create(host);
  await app.stop();
  await app.start(silentBus());
  await app.stop();
  await app.stop();
  const other = misp({ zmq: {} }).create(fakeHost());
  await other.start(silentBus());
  await other.stop();
});

/** Keeps what is published, refuses `refuse.example`. */
function silentBus(published: Message[] = []): Bus {
  return {
    async publish(made) {
      message(made.body as StixObject);
      if (JSON.stringify(made.body).includes("refuse.example")) throw new Error("full");
      published.push(made);
    },
    subscribe: () => Promise.reject(new Error("not here")),
  };
}
