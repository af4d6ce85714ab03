/** The only file that knows kafkajs. */
import kafkajs from "kafkajs";
import type { Consumer, EachBatchPayload, IHeaders, ISocketFactory, ISocketFactoryArgs, Kafka, KafkaMessage, RetryOptions } from "kafkajs";
import type {
  ConnectionSettings, Driver, DriverAdmin, DriverBatch, DriverConsumer, DriverConsumerEvents, DriverLog, DriverProducer, GroupSettings,
  IncomingRecord, OutgoingRecord, Partition,
} from "./contract.ts";
import { KafkaFault } from "./faults.ts";
import { partitionOf } from "./partitioner.ts";
import { quietNegativeTimeouts } from "./quiet.ts";
import { listForKafkajs } from "./record-list.ts";
import { SocketSet, counted } from "./sockets.ts";
import type { FramedSocket } from "./sockets.ts";

/** Set whole: kafkajs has other defaults where NODE_ENV is "test", and endless ones for an idempotent producer. */
const steady: RetryOptions = { initialRetryTime: 200, maxRetryTime: 2_000, multiplier: 1.5, factor: 0.3, retries: 8 };
const once: RetryOptions = { ...steady, retries: 0 };
/** Milliseconds of a SASL handshake. */
const authenticationTimeout = 5_000;
/** Milliseconds a goodbye may take: with its broker gone, kafkajs would wait for one for ever. */
const closing = 1_200;

/** @param onConnections told how many connections stand whenever that changes, with the reason if one broke since the last that came to stand */
export function kafkajsDriver(settings: ConnectionSettings, log: DriverLog, onConnections: (open: number, broke?: Error) => void = () => undefined): Driver {
  const changed = counted(onConnections);
  const links = new Set<Link>();
  let closed = false;
  const open = (retry: RetryOptions): Link => {
    if (closed) throw new KafkaFault("closed", "the client is closed");
    const link: Link = openLink(settings, new SocketSet(settings, changed), retry, log, () => links.delete(link));
    links.add(link);
    return link;
  };
  return {
    async admin() {
      const link = open(once);
      const admin = link.kafka.admin({ retry: once });
      link.watch(admin);
      try {
        await admin.connect();
      } catch (thrown) {
        await link.close(admin);
        throw thrown;
      }
      return adminOn(link, admin);
    },
    producer: () => producerOn(open(steady), settings),
    consumer: (group) => consumerOn(open(steady), settings, group),
    close() {
      closed = true;
      for (const link of links) link.break();
    },
  };
}

interface Watched {
  on(event: string, listener: (event: { payload: unknown }) => void): unknown;
  readonly events: { readonly REQUEST_TIMEOUT: string };
}

/** One client with connections of its own. */
interface Link {
  readonly kafka: Kafka;
  /** A request that is not answered leaves its connection in place: it is broken here, or a half-open one would be used for ever. */
  watch(client: object): void;
  /** In order if the broker answers in time, else by breaking the connections. */
  close(client: { disconnect(): Promise<void> }): Promise<void>;
  break(): void;
}

function openLink(settings: ConnectionSettings, sockets: SocketSet, retry: RetryOptions, log: DriverLog, onClose: () => void): Link {
  const loud = quietNegativeTimeouts();
  const dial = ({ host, port, onConnect }: ISocketFactoryArgs): FramedSocket => sockets.open(host, port, onConnect);
  const kafka = new kafkajs.Kafka({
    // An empty list ends the retries of a client that was closed.
    brokers: () => (sockets.closed ? [] : [...settings.brokers]),
    clientId: settings.clientId,
    ...(settings.sasl === undefined ? {} : { sasl: settings.sasl as Extract<typeof settings.sasl, { mechanism: "plain" }> }),
    ssl: settings.tls !== undefined,
    connectionTimeout: settings.connectionTimeout,
    requestTimeout: settings.requestTimeout,
    authenticationTimeout,
    retry,
    socketFactory: dial as unknown as ISocketFactory,
    logLevel: kafkajs.logLevel.WARN,
    logCreator: () => ({ namespace, log: { message, error } }) => log("kafkajs", { namespace, message, ...(error === undefined ? {} : { error: String(error) }) }),
  });
  return {
    kafka,
    watch(client) {
      const watched = client as Watched;
      watched.on(watched.events.REQUEST_TIMEOUT, () => sockets.reset("the broker did not answer in time"));
    },
    async close(client) {
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, closing)));
      await Promise.race([client.disconnect().catch(() => undefined), late]);
      clearTimeout(timer);
      this.break();
    },
    break() {
      sockets.close();
      loud();
      onClose();
    },
  };
}

