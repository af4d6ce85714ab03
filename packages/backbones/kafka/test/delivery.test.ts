import { randomBytes } from "node:crypto";
import { ThreatbusError, type Frame } from "@threatbus/core";
import { brokerForTests } from "@threatbus/services";
import { createOracle } from "@threatbus/testkit";
import kafkajs from "kafkajs";
import { expect, onTestFinished, test } from "vitest";
import { into, newWorld, scale, startHost, stream, version, type Options, type TestHost } from "./hosts.ts";

const { describe, bootstrap } = await brokerForTests("kafka");
const client = new kafkajs.Kafka({ brokers: [bootstrap], logLevel: kafkajs.logLevel.NOTHING, connectionTimeout: 60_000 });
const some = Math.round(500 * scale);
const idsOf = ({ frames }: TestHost): string[] => frames.map(({ id }) => id);

/** What any other program may write to the topic. */
async function foreign(topic: string, messages: readonly { key?: string; value: string | null; headers?: Record<string, string> }[]): Promise<void> {
  const producer = client.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner });
  await producer.connect();
  await producer.send({ topic, messages: [...messages] });
  await producer.disconnect();
}

/** All records of a topic, as they are there. */
async function recordsIn(topic: string, count: number): Promise<{ partition: number; key: string; value: string; headers: Record<string, string> }[]> {
  const consumer = client.consumer({ groupId: newWorld(), maxWaitTimeInMs: 100 });
  onTestFinished(() => consumer.disconnect());
  const records: { partition: number; key: string; value: string; headers: Record<string, string> }[] = [];
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  await consumer.run({
    eachMessage: async ({ partition, message: { key, value, headers } }) => void records.push({
      partition, key: String(key), value: String(value), headers: Object.fromEntries(Object.entries(headers ?? {}).map(([name, text]) => [name, String(text)])),
    }),
  });
  await expect.poll(() => records.length).toBe(count);
  return records;
}

async function committed(group: string, topic: string): Promise<number> {
  const admin = client.admin();
  await admin.connect();
  const offsets = await admin.fetchOffsets({ groupId: group, topics: [topic] });
  await admin.disconnect();
  return offsets.flatMap(({ partitions }) => partitions).reduce((sum, { offset }) => sum + Math.max(0, Number(offset)), 0);
}

