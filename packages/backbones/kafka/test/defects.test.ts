/** What kafkajs 2.2.4 does wrong and takes a broker to be seen, one test each: every one fails without its cure in `@threatbus/kafka-client`. */
import { createBus, silentLogger } from "@threatbus/core";
import { needs } from "@threatbus/services";
import { createOracle } from "@threatbus/testkit";
import kafkajs from "kafkajs";
import { afterAll, afterEach, beforeAll, expect, onTestFinished, test } from "vitest";
import { kafka } from "../src/index.ts";
import { cable } from "./cable.ts";
import { hostProgram } from "./host-program.ts";
import { into, newWorld, startHost, stream, version, type Options } from "./hosts.ts";
import { proxied, type Proxied } from "./proxied.ts";

const { describe } = await needs("kafka");
const quick: Options = { config: { "socket.timeout.ms": 1_000, "socket.connection.setup.timeout.ms": 1_000 } };

describe("kafkajs on a bad network", () => {
  let way: Proxied;
  beforeAll(async () => void (way = await proxied({ properties: ["group.min.session.timeout.ms=500"] })));
  afterEach(async () => {
    way.proxy.clear();
    if (!way.runs()) await way.broker.start();
  });
  afterAll(() => way.stop());

  test("1: an answer that is cut off is forgotten with its connection", async () => {
    const topic = newWorld();
    const oracle = createOracle(["reader"]);
    const writer = await startHost(way.broker.bootstrap, { topic, group_id: `${topic}-writer` });
    await startHost(way.bootstrap, { topic, group_id: `${topic}-reader` }, into(oracle, "reader"));
    const flow = stream(writer, oracle, 20, 5);
    for (const bytes of [2, 4, 700, 3, 701]) {
      const before = way.proxy.accepted;
      const heal = way.proxy.add({ type: "limitData", bytes }, "down");
      await expect.poll(() => way.proxy.accepted).toBeGreaterThan(before);
      heal();
      const read = oracle.report().total.deliveredTotal;
      await expect.poll(() => oracle.report().total.deliveredTotal).toBeGreaterThan(read + 100);
    }
    await flow.end("reader");
  });

  test("2: a connection on which nothing is answered is given up", async () => {
    const topic = newWorld();
    const { proxied: { port }, bootstrap } = way.broker;
    // All connections lead here: what the broker advertises leads through the proxy, whose target it is.
    const wire = await cable({ host: "127.0.0.1", port });
    const through = await proxiedBy(wire.port);
    const oracle = createOracle(["near", "far"]);
    const near = await startHost(through, { topic, group_id: `${topic}-near`, ...quick }, into(oracle, "near"));
    await startHost(bootstrap, { topic, group_id: `${topic}-far` }, into(oracle, "far"));
    const flow = stream(near, oracle, 20, 20);
    await flow.answered(50);
    wire.pull();
    // What is under way may have been answered before; twenty more have not.
    await flow.answered(500);
    await flow.end("near", "far");
  });

  /** The proxy's port, its connections from now on going elsewhere. */
  async function proxiedBy(port: number): Promise<string> {
    const before = way.target.port;
    way.target.port = port;
    onTestFinished(() => void (way.target.port = before));
    return way.bootstrap;
  }

  test("3 and 7: a member that stood still for longer than its session comes back, and the others do not wait long for it", async () => {
    const topic = newWorld();
    const options: Options = { topic, group_id: `${topic}-group`, create_topics: { partitions: 2 }, config: { "bootstrap.servers": way.broker.bootstrap, "session.timeout.ms": 1_500, "heartbeat.interval.ms": 400, "max.poll.interval.ms": 3_000 } };
    const writer = await startHost(way.broker.bootstrap, { ...options, group_id: `${topic}-writer` });
    const sleeper = await hostProgram(options, { publishes: false });
    const flow = stream(writer, createOracle(), 20, 2);
    await sleeper.until(50);
    const other = await startHost(way.broker.bootstrap, options);
    await expect.poll(() => other.frames.length).toBeGreaterThan(0);
    sleeper.pause();
    const keysOf = (from: number): number => new Set(other.frames.slice(from).map(({ payload }) => (JSON.parse(Buffer.from(payload).toString()) as { id: string }).id)).size;
    const asleep = other.frames.length;
    // Without that it would be a minute: longer than this.
    await expect.poll(() => keysOf(asleep), { timeout: 30_000 }).toBe(20);
    sleeper.resume();
    const got = sleeper.got.length;
    await sleeper.until(got + 50);
    await flow.stop();
    await expect.poll(() => {
      const reached = new Set([...sleeper.got, ...other.frames.map(({ id }) => id)]);
      return flow.acked.filter((id) => !reached.has(id)).length;
    }, { interval: 200 }).toBe(0);
  });

  test("4: what is acknowledged is stored, however many answers are lost", async () => {
    const topic = newWorld();
    const oracle = createOracle(["log"]);
    await startHost(way.broker.bootstrap, { topic, group_id: topic, create_topics: { partitions: 3 } }, into(oracle, "log"));
    const writer = await startHost(way.bootstrap, { topic, group_id: `${topic}-writer`, config: { "batch.num.messages": 20 } });
    const flow = stream(writer, oracle, 20, 500);
    for (let cut = 0; cut < 10; cut++) {
      await flow.answered(200);
      const before = way.proxy.accepted;
      const heal = way.proxy.add({ type: "limitData", bytes: 1 + cut }, "down");
      await expect.poll(() => way.proxy.accepted).toBeGreaterThan(before + 1);
      heal();
    }
    await flow.end("log");
  });

  test.each(["killed", "frozen"] as const)("5: with the broker %s, a stop ends all the same, tells who waits, and leaves nothing behind", async (how) => {
    const topic = newWorld();
    const sockets = (): number => process.getActiveResourcesInfo().filter((kind) => /^TCP(?!Server)/.test(kind)).length;
    const before = sockets();
    const backbone = kafka({ topic, group_id: topic, config: { "bootstrap.servers": way.broker.bootstrap } });
    const bus = createBus({ backbones: [backbone], logger: silentLogger, drainTimeout: 100 });
    await bus.start();
    if (how === "killed") await way.broker.kill();
    else way.broker.pause();
    onTestFinished(() => (how === "frozen" ? way.broker.resume() : undefined));
    const publishing = bus.publish(version(1, 1)).catch((thrown: unknown) => thrown);
    await expect.poll(() => bus.stats().plugins["kafka"]?.find(({ name }) => name === "outbox_under_way")?.value).toBe(1);
    // The bus gives a backbone 3 s.
    await bus.stop();
    expect(await publishing).toMatchObject({ code: "BUS_NOT_RUNNING" });
    await expect.poll(sockets).toBeLessThanOrEqual(before);
  });

  test("6: a broker that is silent for seconds while a group forms is waited for", async () => {
    const topic = newWorld();
    const first = await startHost(way.broker.bootstrap, { topic, group_id: `${topic}-writer`, create_topics: { partitions: 2 } });
    await first.backbone.publish(version(1, 1));
    const client = new kafkajs.Kafka({ brokers: [way.broker.bootstrap], logLevel: kafkajs.logLevel.NOTHING, connectionTimeout: 60_000 });
    const stubborn = client.consumer({ groupId: topic, sessionTimeout: 10_000, rebalanceTimeout: 4_000, maxWaitTimeInMs: 100, retry: { retries: 0, restartOnFailure: async () => false } });
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    onTestFinished(async () => {
      release();
      await stubborn.disconnect();
    });
    let holds = false;
    await stubborn.connect();
    await stubborn.subscribe({ topic, fromBeginning: true });
    await stubborn.run({ eachMessage: () => ((holds = true), held) });
    await expect.poll(() => holds).toBe(true);
    const late = await startHost(way.broker.bootstrap, { topic, group_id: topic, config: { "max.poll.interval.ms": 4_000 } });
    expect(late.host.entries.filter(({ level }) => level === "warn")).toEqual([]);
    expect(late.host.count("kafka_reconnects")).toBe(0);
  });
});
