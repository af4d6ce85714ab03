// Hosts over Kafka, beside kafkajs alone.
import { kafka, unavailable } from "@threatbus/services";
import { compare, startStation } from "./crossing.mjs";

export const title = "Kafka: two hosts, beside a bare kafkajs loop";

/** Publishes under way at a time; the loop sends a batch when the one before is answered for, as a host does. */
const window = 1_000;
const batch = 500;

/** @returns {Promise<import("./figures.mjs").Row[]>} */
export async function run({ rounds, seconds }) {
  const missing = await unavailable("kafka");
  if (missing !== undefined) {
    console.log(`  skipped, there is no Kafka: ${missing}`);
    return [{ figure: "Kafka", ours: "skipped: it cannot be had here" }];
  }
  const broker = await kafka();
  console.log(`  Kafka ${broker.version}, batches of ${batch}, acknowledged by all, idempotent, one at a time; ${window} messages under way`);
  const against = (figure, { groups = 1, records = "whole", ...held }) =>
    compare(() => startHosts(broker), () => startBare(broker, groups, records), { figure, seconds: seconds / 3, window, ...held });
  try {
    return [
      await against("messages/s over Kafka, beside bare kafkajs", { bar: 0.6, times: 5 * rounds }),
      await against("the same, both read by two groups", { groups: 2, times: 2 * rounds }),
      await against("the same, kafkajs sending values without keys and headers", { records: "values", times: 2 * rounds }),
    ];
  } finally {
    await broker.stop();
  }
}

let topics = 0;

/** @returns {Promise<import("./crossing.mjs").Crossing>} */
async function startHosts(broker) {
  const topic = `hosts.${topics++}`;
  const options = (name) => ({ topic, group_id: `${topic}.${name}`, config: { "bootstrap.servers": broker.bootstrap, "batch.num.messages": batch } });
  const host = (name) => startStation("host.mjs", ["kafka", JSON.stringify(options(name))]);
  const [publisher, subscriber] = [await host("a"), await host("b")];
  return { name: "two hosts", publisher, subscriber, broker: broker.pid, stop: async () => void (await Promise.all([publisher.stop(), subscriber.stop()])) };
}

/** @returns {Promise<import("./crossing.mjs").Crossing>} */
async function startBare(broker, groups, records) {
  const both = await startStation("bare-kafka.mjs", [broker.bootstrap, `bare.${topics++}`, groups, records, batch]);
  return { name: "bare kafkajs", publisher: both, subscriber: both, broker: broker.pid, stop: both.stop };
}
