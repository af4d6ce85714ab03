// The limit a host over Kafka is held against: kafkajs alone, sending one batch after the other and consuming in the same process,
// nothing parsed, nothing tried again. node bare-kafka.mjs BROKER TOPIC GROUPS RECORDS BATCH. Of the consumer groups, the first is the
// subscriber's; the others read and forget, as a host gets its own messages back. RECORDS: `whole`, with a key and headers as a host's,
// or `values` alone.
import { randomUUID } from "node:crypto";
import { connect } from "node:net";
import kafkajs from "kafkajs";
import { idOf } from "./indicators.mjs";
import { serve } from "./station.mjs";

const [broker, topic, groups, records, batch] = process.argv.slice(2);
/** kafkajs's own leaves small packets waiting. */
const socketFactory = ({ host, port, onConnect }) => connect({ host, port, noDelay: true }, onConnect);
/** A client each, and so a connection each, as a host has. */
const client = () => new kafkajs.Kafka({ brokers: [broker], clientId: "bare", logLevel: kafkajs.logLevel.NOTHING, socketFactory });

const admin = client().admin();
await admin.connect();
await admin.createTopics({ topics: [{ topic, numPartitions: 1, replicationFactor: 1 }], waitForLeaders: true });
await admin.disconnect();

let arrived = 0;
let arrive = () => {};
const consumers = [];
for (let i = 0; i < Number(groups); i++) {
  // The defaults of the backbone.
  const consumer = client().consumer({ groupId: `${topic}.${i}`, maxWaitTimeInMs: 500, sessionTimeout: 6_000, heartbeatInterval: 1_500, rebalanceTimeout: 8_000 });
  consumers.push(consumer);
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  const joined = new Promise((resolve) => consumer.on(consumer.events.GROUP_JOIN, resolve));
  await consumer.run({
    autoCommitInterval: 500,
    eachBatch: async ({ batch: { messages } }) => {
      arrived += messages.length;
      if (i === 0) for (const { value } of messages) arrive(value);
    },
  });
  await joined;
}
const producer = client().producer({ idempotent: true, maxInFlightRequests: 1, allowAutoTopicCreation: false, createPartitioner: () => () => 0 });
await producer.connect();

const recordOf = {
  whole: (value) => ({
    key: idOf(value),
    value,
    headers: { "x-threatbus-id": randomUUID(), "x-threatbus-topic": "stix2/indicator", "x-threatbus-origin": topic },
  }),
  values: (value) => ({ value }),
}[records];

serve({
  async publishAll(payloads) {
    const size = Number(batch);
    for (let i = 0; i < payloads.length; i += size) await producer.send({ topic, acks: -1, messages: payloads.slice(i, i + size).map(recordOf) });
  },
  subscribe: async (callback) => (arrive = callback),
  arrived: () => arrived,
  stop: () => Promise.all([producer, ...consumers].map((each) => each.disconnect())),
});
