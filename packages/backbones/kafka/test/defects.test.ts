/** What kafkajs 2.2.4 does wrong, one test each: every one fails without its cure in `src/client`. */
import { setTimeout as pause } from "node:timers/promises";
import { runInThisContext } from "node:vm";
import { createBus, silentLogger, systemClock } from "@threatbus/core";
import { needs } from "@threatbus/services";
import { createOracle, freePort } from "@threatbus/testkit";
import kafkajs from "kafkajs";
import { afterAll, afterEach, beforeAll, describe as always, expect, onTestFinished, test } from "vitest";
import { Consumer } from "../src/client/consumer.ts";
import type { Driver, DriverConsumerEvents } from "../src/client/contract.ts";
import { faultOf } from "../src/client/faults.ts";
import { kafkajsDriver } from "../src/client/kafkajs.ts";
import { readProperties } from "../src/client/properties.ts";
import { quietNegativeTimeouts } from "../src/client/quiet.ts";
import { kafka } from "../src/index.ts";
import { cable } from "./cable.ts";
import { hostProgram } from "./host-program.ts";
import { into, newWorld, patience, startHost, stream, version, type Options } from "./hosts.ts";
import { proxied, type Proxied } from "./proxied.ts";

const { describe } = await needs("kafka");
const quick: Options = { config: { "socket.timeout.ms": 1_000, "socket.connection.setup.timeout.ms": 1_000 } };

describe("kafkajs on a bad network", () => {
  let way: Proxied;
  beforeAll(async () => void (way = await proxied({ properties: ["group.min.session.timeout.ms=500"] })), 120_000);
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
      await expect.poll(() => way.proxy.accepted, { timeout: patience }).toBeGreaterThan(before);
      heal();
      const read = oracle.report().total.deliveredTotal;
      await expect.poll(() => oracle.report().total.deliveredTotal, { timeout: patience }).toBeGreaterThan(read + 100);
    }
    await flow.end("reader");
  }, 90_000);

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
  }, 90_000);

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
    await expect.poll(() => other.frames.length, { timeout: patience }).toBeGreaterThan(0);
    sleeper.pause();
    const keysOf = (from: number): number => new Set(other.frames.slice(from).map(({ payload }) => (JSON.parse(Buffer.from(payload).toString()) as { id: string }).id)).size;
    const asleep = other.frames.length;
    await expect.poll(() => keysOf(asleep), { timeout: 15_000 }).toBe(20);
    sleeper.resume();
    const got = sleeper.got.length;
    await sleeper.until(got + 50);
    await flow.stop();
    await expect.poll(() => {
      const reached = new Set([...sleeper.got, ...other.frames.map(({ id }) => id)]);
      return flow.acked.filter((id) => !reached.has(id)).length;
    }, { timeout: patience, interval: 200 }).toBe(0);
  }, 90_000);

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
      await expect.poll(() => way.proxy.accepted, { timeout: patience }).toBeGreaterThan(before + 1);
      heal();
    }
    await flow.end("log");
  }, 90_000);

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
    await expect.poll(() => bus.stats().plugins["kafka"]?.find(({ name }) => name === "outbox_under_way")?.value, { timeout: patience }).toBe(1);
    // The bus gives a backbone 3 s.
    await bus.stop();
    expect(await publishing).toMatchObject({ code: "BUS_NOT_RUNNING" });
    await expect.poll(sockets, { timeout: patience }).toBeLessThanOrEqual(before);
  }, 60_000);

  test("6: a broker that is silent for seconds while a group forms is waited for", async () => {
    const topic = newWorld();
    const first = await startHost(way.broker.bootstrap, { topic, group_id: `${topic}-writer`, create_topics: { partitions: 2 } });
    await first.backbone.publish(version(1, 1));
    const client = new kafkajs.Kafka({ brokers: [way.broker.bootstrap], logLevel: kafkajs.logLevel.NOTHING });
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
    await expect.poll(() => holds, { timeout: patience }).toBe(true);
    const late = await startHost(way.broker.bootstrap, { topic, group_id: topic, config: { "max.poll.interval.ms": 4_000 } });
    expect(late.host.entries.filter(({ level }) => level === "warn")).toEqual([]);
    expect(late.host.count("kafka_reconnects")).toBe(0);
  }, 60_000);
});

always("kafkajs and what is around it", () => {
  test("3: a consumer that crashes is replaced, also when it does so while it starts to run", async () => {
    const lives: DriverConsumerEvents[] = [];
    const driver = {
      consumer: () => ({
        async run(_topics: readonly string[], events: DriverConsumerEvents) {
          lives.push(events);
          // The second crashes while it starts, and `run` resolves.
          if (lives.length === 2) events.crashed(new Error("UNKNOWN_MEMBER_ID"));
          else events.joined([{ topic: "t", partition: 0 }]);
        },
        seek: () => undefined,
        commit: async () => undefined,
        close: async () => undefined,
      }),
    } as unknown as Driver;
    const faults: string[] = [];
    const { properties: { group } } = readProperties({});
    const consumer = new Consumer({
      driver, clock: systemClock, group: { ...group, groupId: "g" }, topics: ["t"], starts: [], prefetch: 10, commitInterval: 100,
      idOf: () => "", handle: async () => undefined, onJoined: () => undefined, onEnded: ({ message }) => void faults.push(message),
    });
    onTestFinished(() => consumer.close());
    await consumer.start();
    lives[0]?.crashed(new Error("not retriable"));
    await expect.poll(() => lives.length, { timeout: patience }).toBe(3);
    expect(faults).toEqual(["not retriable", "UNKNOWN_MEMBER_ID"]);
  });

  test("8: it tries as often as it is told, also where NODE_ENV is test", async () => {
    expect(process.env["NODE_ENV"]).toBe("test");
    const { properties } = readProperties({ "bootstrap.servers": `127.0.0.1:${await freePort()}` });
    const driver = kafkajsDriver(properties.connection, () => undefined);
    const fault = faultOf(await driver.admin().catch((thrown: unknown) => thrown));
    expect(fault).toMatchObject({ kind: "away", cause: { retryCount: 0 } });
  });

  test("8: its warning about negative time-outs is not printed, every other is", async () => {
    const warnings: string[] = [];
    const hear = ({ name, message }: Error): void => void warnings.push(`${name} ${message}`);
    process.on("warning", hear);
    onTestFinished(() => void process.off("warning", hear));
    const original = Reflect.get(process, "emitWarning");
    const inKafkajs = runInThisContext("(warn) => warn()", { filename: "node_modules/kafkajs/src/network/requestQueue/index.js" }) as (warn: () => void) => void;
    const [loud, louder] = [quietNegativeTimeouts(), quietNegativeTimeouts()];
    inKafkajs(() => process.emitWarning("theirs", "TimeoutNegativeWarning"));
    inKafkajs(() => process.emitWarning("theirs", "DeprecationWarning2"));
    process.emitWarning("ours", "TimeoutNegativeWarning");
    loud();
    loud();
    inKafkajs(() => process.emitWarning("still theirs", { type: "TimeoutNegativeWarning" }));
    louder();
    expect(Reflect.get(process, "emitWarning")).toBe(original);
    await pause(0);
    expect(warnings).toEqual(["DeprecationWarning2 theirs", "TimeoutNegativeWarning ours"]);
  });
});
