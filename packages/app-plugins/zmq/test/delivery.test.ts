import { defineApp, type SnapshotRequest } from "@threatbus/core";
import { expectBalanced } from "@threatbus/testkit";
import { describe, expect, it, onTestFinished } from "vitest";
import { Publisher } from "zeromq";
import { appProcess, frameOf, indicator, OldApp, stand, subscriptionsOf, take } from "./stand.ts";

describe("messages to apps", () => {
  it("come as channel, type, a space and the payload untouched", async () => {
    const { bus, ports } = await stand();
    const app = new OldApp(ports);
    const channel = await app.subscribe(["stix2/indicator", "stix2/sighting", "yara/rule"]);
    const socket = app.listen(channel);
    await app.publish(frameOf(1));
    expect(await take(socket, 1)).toEqual([`${channel}indicator ${String(indicator(1).payload)}`]);
    const rule = "rule a { condition: true } // é  \n";
    await app.publish(`yara/rule ${rule}`);
    expect(await take(socket, 1)).toEqual([`${channel}rule ${rule}`]);
    expectBalanced(bus.stats());
  });

  it("reach a plain PUB and SUB pair", async () => {
    const { ports, host } = await stand();
    const app = new OldApp(ports);
    const socket = app.listen(await app.subscribe("stix2/indicator"));
    const pub = new Publisher({ linger: 0 });
    onTestFinished(() => pub.close());
    pub.connect(`tcp://127.0.0.1:${ports.sub}`);
    await expect.poll(async () => {
      await pub.send(frameOf(2));
      return host.count("zmq_accepted");
    }).toBeGreaterThan(0);
    expect((await take(socket, 1))[0]).toContain(String(indicator(2).payload));
  });

  it("all arrive, in order, when published right after the reply", async () => {
    const { bus, ports } = await stand();
    const app = new OldApp(ports);
    const channel = await app.subscribe("stix2/indicator");
    const sent = Array.from({ length: 1_000 }, (_, n) => indicator(n));
    for (const message of sent) await bus.publish(message);
    const socket = app.listen(channel);
    expect(await take(socket, 1_000)).toEqual(sent.map(({ payload }) => `${channel}indicator ${String(payload)}`));
    await expect.poll(() => subscriptionsOf(bus)[0]?.delivered).toBe(1_000);
    expectBalanced(bus.stats());
  });

  it("are numbered for who asks, and a number is missing where a message is", async () => {
    const { bus, ports } = await stand({ queue: { max_items: 10 } });
    const app = new OldApp(ports);
    const channel = await app.subscribe("stix2/indicator", { features: ["seq"] });
    for (let n = 0; n < 30; n++) await bus.publish(indicator(n));
    await expect.poll(() => subscriptionsOf(bus)[0]?.dropped.overflow).toBeGreaterThan(0);
    const dropped = subscriptionsOf(bus)[0]?.dropped.overflow ?? 0;
    const socket = app.listen(channel);
    const numbers: number[] = [];
    while (numbers.length < 30 - dropped) {
      const [frame, number] = await socket.receive();
      expect(String(frame)).toMatch(new RegExp(`^${channel}indicator \\{`));
      expect(number).toHaveLength(8);
      numbers.push(Number(number?.readBigUInt64BE()));
    }
    // The gap is where the handler had one message in hand and the queue dropped what followed.
    expect(numbers.at(-1)).toBe(30);
    expect(new Set(numbers).size).toBe(numbers.length);
    expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
    await bus.publish(indicator(31));
    expect(Number((await socket.receive())[1]?.readBigUInt64BE())).toBe(31);
  });

  it("are dropped for a slow app alone, and each is counted", async () => {
    const { bus, ports } = await stand({ queue: { max_items: 500 }, max_message_size: 16 * 1024 * 1024 });
    const [fast, slow] = [new OldApp(ports), new OldApp(ports)];
    const [fastChannel, slowChannel] = [await fast.subscribe("stix2/"), await slow.subscribe("stix2/")];
    const socket = fast.listen(fastChannel);
    const process = appProcess(ports.pub, slowChannel);
    await bus.publish(indicator(0));
    await process.received;
    process.child.kill("SIGSTOP");
    let arrived = 0;
    for (let n = 0; n < 40_000; n += 100) {
      for (let m = 0; m < 100; m++) await bus.publish(indicator(n + m));
      arrived += (await take(socket, 100)).length;
    }
    const [fastStats, slowStats] = subscriptionsOf(bus);
    expect(arrived).toBe(40_000);
    expect(fastStats?.dropped).toEqual({ overflow: 0, budget: 0, closed: 0, shutdown: 0 });
    expect(slowStats?.dropped.overflow).toBeGreaterThan(0);
    expect(slowStats?.waiting).toBeLessThanOrEqual(501);
    expectBalanced(bus.stats());
    process.child.kill("SIGKILL");
  });
});

