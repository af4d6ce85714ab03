import { needs, rabbitmq as startBroker } from "@threatbus/services";
import { expect, onTestFinished, test } from "vitest";
import { rabbitmq } from "../src/index.ts";
import { fleet, scale } from "./fleet.ts";
import { connectionOf } from "./options.ts";

const { describe } = await needs("rabbitmq");
/** A million in the long run. */
const messages = 20_000 * scale;

describe("many messages", () => {
  test(`${messages} with a restart of the broker in the middle: none lost, none out of order`, async () => {
    const broker = await startBroker();
    onTestFinished(() => broker.stop());
    const host = (n: number) => rabbitmq({ ...connectionOf(broker.url), exchange_name: "many", queue: { name_suffix: `many.${n}` } });
    const both = await fleet([host(0), host(1)]);
    both.load(0, 1_000);
    await both.answered(messages / 2);
    await broker.terminate();
    await broker.start();
    await both.answered(messages / 2);
    const { issued, acked, total } = await both.end();
    expect(acked).toBe(issued);
    process.stdout.write(`${issued} messages to two hosts: lost ${total.lost}, reordered ${total.reordered}, redelivered and left out ${both.hosts.map(({ bus }) => bus.stats().duplicates).join(" and ")}\n`);
  });

  test("a subscriber that stands still until its queue is full: the others get all, the accounts tell of what it missed", async () => {
    const broker = await startBroker();
    onTestFinished(() => broker.stop());
    let go: () => void = () => undefined;
    const still = new Promise<void>((resolve) => (go = resolve));
    const host = rabbitmq({ ...connectionOf(broker.url), exchange_name: "still", prefetch: 50, queue: { name_suffix: "still.0" } });
    const alone = await fleet([host]);
    const [only] = alone.hosts;
    const stalled = await only?.bus.subscribe("stix2/", () => still, { name: "stalled", queue: { maxItems: 500, ackHold: 0 } });
    alone.load();
    await alone.answered(2_000);
    await expect.poll(() => stalled?.stats.dropped.overflow).toBeGreaterThan(0);
    await alone.end();
    expect(stalled?.stats.ackedEarly).toBeGreaterThan(0);
    expect(stalled?.stats.waiting).toBe(501);
    go();
    await expect.poll(() => stalled?.stats.waiting).toBe(0);
  });
});
