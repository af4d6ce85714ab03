import { connect as amqp, type Channel } from "amqplib";
import { createBus, message, silentLogger, systemClock, type Frame } from "@threatbus/core";
import { brokerForTests } from "@threatbus/services";
import { fakeHost, indicator } from "@threatbus/testkit";
import { expect, onTestFinished, test } from "vitest";
import { rabbitmq } from "../src/index.ts";
import { oneHost, patience } from "./fleet.ts";
import { connectionOf, passing, type Options } from "./options.ts";

const { describe, url } = await brokerForTests("rabbitmq");
let worlds = 0;
const world = (): string => `topology-${process.pid}-${++worlds}`;

async function channel(): Promise<Channel> {
  const connection = await amqp(url);
  onTestFinished(() => connection.close());
  return connection.createChannel();
}

async function started(options: Options, deliver: (frame: Frame) => Promise<void> = async () => undefined) {
  const host = fakeHost({ name: "rabbitmq", clock: systemClock });
  const backbone = rabbitmq({ ...connectionOf(url), ...options }).create(host);
  onTestFinished(() => backbone.stop());
  await backbone.start(deliver, AbortSignal.timeout(patience));
  return { host, backbone };
}

describe("what a host declares", () => {
  test("a durable exchange, and a queue whose name the first Threat Bus would choose", async () => {
    const name = world();
    const { backbone } = await started({ exchange_name: name, queue: { name_suffix: name, name_join_symbol: "-" } });
    const look = await channel();
    await look.assertExchange(name, "fanout", { durable: true });
    expect(await look.checkQueue(`threatbus-${name}`)).toMatchObject({ consumerCount: 1 });
    await backbone.stop();
    await look.deleteQueue(`threatbus-${name}`);
    await look.deleteExchange(name);
  });

  test("an exchange that is not durable is used as it is, with one warning, also after it was lost", async () => {
    const name = world();
    const look = await channel();
    await look.assertExchange(name, "fanout", { durable: false });
    const options = { ...passing(name), exchange: {} };
    const { host, backbone } = await started(options);
    const warnings = () => host.entries.filter(({ text }) => text.includes("the exchange is not durable")).length;
    expect(warnings()).toBe(1);
    await look.deleteExchange(name);
    await look.deleteQueue(`threatbus.${options.queue?.name_suffix}`);
    await expect.poll(() => host.count("rabbitmq_reconnects")).toBe(1);
    await backbone.publish({ topic: "stix2/x-any", id: "1", payload: Buffer.from("{}") });
    // As the others know it: it would be refused to them otherwise.
    await look.assertExchange(name, "fanout", { durable: false });
    expect(warnings()).toBe(1);
  });

  test("what goes out can be told by anyone: persistent, with id, type and where it is from", async () => {
    const name = world();
    const { backbone } = await started(passing(name));
    const look = await channel();
    const { queue } = await look.assertQueue("", { exclusive: true });
    await look.bindQueue(queue, name, "");
    const sent = message("yara/rule", "rule a { condition: true }");
    await backbone.publish(sent);
    await expect.poll(async () => look.get(queue, { noAck: true })).toMatchObject({
      properties: { messageId: sent.id, type: "yara/rule", deliveryMode: 2, contentType: "text/plain", headers: { "x-threatbus-origin": expect.any(String) as string } },
      content: Buffer.from(sent.payload),
    });
    // A snapshot is asked for now: whoever comes back tomorrow must not answer it.
    await backbone.publish(message({ type: "snapshotrequest", snapshot_type: 1, snapshot_id: "a", snapshot: 60 }));
    await expect.poll(async () => look.get(queue, { noAck: true })).toMatchObject({ properties: { type: "threatbus/snapshotrequest", expiration: "300000" } });
  });

  test("an id that does not fit is left out, and nothing stands still behind it", async () => {
    const { backbone, host } = await started(passing(world()));
    await Promise.all(["é".repeat(200), "x".repeat(300), "last"].map((id) => backbone.publish({ topic: "stix2/x-any", id, payload: Buffer.from("{}") })));
    expect(host.count("rabbitmq_publish_refused")).toBe(0);
  });

  test("bare JSON, as hosts of the first Threat Bus send it, is understood by what is inside", async () => {
    const name = world();
    const { bus } = await oneHost(rabbitmq({ ...connectionOf(url), ...passing(name) }));
    const got: string[] = [];
    await bus.subscribe("stix2/", ({ topic, id }) => void got.push(`${topic} ${id.length > 0}`));
    const look = await channel();
    for (const sent of [indicator(), indicator()]) look.publish(name, "", Buffer.from(sent.payload));
    await expect.poll(() => got).toEqual(["stix2/indicator true", "stix2/indicator true"]);
  });

  test("what cannot be understood is set aside where it was asked for, and the others go on (F40)", async () => {
    const name = world();
    const { bus, figure } = await oneHost(rabbitmq({ ...connectionOf(url), ...passing(name, { queue: { dead_letter_exchange: `${name}-dead` } }) }));
    const got: string[] = [];
    await bus.subscribe("stix2/", ({ id }) => void got.push(id));
    const look = await channel();
    const good = Array.from({ length: 100 }, () => indicator());
    for (const [n, sent] of good.entries()) {
      if (n % 10 === 0) look.publish(name, "", Buffer.from(`{"not": "STIX", "n": ${n}`), { headers: { big: "x".repeat(10_000) } });
      await bus.publish(sent);
    }
    await expect.poll(() => got.length).toBe(100);
    await expect.poll(() => figure("rabbitmq_dead_letters")).toBe(10);
    expect(bus.stats().refused).toEqual({ json: 10 });
    await expect.poll(async () => (await look.checkQueue(`${name}-dead`)).messageCount).toBe(10);
    await look.deleteQueue(`${name}-dead`);
    await look.deleteExchange(`${name}-dead`);
  });

  test("a frame the host could not take is offered three times, then given up", async () => {
    let offers = 0;
    const { host, backbone } = await started(passing(world()), async () => {
      offers++;
      throw new Error("not now");
    });
    await backbone.publish({ topic: "stix2/x-any", id: "unlucky", payload: Buffer.from("{}") });
    await expect.poll(() => host.count("rabbitmq_dead_letters")).toBe(1);
    expect(offers).toBe(3);
  });

  test("two hosts on one queue are warned: each would get a part (F71)", async () => {
    const name = world();
    const options = { ...passing(name), queue: { name_suffix: name, auto_delete: true, durable: false } };
    const first = await started(options);
    const second = await started(options);
    const warned = ({ host }: typeof first) => host.entries.some(({ text }) => text.includes("another host takes messages from this queue"));
    expect([warned(first), warned(second)]).toEqual([false, true]);
  });

  test("a full queue that rejects: publishers wait until there is room, and everything arrives", async () => {
    const name = world();
    const look = await channel();
    const { backbone, host } = await started(passing(name));
    await look.assertQueue(`${name}-small`, { exclusive: true, arguments: { "x-max-length": 10, "x-overflow": "reject-publish" } });
    await look.bindQueue(`${name}-small`, name, "");
    let answered = 0;
    const all = Promise.all(Array.from({ length: 30 }, (_, n) => backbone.publish({ topic: "stix2/x-any", id: `n${n}`, payload: Buffer.from(`{"n":${n}}`) }).then(() => answered++)));
    await expect.poll(() => host.count("rabbitmq_publish_refused")).toBeGreaterThan(0);
    expect(answered).toBeLessThan(30);
    const ids = new Set<string>();
    await look.consume(`${name}-small`, (got) => got !== null && ids.add(String(got.properties.messageId)), { noAck: true });
    await all;
    await expect.poll(() => ids.size).toBe(30);
  });

  test("a queue keeps what comes while its host is away", async () => {
    const name = world();
    const options: Options = { ...connectionOf(url), exchange_name: name, queue: { name_suffix: `${name}.a` } };
    const a = createBus({ backbones: [rabbitmq(options)], logger: silentLogger });
    await a.start();
    await a.stop();
    const b = createBus({ backbones: [rabbitmq({ ...connectionOf(url), ...passing(name), exchange: {} })], logger: silentLogger });
    await b.start();
    const sent = Array.from({ length: 20 }, () => indicator());
    for (const one of sent) await b.publish(one);
    await b.stop();
    const again = createBus({ backbones: [rabbitmq(options)], logger: silentLogger });
    const got: string[] = [];
    // Subscribed before the start: what waited in the broker comes as soon as the bus runs.
    await again.subscribe("stix2/", ({ id }) => void got.push(id));
    await again.start();
    await expect.poll(() => got.length).toBe(20);
    const look = await channel();
    await again.stop();
    await look.deleteQueue(`threatbus.${name}.a`);
    await look.deleteExchange(name);
    expect(got).toEqual(sent.map(({ id }) => id));
  });
});