describe("what travels", () => {
  test("one object's messages have one key, its STIX id, and stay in order over several partitions", async () => {
    const topic = newWorld();
    const host = await startHost(bootstrap, { topic, group_id: topic, create_topics: { partitions: 6 } });
    const oracle = createOracle(["host"]);
    const other = await startHost(bootstrap, { topic, group_id: `${topic}-2` }, into(oracle, "host"));
    const flow = stream(host, oracle, 50);
    await flow.answered(some);
    const { issued } = await flow.end("host");
    const records = await recordsIn(topic, issued);
    expect(new Set(records.map(({ key }) => key)).size).toBe(50);
    expect(new Set(records.map(({ partition }) => partition)).size).toBeGreaterThan(1);
    const [{ key, value, headers } = { key: "", value: "{}", headers: {} }] = records;
    expect(JSON.parse(value)).toMatchObject({ id: key });
    expect(headers).toMatchObject({ "x-threatbus-topic": "stix2/indicator", "x-threatbus-id": expect.stringMatching(/^[0-9a-f-]{36}$/) as string });
    await expect.poll(() => other.host.gauge("kafka_lag")).toBe(0);
  });

  test("what others write without headers has the topic of its content, and an id by its place", async () => {
    const topic = newWorld();
    const host = await startHost(bootstrap, { topic, group_id: topic });
    await foreign(topic, [{ value: '{"type":"x-own"}' }, { value: null }, { value: "{}", headers: { "x-threatbus-id": "x".repeat(10_000), "x-threatbus-topic": "y".repeat(10_000) } }]);
    await expect.poll(() => host.frames.length).toBe(3);
    expect(host.frames.map((frame) => frame.topic)).toEqual(["", "", ""]);
    expect(host.frames[1]?.payload).toHaveLength(0);
    expect(idsOf(host)).toEqual([0, 1, 2].map((offset) => expect.stringMatching(new RegExp(`^${topic}/0/${offset}@\\d{13}$`)) as string));
  });

  test("a topic per type: types that come up later are found, with all their messages", async () => {
    const topic = newWorld();
    const options: Options = { topic, topic_per_type: true, config: { "metadata.max.age.ms": 1_000 } };
    const [here, there] = [await startHost(bootstrap, { ...options, group_id: `${topic}-1` }), await startHost(bootstrap, { ...options, group_id: `${topic}-2` })];
    const frame = (n: number, of: string): Frame => ({ topic: of, id: `${topic} ${n}`, payload: Buffer.from("{}") });
    const sent = [frame(1, "stix2/indicator"), frame(2, "stix2/x-own"), frame(3, "sigma/rule")];
    for (const each of sent) await here.backbone.publish(each);
    for (const host of [here, there]) await expect.poll(() => host.frames.map((each) => [each.topic, each.id]).sort()).toEqual(sent.map((each) => [each.topic, each.id]).sort());
    expect((await recordsIn(`${topic}.stix2.x-own`, 1))[0]?.headers).toMatchObject({ "x-threatbus-topic": "stix2/x-own" });
  });

  test("a message larger than the topic takes: its publisher is told, the others of the batch get through", async () => {
    const topic = newWorld();
    const admin = client.admin();
    await admin.connect();
    await admin.createTopics({ topics: [{ topic, configEntries: [{ name: "max.message.bytes", value: "20000" }] }] });
    await admin.disconnect();
    const host = await startHost(bootstrap, { topic, group_id: topic });
    const frame = (n: number, bytes: number): Frame => ({ topic: "stix2/indicator", id: `${topic} ${n}`, payload: randomBytes(bytes) });
    const frames = Array.from({ length: 30 }, (_, n) => frame(n, n === 17 ? 50_000 : 2_000));
    const told = await Promise.allSettled(frames.map((each) => host.backbone.publish(each)));
    expect(told.flatMap(({ status }, n) => (status === "rejected" ? [n] : []))).toEqual([17]);
    expect(told[17]).toMatchObject({ reason: { code: "BACKBONE_FAILED", hint: expect.stringContaining("max.message.bytes") as string } });
    await expect.poll(() => new Set(idsOf(host)).size).toBe(29);
  });
});

describe("committed after delivery", () => {
  test("nothing is committed before it was delivered, whatever comes after it", async () => {
    const topic = newWorld();
    let open = (): void => undefined;
    const held = new Promise<void>((resolve) => (open = resolve));
    const host = await startHost(bootstrap, { topic, group_id: topic, config: { "auto.commit.interval.ms": 10 } }, ({ payload }) => (Buffer.from(payload).includes("version 2\"") ? held : Promise.resolve()));
    for (let n = 0; n < 5; n++) await host.backbone.publish(version(1, n));
    await expect.poll(() => host.frames.length).toBe(5);
    await expect.poll(() => committed(topic, topic)).toBe(2);
    open();
    await expect.poll(() => committed(topic, topic)).toBe(5);
  });

  test("a host that is slow holds no more than its prefetch, and loses nothing", async () => {
    const topic = newWorld();
    const oracle = createOracle(["host"]);
    const [most, waiting] = [{ open: 0 }, new Set<() => void>()];
    const host = await startHost(bootstrap, { topic, group_id: topic, prefetch: 50 }, async ({ id, payload }) => {
      most.open = Math.max(most.open, waiting.size + 1);
      await new Promise<void>((resolve) => waiting.add(resolve));
      oracle.ingest("host", id, payload);
    });
    const flow = stream(host, oracle);
    await flow.answered(some);
    await expect.poll(() => waiting.size).toBe(50);
    const timer = setInterval(() => {
      for (const end of waiting) end();
      waiting.clear();
    }, 1);
    onTestFinished(() => clearInterval(timer));
    await flow.end("host");
    expect(most.open).toBe(50);
  });

  test("what is refused is put aside with the reason; what fails again and again, too; what comes when the host stops is left (F40)", async () => {
    const topic = newWorld();
    const options: Options = { topic, group_id: topic, dead_letter_topic: `${topic}-dead` };
    const tries = new Map<string, number>();
    const host = await startHost(bootstrap, options, async ({ payload }) => {
      const text = Buffer.from(payload).toString();
      tries.set(text, (tries.get(text) ?? 0) + 1);
      if (text === "junk") throw new ThreatbusError("MESSAGE_REFUSED", "no JSON", { reason: "json" });
      if (text === "poison") throw new Error("it hurts");
      if (text === "unlucky" && tries.get(text) === 1) throw new Error("not now");
      if (text === "late") throw new ThreatbusError("BUS_NOT_RUNNING");
    });
    for (const text of ["junk", "poison", "unlucky", "good", "late", "after"]) await host.backbone.publish({ topic: "stix2/indicator", id: text, payload: Buffer.from(text) });
    const dead = await recordsIn(`${topic}-dead`, 2);
    expect(dead.sort((a, b) => (a.value < b.value ? -1 : 1))).toMatchObject([
      { value: "junk", headers: { "x-threatbus-id": "junk", "x-threatbus-reason": "json", "x-threatbus-source": `${topic}/0/0` } },
      { value: "poison", headers: { "x-threatbus-reason": "it hurts", "x-threatbus-source": `${topic}/0/1` } },
    ]);
    await expect.poll(() => [...tries.entries()]).toEqual([["junk", 1], ["poison", 3], ["unlucky", 2], ["good", 1], ["late", 1], ["after", 1]]);
    await host.stop();
    expect([host.host.count("kafka_refused"), host.host.count("kafka_dead_letters")]).toEqual([2, 2]);
    const next = await startHost(bootstrap, options);
    await expect.poll(() => idsOf(next)).toEqual(["late", "after"]);
  });
});