describe("messages from apps", () => {
  it("that cannot be understood are counted by reason and hurt no other", async () => {
    const { bus, ports, host } = await stand();
    const app = new OldApp(ports);
    const socket = app.listen(await app.subscribe("stix2/"));
    for (const frame of ["stix2/indicator", "stix2/indicator {", "stix2/indicator []", 'stix2/indicator {"type":"indicator"}', `stix2/${"a".repeat(300)} {}`, "yara/rule nothing"]) await app.publish(frame);
    await app.publish('threatbus/snapshotenvelope {"type":"snapshotrequest","snapshot_type":1,"snapshot_id":"a","snapshot":1}');
    await app.publish(Buffer.from([...Buffer.from("stix2/indicator "), 0xff]));
    await app.publish(frameOf(7));
    expect((await take(socket, 1))[0]).toContain(String(indicator(7).payload));
    for (const [reason, count] of Object.entries({ frame: 2, json: 1, utf8: 1, rule: 1, topic: 1 })) expect([reason, host.count("zmq_refused", { reason })]).toEqual([reason, count]);
    expect(host.entries.filter(({ text }) => text.includes("refused"))).toHaveLength(1);
    expect(host.count("zmq_accepted")).toBe(1);
    expectBalanced(bus.stats());
  });

  it("have the type of their content", async () => {
    const { ports } = await stand();
    const app = new OldApp(ports);
    const channel = await app.subscribe("stix2/indicator");
    const socket = app.listen(channel);
    await app.publish(frameOf(1, "stix2/sighting"));
    expect((await take(socket, 1))[0]).toMatch(new RegExp(`^${channel}indicator `));
  });
});

describe("snapshots", () => {
  it("are asked of in-process and connected apps, not of the asker, and their answers come as messages", async () => {
    const history = defineApp({
      name: "history",
      create: () => ({
        start: () => Promise.resolve(),
        async *snapshot() {
          yield indicator(1).body as never;
        },
        stop: () => Promise.resolve(),
      }),
    });
    const { bus, ports } = await stand({}, [history()]);
    const [archive, asker] = [new OldApp(ports), new OldApp(ports)];
    const archiveChannel = await archive.subscribe("stix2/sighting");
    const requests = archive.listen(archiveChannel);
    const channel = await asker.subscribe("stix2/indicator", { snapshot: "2" });
    const socket = asker.listen(channel);
    const [request = ""] = await take(requests, 1);
    expect(request.startsWith(`${archiveChannel}snapshotrequest {`)).toBe(true);
    const body = JSON.parse(request.slice(request.indexOf(" "))) as SnapshotRequest;
    expect(body).toMatchObject({ type: "snapshotrequest", snapshot_type: 1, snapshot: 172_800 });
    const envelope = { type: "snapshotenvelope", snapshot_type: 1, snapshot_id: body.snapshot_id, body: indicator(2).body };
    await archive.publish(`threatbus/snapshotenvelope ${JSON.stringify(envelope)}`);
    const got = (await take(socket, 2)).map((frame) => frame.replace(/^[a-z]{32}(\w+) .*"id":"([^"]+)".*$/s, "$1 $2"));
    expect(got.sort()).toEqual([indicator(1), indicator(2)].map((each) => `indicator ${(each.body as { id: string }).id}`));
    expectBalanced(bus.stats());
  });
});
