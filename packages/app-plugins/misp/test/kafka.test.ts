/** MISP's Kafka topics, on a real broker. */
import { randomUUID } from "node:crypto";
import { createBus, silentLogger, systemClock } from "@threatbus/core";
import type { ThreatBus } from "@threatbus/core";
import { inmem } from "@threatbus/inmem";
import { brokerForTests } from "@threatbus/services";
import { fakeHost, fakeMisp } from "@threatbus/testkit";
import { Kafka, logLevel } from "kafkajs";
import type { Sighting } from "stix2-ts-types";
import { expect, test } from "vitest";
import { misp } from "../src/index.ts";
import type { UpdatedIndicator } from "../src/relay/relay.ts";
import { uuid, written } from "./sample.ts";
import { atEnd, refusing } from "./stand.ts";

const { describe, bootstrap } = await brokerForTests("kafka");

describe("Kafka", () => {
  test("every shape MISP writes is read, empty values do no harm, and what was read is not read again", async () => {
    const [attributes, whole, group] = [`a-${randomUUID()}`, `p-${randomUUID()}`, `g-${randomUUID()}`];
    const kafka = new Kafka({ brokers: bootstrap.split(","), logLevel: logLevel.NOTHING, connectionTimeout: 60_000 });
    const admin = kafka.admin(), producer = kafka.producer();
    await admin.connect();
    await producer.connect();
    atEnd(() => Promise.all([admin.disconnect(), producer.disconnect()]));
    await admin.createTopics({ waitForLeaders: true, topics: [attributes, whole].map((topic) => ({ topic, numPartitions: 1 })) });
    // As plain PHP writes it: slashes and all but ASCII escaped.
    const value = (body: unknown): string => JSON.stringify(body).replaceAll("/", "\\/");
    const { Attribute: row, Event: event } = written({ uuid: uuid.replace("5", "7"), type: "url", value: "http://evil.example/x" }) as { Attribute: object; Event: object };
    await producer.send({ topic: attributes, messages: [{ value: value(written()) }, { value: "" }, { value: null }, { value: "{" }, { value: value(written({}, { action: "delete", Event: undefined })) }] });
    await producer.send({ topic: whole, messages: [{ value: value({ Event: event, Attribute: [row], EventTag: [], action: "publish" }) }] });

    const run = async (): Promise<{ bus: ThreatBus; got: string[]; received(): number }> => {
      const config = { "bootstrap.servers": bootstrap, "group.id": group, "auto.offset.reset": "earliest", "session.timeout.ms": 6_000, "auto.commit.interval.ms": 100 };
      const bus = createBus({ backbones: [inmem()], apps: [misp({ kafka: { topics: [attributes, whole], poll_interval: 1, config } })], logger: silentLogger });
      atEnd(() => bus.stop());
      const got: string[] = [];
      await bus.subscribe("stix2/indicator", ({ body }) => {
        const { pattern, x_threatbus_update: update = "ADD" } = body as { pattern: string; x_threatbus_update?: string };
        got.push(`${update} ${pattern}`);
      });
      await bus.start();
      return { bus, got, received: () => (bus.stats().plugins["misp"] ?? []).filter(({ name, labels }) => name === "misp_received" && labels["from"] === "feed").reduce((sum, { value: each }) => sum + each, 0) };
    };
    const first = await run();
    await expect.poll(() => [...first.got].sort()).toStrictEqual(["ADD [ipv4-addr:value = '198.51.100.7']", "ADD [url:value = 'http://evil.example/x']", "REMOVE [ipv4-addr:value = '198.51.100.7']"]);
    await expect.poll(first.received).toBe(6);
    await first.bus.stop();

    const second = await run();
    await producer.send({ topic: attributes, messages: [{ value: value(written({ uuid: uuid.replace("5", "8"), value: "198.51.100.8" })) }] });
    await expect.poll(() => second.got).toStrictEqual(["ADD [ipv4-addr:value = '198.51.100.8']"]);
    expect(second.received()).toBe(1);
  });

  test("events, tags and sightings have topics of their own, of whatever name", async () => {
    const names = ["attribute", "publish", "event", "tag", "sighting"].map((kind) => `${kind}-${randomUUID()}`) as [string, string, string, string, string];
    const kafka = new Kafka({ brokers: bootstrap.split(","), logLevel: logLevel.NOTHING, connectionTimeout: 60_000 });
    const admin = kafka.admin(), producer = kafka.producer();
    await admin.connect();
    await producer.connect();
    atEnd(() => Promise.all([admin.disconnect(), producer.disconnect()]));
    await admin.createTopics({ waitForLeaders: true, topics: names.map((topic) => ({ topic, numPartitions: 1 })) });
    const topics = { misp_json_attribute: names[0], misp_json: names[1], misp_json_event: names[2], misp_json_tag: names[3], misp_json_sighting: names[4] };
    const send = async (topic: string, body: unknown): Promise<void> => void (await producer.send({ topic: topics[topic as keyof typeof topics], messages: [{ value: JSON.stringify(body) }] }));
    const api = await fakeMisp({ feed: { send } });
    atEnd(() => api.stop());
    const config = { "bootstrap.servers": bootstrap, "group.id": `g-${randomUUID()}`, "auto.commit.interval.ms": 100 };
    const bus = createBus({ backbones: [inmem()], apps: [misp({ kafka: { topics: names, config }, api: { host: api.url, key: api.key } })], logger: silentLogger });
    atEnd(() => bus.stop());
    const got: string[] = [];
    await bus.subscribe(["stix2/indicator", "stix2/sighting"], ({ body }) => void got.push((body as Sighting).type === "sighting" ? (body as Sighting).sighting_of_ref : `${(body as UpdatedIndicator).x_threatbus_update ?? "ADD"} ${(body as UpdatedIndicator).pattern}`));
    await bus.start();
    const event = api.addEvent();
    const { uuid: attribute } = await api.add(event);
    const pattern = "[ipv4-addr:value = '198.51.100.7']";
    await expect.poll(() => got).toStrictEqual([`ADD ${pattern}`]);
    await api.tagEvent(event, "tlp:red");
    await expect.poll(() => got.slice(1)).toStrictEqual([`EDIT ${pattern}`]);
    await api.sight(attribute);
    await expect.poll(() => got.slice(2)).toStrictEqual([`indicator--${attribute}`]);
    await api.removeEvent(event);
    await expect.poll(() => got.slice(3)).toStrictEqual([`REMOVE ${pattern}`]);
  });

  test("defect 12: an offset is committed before the bus has what it means", async () => {
    const [topic, group] = [`a-${randomUUID()}`, `g-${randomUUID()}`];
    const kafka = new Kafka({ brokers: bootstrap.split(","), logLevel: logLevel.NOTHING, connectionTimeout: 60_000 });
    const admin = kafka.admin(), producer = kafka.producer();
    await admin.connect();
    await producer.connect();
    atEnd(() => Promise.all([admin.disconnect(), producer.disconnect()]));
    await admin.createTopics({ waitForLeaders: true, topics: [{ topic, numPartitions: 1 }] });
    await producer.send({ topic, messages: [{ value: JSON.stringify(written()) }] });
    const life = async (takes: boolean): Promise<{ bus: ThreatBus; got: string[]; failed(): number }> => {
      const config = { "bootstrap.servers": bootstrap, "group.id": group, "session.timeout.ms": 6_000, "auto.commit.interval.ms": 100 };
      const bus = createBus({ backbones: [takes ? inmem() : refusing(() => true)], apps: [misp({ kafka: { topics: [topic], config } })], logger: silentLogger });
      atEnd(() => bus.stop());
      const got: string[] = [];
      await bus.subscribe("stix2/indicator", ({ body }) => void got.push((body as { pattern: string }).pattern));
      await bus.start();
      return { bus, got, failed: () => (bus.stats().plugins["misp"] ?? []).find(({ name }) => name === "misp_messages_failed")?.value ?? 0 };
    };
    const first = await life(false);
    // Tried again and again.
    await expect.poll(first.failed).toBeGreaterThan(1);
    await first.bus.stop();
    expect(first.got).toStrictEqual([]);
    const second = await life(true);
    await expect.poll(() => second.got).toStrictEqual(["[ipv4-addr:value = '198.51.100.7']"]);
  });

  test("the doctor says whether the topics are there", async () => {
    const app = misp({ kafka: { topics: [`none-${randomUUID()}`], config: { "bootstrap.servers": bootstrap } } }).create(fakeHost({ clock: systemClock }));
    const found = [];
    for await (const { status, text } of app.probe?.(AbortSignal.timeout(10_000)) ?? []) found.push(`${status} ${text}`);
    expect(found.slice(1)).toStrictEqual([expect.stringMatching(/^ok Kafka at .* answers$/), expect.stringMatching(/^problem there is no topic none-/)]);
  });
});
