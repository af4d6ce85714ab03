// Hosts over RabbitMQ, beside amqplib alone and beside two hosts of the Python reference.
import { rabbitmq, unavailable } from "@threatbus/services";
import { startChain, startReferenceChain } from "./chain.mjs";
import { compare, startStation } from "./crossing.mjs";
import { besideReference, referenceOrReason } from "./reference.mjs";

export const title = "RabbitMQ: two hosts, beside a bare amqplib loop and beside two hosts of the reference";

/** Of hosts and bare loop alike: the defaults of the backbone. */
const window = 1_000;
const prefetch = 500;

/** @returns {Promise<import("./figures.mjs").Row[]>} */
export async function run({ rounds, seconds }) {
  const missing = await unavailable("rabbitmq");
  if (missing !== undefined) {
    console.log(`  skipped, there is no RabbitMQ: ${missing}`);
    return [{ figure: "RabbitMQ", ours: "skipped: it cannot be had here" }];
  }
  const broker = await rabbitmq();
  console.log(`  RabbitMQ ${broker.version}, prefetch ${prefetch}, ${window} messages under way`);
  const against = (figure, { queues, acks, type = "classic", ...held }) =>
    compare(() => startHosts(broker, type), () => startBare(broker, { queues, acks, type }), { figure, seconds: seconds / 3, window, ...held });
  try {
    return [
      await against("messages/s over RabbitMQ, beside bare amqplib", { queues: 1, acks: "each", bar: 0.6, times: 5 * rounds }),
      await against("the same, both with two queues and acknowledging many at once", { queues: 2, acks: "many", times: 3 * rounds }),
      await against("the same again, quorum queues", { queues: 2, acks: "many", type: "quorum", times: 2 * rounds }),
      ...(await beside(broker, { rounds, seconds })),
    ];
  } finally {
    await broker.stop();
  }
}

/** From app to app: ZeroMQ, a host, RabbitMQ, another host, ZeroMQ. */
async function beside(broker, { rounds, seconds }) {
  const bin = await referenceOrReason();
  if (bin === undefined) return [{ figure: "two hosts of the Python reference", ours: "skipped: it cannot be installed here" }];
  const options = (name) => hostOptions(broker, "apps", name);
  const unit = "messages/s from app to app over RabbitMQ";
  return besideReference(
    () => startChain("rabbitmq", [options("a"), options("b")]),
    () => startReferenceChain(bin, broker),
    { rounds, seconds, subscribers: 1, bar: 20, key: "rate", unit, probe: 20_000 },
  );
}

let exchanges = 0;

/** @returns {Promise<import("./crossing.mjs").Crossing>} */
async function startHosts(broker, type) {
  const exchange = `hosts.${exchanges++}`;
  const host = (name) => startStation("host.mjs", ["rabbitmq", JSON.stringify(hostOptions(broker, exchange, name, type))]);
  const [publisher, subscriber] = [await host("a"), await host("b")];
  return { name: "two hosts", publisher, subscriber, broker: broker.pid, stop: async () => void (await Promise.all([publisher.stop(), subscriber.stop()])) };
}

function hostOptions({ host, port }, exchange, name, type = "classic") {
  return { host, port, exchange_name: exchange, queue: { name_suffix: `${exchange}.${name}`, type }, prefetch, publish_window: window };
}

/** @returns {Promise<import("./crossing.mjs").Crossing>} */
async function startBare(broker, { queues, acks, type }) {
  const both = await startStation("bare-rabbitmq.mjs", [broker.url, `bare.${exchanges++}`, queues, acks, type, prefetch]);
  return { name: "bare amqplib", publisher: both, subscriber: both, broker: broker.pid, stop: both.stop };
}
