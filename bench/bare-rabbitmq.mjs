// The limit a host over RabbitMQ is held against: amqplib alone, publishing with confirms and consuming with acknowledgements in one
// process, nothing parsed, nothing tried again. node bare-rabbitmq.mjs URL NAME QUEUES ACKS TYPE PREFETCH. Of the queues on the exchange,
// the first is the subscriber's; the others are read and forgotten, as a host gets its own messages back. ACKS: `each` message, as in
// amqplib's guide, or `many` at a time, as a host does it.
import { randomUUID } from "node:crypto";
import { connect } from "amqplib";
import { serve } from "./station.mjs";

const [url, name, queues, acks, type, prefetch] = process.argv.slice(2);
// Two connections, as amqplib's guide advises and as a host has.
const [outbound, inbound] = await Promise.all([connect(url, { noDelay: true }), connect(url, { noDelay: true })]);
const publisher = await outbound.createConfirmChannel();
const consumer = await inbound.createChannel();
await consumer.assertExchange(name, "fanout", { durable: true });
await consumer.prefetch(Number(prefetch));
let arrived = 0;
let arrive = () => {};
let latest;
const acknowledge = {
  each: (message) => consumer.ack(message),
  many(message) {
    if (latest === undefined) setImmediate(flush);
    latest = message;
  },
}[acks];
function flush() {
  consumer.ack(latest, true);
  latest = undefined;
}
for (let i = 0; i < Number(queues); i++) {
  const queue = `${name}.${i}`;
  await consumer.assertQueue(queue, { durable: true, arguments: type === "quorum" ? { "x-queue-type": type } : { "x-queue-mode": "lazy" } });
  await consumer.bindQueue(queue, name, "");
  await consumer.consume(queue, (message) => {
    arrived++;
    if (i === 0) arrive(message.content);
    acknowledge(message);
  });
}
serve({
  publish: (payload) =>
    new Promise((resolve, reject) => {
      const properties = {
        persistent: true,
        mandatory: true,
        contentType: "application/json",
        messageId: randomUUID(),
        type: "stix2/indicator",
        headers: { "x-threatbus-origin": name },
      };
      publisher.publish(name, "", payload, properties, (error) => (error ? reject(error) : resolve()));
    }),
  subscribe: async (callback) => (arrive = callback),
  arrived: () => arrived,
  stop: () => Promise.all([outbound.close(), inbound.close()]),
});
