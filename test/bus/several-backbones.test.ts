import { createBus, message, silentLogger, type ConfiguredBackbone, type ThreatBus } from "@threatbus/core";
import { inmem } from "@threatbus/inmem";
import { kafka } from "@threatbus/kafka";
import { rabbitmq } from "@threatbus/rabbitmq";
import { brokerForTests } from "@threatbus/services";
import { createOracle, expectBalanced } from "@threatbus/testkit";
import { expect, onTestFinished, test } from "vitest";
import { bytesOf, indicator } from "./stand.ts";

const rabbit = await brokerForTests("rabbitmq");
const stream = await brokerForTests("kafka");
const messages = 500;

rabbit.describe("RabbitMQ and Kafka side by side", () => stream.describe("one bus", () => {
  const world = `several-${process.pid}`;
  const overRabbit = (host: number): ConfiguredBackbone => {
    const { hostname, port, username, password } = new URL(rabbit.url);
    return rabbitmq({ host: hostname, port: Number(port), username, password, exchange_name: world, exchange: { durable: false }, queue: { name_suffix: `${world}.${host}`, durable: false, auto_delete: true } });
  };
  const overKafka = (host: number): ConfiguredBackbone =>
    kafka({ topic: world, group_id: `${world}.${host}`, config: { "bootstrap.servers": stream.bootstrap } });

  test("each subscriber sees a message once, whichever ways it comes", async () => {
    const oracle = createOracle(["both", "rabbit", "kafka"]);
    const hosts: Record<string, ThreatBus> = {};
    for (const [name, backbones] of Object.entries({ both: [inmem(), overRabbit(0), overKafka(0)], rabbit: [overRabbit(1)], kafka: [overKafka(2)] })) {
      const bus = (hosts[name] = createBus({ backbones, logger: silentLogger }));
      onTestFinished(() => bus.stop().catch(() => undefined));
      await bus.subscribe("stix2/", ({ id, payload }) => oracle.ingest(name, id, payload));
      await bus.start();
    }
    const sent = Array.from({ length: messages }, (_, n) => message(indicator(n)));
    await Promise.all(sent.map(async (one, n) => {
      oracle.claim(one.id, bytesOf(indicator(n)));
      await hosts["both"]?.publish(one);
      oracle.acked(one.id);
    }));
    await expect.poll(() => oracle.report().total.deliveredDistinct).toBe(3 * messages);
    // Every copy has come home before the count.
    await expect.poll(() => hosts["both"]?.stats().arrived).toBe(3 * messages);
    expect(oracle.report().total).toMatchObject({ lost: 0, duplicates: 0, spurious: 0, corrupted: 0 });
    expect(hosts["both"]?.stats()).toMatchObject({ published: messages, routed: messages, duplicates: 2 * messages });
    for (const bus of Object.values(hosts)) expectBalanced(bus.stats());
  });
}));
