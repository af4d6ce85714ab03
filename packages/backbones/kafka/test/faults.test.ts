import { needs } from "@threatbus/services";
import { createOracle, type Toxic } from "@threatbus/testkit";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { into, makeHost, newWorld, say, scale, startHost, stream, version, type Options, type Stream, type TestHost } from "./hosts.ts";
import { proxied, type Proxied } from "./proxied.ts";

const { describe } = await needs("kafka");
/** Messages before and after a fault. */
const some = Math.round(500 * Math.min(scale, 10));
const kills = scale >= 50 ? 20 : Math.max(1, Math.round(scale / 2.5));
/** Noticed sooner than a user wants to; everything else as it comes. */
const quick: Options = { config: { "socket.timeout.ms": 2_000, "socket.connection.setup.timeout.ms": 1_000 } };

describe("faults of the broker and of the way to it", () => {
  let way: Proxied;
  beforeAll(async () => void (way = await proxied()));
  afterEach(async () => {
    way.proxy.clear();
    await way.proxy.up();
    if (!way.runs()) await way.broker.start();
  });
  afterAll(() => way.stop());

  interface Pair {
    /** Behind the proxy, and publishing. */
    readonly near: TestHost;
    readonly flow: Stream;
    end(): Promise<void>;
  }

  /** Two hosts, each a group of its own; one of them behind the proxy. */
  async function pair(what: string, options: Options = {}): Promise<Pair> {
    const oracle = createOracle(["near", "far"]);
    const topic = newWorld();
    const config = { ...options.config };
    const near = await startHost(way.bootstrap, { topic, create_topics: { partitions: 3 }, ...options, group_id: `${topic}-near`, config }, into(oracle, "near"));
    await startHost(way.broker.bootstrap, { topic, group_id: `${topic}-far`, config }, into(oracle, "far"));
    const flow = stream(near, oracle);
    await flow.answered(some);
    return {
      near,
      flow,
      async end() {
        const { issued, total } = await flow.end("near", "far");
        say(`${what}: ${issued} messages, lost 0, reordered 0, duplicates ${total.duplicates}, reconnects ${near.host.count("kafka_reconnects")}`);
        expect(near.host.gauge("outbox_waiting")).toBe(0);
      },
    };
  }

  test("killed and started again under load: nothing lost, nothing out of order (F02, B3)", async () => {
    const { near, flow, end } = await pair("killed");
    for (let kill = 0; kill < kills; kill++) {
      await way.broker.kill();
      await way.broker.start();
      await flow.answered(some);
    }
    await end();
    expect(near.host.count("kafka_reconnects")).toBeGreaterThan(0);
  });

  test("away: the outbox holds as much as it may, in order, and tells who is dropped (F03)", async () => {
    const topic = newWorld();
    const host = await startHost(way.broker.bootstrap, { topic, group_id: topic, outbox: { max_items: 100, overflow: "drop_oldest" }, config: { "batch.num.messages": 10 } });
    await way.broker.terminate();
    const outcomes = Promise.allSettled(Array.from({ length: 250 }, (_, n) => host.backbone.publish(version(1, n))));
    await expect.poll(() => host.host.gauge("kafka_connected")).toBe(0);
    await expect.poll(() => (host.host.gauge("outbox_waiting") ?? 0) + (host.host.gauge("outbox_under_way") ?? 0)).toBe(100);
    await way.broker.start();
    const told = (await outcomes).map(({ status }) => status);
    const kept = told.filter((status) => status === "fulfilled").length;
    expect(kept + host.host.count("outbox_dropped")).toBe(250);
    expect(told.slice(-100)).toEqual(Array<string>(100).fill("fulfilled"));
    await expect.poll(() => host.frames.length).toBe(kept);
    expect(host.host.entries.filter(({ level }) => level === "warn").length).toBeLessThan(10);
  });

  test("stopped by SIGSTOP for longer than a request may take (F08)", async () => {
    const { flow, near, end } = await pair("frozen", quick);
    way.broker.pause();
    await expect.poll(() => near.host.gauge("kafka_connected")).toBe(0);
    way.broker.resume();
    await flow.answered(some);
    await end();
  });

  test.each<[string, Toxic]>([
    ["reset", { type: "resetPeer" }],
    ["cut in the middle of frames", { type: "limitData", bytes: 20_000 }],
    ["cut in the first bytes of an answer", { type: "limitData", bytes: 6 }],
  ])("connections %s, again and again (F10)", async (what, toxic) => {
    const { flow, end } = await pair(what);
    for (let n = 0; n < 3; n++) {
      const before = way.proxy.accepted;
      const heal = way.proxy.add(toxic, toxic.type === "limitData" && n > 0 ? "down" : "both");
      await expect.poll(() => way.proxy.accepted).toBeGreaterThan(before + 1);
      heal();
      await flow.answered(some);
    }
    await end();
  });

  test("refused for a while", async () => {
    const { flow, near, end } = await pair("refused");
    await way.proxy.down();
    await expect.poll(() => near.host.gauge("kafka_connected")).toBe(0);
    await way.proxy.up();
    await flow.answered(some);
    await end();
  });

  test.each<[string, Toxic]>([["in slices", { type: "slicer", averageSize: 700 }], ["late", { type: "latency", latency: 100, jitter: 50 }]])("everything comes %s: no connection is given up (F09)", async (what, toxic) => {
    const { flow, near, end } = await pair(what);
    const before = way.proxy.accepted;
    const heal = way.proxy.add(toxic);
    // A hundred at a time, and each hundred takes as long as the way there and back.
    await flow.answered(500);
    heal();
    await end();
    expect(near.host.count("kafka_reconnects")).toBe(0);
    expect(way.proxy.accepted).toBe(before);
  });

  test("silent at the start: it keeps trying, and the attempt ends with a reason (F08)", async () => {
    way.proxy.add({ type: "timeout", timeout: 0 });
    const attempt = new AbortController();
    const host = makeHost(way.bootstrap, { topic: newWorld(), config: { "socket.timeout.ms": 1_000, "socket.connection.setup.timeout.ms": 1_000 } });
    const starting = host.start(attempt.signal).catch((thrown: unknown) => thrown);
    await expect.poll(() => host.host.entries.map(({ text }) => text)).toContain("Kafka cannot be reached; trying again");
    attempt.abort();
    expect(await starting).toMatchObject({ code: "CONNECTION_FAILED" });
  });
});