describe("where a group begins", () => {
  /** Publishes through a host of its own. */
  async function publish(topic: string, ...texts: string[]): Promise<void> {
    const host = await startHost(bootstrap, { topic, group_id: newWorld() });
    for (const text of texts) await host.backbone.publish({ topic: "stix2/indicator", id: text, payload: Buffer.from(text) });
    await host.stop();
  }
  const begin = (topic: string, group: string, from?: string): Promise<TestHost> => startHost(bootstrap, { topic, group_id: `${topic}-${group}`, ...(from !== undefined && { from }) });

  test("latest: with what comes from now on, also what comes while the host is away", async () => {
    const topic = newWorld();
    await publish(topic, "before");
    const first = await begin(topic, "host");
    await first.stop();
    await publish(topic, "while away 1", "while away 2");
    const second = await begin(topic, "host");
    await publish(topic, "after");
    await expect.poll(() => idsOf(second)).toEqual(["while away 1", "while away 2", "after"]);
    expect(first.frames).toEqual([]);
  });

  test("earliest: with all the broker still keeps; a time: with what came since", async () => {
    const topic = newWorld();
    await publish(topic, "old 1", "old 2");
    const since = new Date().toISOString();
    await expect.poll(() => Date.now()).toBeGreaterThan(Date.parse(since) + 5);
    await publish(topic, "new 1", "new 2");
    const [all, recent, none] = [await begin(topic, "all", "earliest"), await begin(topic, "recent", since), await begin(topic, "none", "9999-01-01T00:00:00Z")];
    await publish(topic, "last");
    await expect.poll(() => [idsOf(all), idsOf(recent), idsOf(none)]).toEqual([["old 1", "old 2", "new 1", "new 2", "last"], ["new 1", "new 2", "last"], ["last"]]);
    // A group that has read goes on where it was, whatever it is told.
    await recent.stop();
    const again = await begin(topic, "recent", "earliest");
    await publish(topic, "more");
    await expect.poll(() => idsOf(again)).toEqual(["more"]);
  });

  test("old requests of the bus itself are not answered again", async () => {
    const topic = newWorld();
    await publish(topic, "first");
    const producer = client.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner });
    await producer.connect();
    const headers = { "x-threatbus-topic": "threatbus/snapshotrequest" };
    const old = String(Date.now() - 3_600_000);
    await producer.send({ topic, messages: [{ value: "{}", headers: { ...headers, "x-threatbus-id": "old" }, timestamp: old }, { value: "{}", headers: { ...headers, "x-threatbus-id": "fresh" } }] });
    await producer.disconnect();
    const host = await begin(topic, "host", "earliest");
    await expect.poll(() => idsOf(host)).toEqual(["first", "fresh"]);
    expect(host.host.count("kafka_stale")).toBe(1);
  });
});