function adminOn(link: Link, admin: ReturnType<Kafka["admin"]>): DriverAdmin {
  return {
    brokers: async () => (await admin.describeCluster()).brokers.length,
    topics: () => admin.listTopics(),
    async create(topics) {
      await admin.createTopics({
        waitForLeaders: true,
        topics: topics.map(({ topic, partitions, replicationFactor, config }) => ({
          topic,
          numPartitions: partitions,
          replicationFactor,
          configEntries: Object.entries(config).map(([name, value]) => ({ name, value })),
        })),
      });
    },
    async committed(groupId, topics) {
      const offsets = topics.length === 0 ? [] : await admin.fetchOffsets({ groupId, topics: [...topics] });
      return offsets.flatMap(({ topic, partitions }) => partitions.map(({ partition, offset }) => ({ topic, partition, offset: Number(offset) }))).filter(({ offset }) => offset >= 0);
    },
    async positions(topic, from) {
      const offsets = typeof from === "number" ? await admin.fetchTopicOffsetsByTimestamp(topic, from) : await admin.fetchTopicOffsets(topic);
      return offsets.map(({ partition, offset, ...ends }) => ({ topic, partition, offset: Number(from === "earliest" && "low" in ends ? ends.low : offset) }));
    },
    close: () => link.close(admin),
  };
}

function producerOn(link: Link, { metadataMaxAge }: ConnectionSettings): DriverProducer {
  const producer = link.kafka.producer({
    metadataMaxAge,
    idempotent: true,
    maxInFlightRequests: 1,
    allowAutoTopicCreation: false,
    retry: steady,
    createPartitioner: () => ({ message, partitionMetadata }) => (message.partition ??= partitionOf(message.key as string, partitionMetadata.length)),
  });
  link.watch(producer);
  return {
    connect: () => producer.connect(),
    async send(records) {
      const byTopic = new Map<string, OutgoingRecord[]>();
      for (const record of records) {
        const sorted = byTopic.get(record.topic);
        if (sorted === undefined) byTopic.set(record.topic, [record]);
        else sorted.push(record);
      }
      // The records themselves are handed over, so that the partition chosen for each stays with it.
      await producer.sendBatch({ acks: -1, topicMessages: [...byTopic].map(([topic, messages]) => ({ topic, messages: listForKafkajs(messages) })) });
    },
    close: () => link.close(producer),
  };
}

function consumerOn(link: Link, { metadataMaxAge }: ConnectionSettings, group: GroupSettings): DriverConsumer {
  const consumer = link.kafka.consumer({
    metadataMaxAge,
    groupId: group.groupId,
    sessionTimeout: group.sessionTimeout,
    heartbeatInterval: group.heartbeatInterval,
    rebalanceTimeout: group.rebalanceTimeout,
    maxWaitTimeInMs: group.maxWait,
    minBytes: group.minBytes,
    maxBytes: group.maxBytes,
    maxBytesPerPartition: group.maxPartitionBytes,
    readUncommitted: group.readUncommitted,
    allowAutoTopicCreation: false,
    // kafkajs asks only after some of the crashes, and never restarts after the others: all are the supervisor's.
    retry: { ...steady, restartOnFailure: async () => false },
  });
  link.watch(consumer);
  return {
    async run(topics, events) {
      listen(consumer, events);
      await consumer.connect();
      await consumer.subscribe({ topics: [...topics], fromBeginning: true });
      await consumer.run({ autoCommit: false, eachBatchAutoResolve: false, eachBatch: (payload) => events.batch(batchOf(payload)) });
    },
    seek: ({ topic, partition, offset }) => consumer.seek({ topic, partition, offset: String(offset) }),
    async commit(positions) {
      let committed = false;
      const deaf = consumer.on(consumer.events.COMMIT_OFFSETS, () => void (committed = true));
      try {
        await consumer.commitOffsets(positions.map(({ topic, partition, offset }) => ({ topic, partition, offset: String(offset) })));
      } finally {
        deaf();
      }
      // One that does not run says nothing and commits nothing.
      if (!committed) throw new Error("the consumer does not run");
    },
    close: () => link.close(consumer),
  };
}

function listen(consumer: Consumer, { joined, rebalancing, crashed, alive }: DriverConsumerEvents): void {
  const { GROUP_JOIN, REBALANCING, CRASH, FETCH_START, HEARTBEAT } = consumer.events;
  consumer.on(GROUP_JOIN, ({ payload }) => joined(Object.entries(payload.memberAssignment).flatMap(([topic, partitions]) => partitions.map((partition): Partition => ({ topic, partition })))));
  consumer.on(REBALANCING, () => rebalancing());
  consumer.on(CRASH, ({ payload }) => crashed(payload.error));
  consumer.on(FETCH_START, () => alive());
  consumer.on(HEARTBEAT, () => alive());
}

function batchOf(payload: EachBatchPayload): DriverBatch {
  const { batch } = payload;
  const { topic, partition } = batch;
  return {
    topic,
    partition,
    end: Number(batch.highWatermark),
    records: recordsOf(batch, batch.messages),
    get current() {
      return payload.isRunning() && !payload.isStale();
    },
    advance: (offset) => payload.resolveOffset(String(offset)),
    heartbeat: () => payload.heartbeat(),
  };
}

function* recordsOf({ topic, partition }: Partition, messages: readonly KafkaMessage[]): Iterable<IncomingRecord> {
  for (const { offset, key, value, timestamp, headers } of messages) {
    yield { topic, partition, offset: Number(offset), key, value, timestamp: Number(timestamp), header: (name) => headerOf(headers, name) };
  }
}

function headerOf(headers: IHeaders | undefined, name: string): string | undefined {
  if (headers === undefined || !Object.hasOwn(headers, name)) return undefined;
  const value = headers[name];
  // The same header several times: the first counts.
  return (Array.isArray(value) ? value[0] : value)?.toString("utf8");
}
