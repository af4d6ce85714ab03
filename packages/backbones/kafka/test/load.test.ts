import { kafka as startBroker, needs } from "@threatbus/services";
import { createOracle } from "@threatbus/testkit";
import { expect, onTestFinished, test } from "vitest";
import { into, newWorld, say, scale, startHost, stream } from "./hosts.ts";

const { describe } = await needs("kafka");
/** A million in the long run. */
const messages = 20_000 * scale;

describe("many messages", () => {
  test(`${messages} with a restart of the broker in the middle: none lost, none out of order`, async () => {
    const broker = await startBroker();
    onTestFinished(() => broker.stop());
    const topic = newWorld();
    const oracle = createOracle();
    const one = await startHost(broker.bootstrap, { topic, group_id: `${topic}.one` }, into(oracle, "one"));
    await startHost(broker.bootstrap, { topic, group_id: `${topic}.other` }, into(oracle, "other"));
    const load = stream(one, oracle, 1_000, 1_000);
    await load.answered(messages / 2);
    await broker.terminate();
    await broker.start();
    await load.answered(messages / 2);
    const { issued, acked, total } = await load.end("one", "other");
    expect(acked).toBe(issued);
    expect(one.host.count("kafka_reconnects")).toBeGreaterThan(0);
    say(`${issued} messages to two hosts: lost ${total.lost}, reordered ${total.reordered}, twice ${total.duplicates}`);
  });
});
