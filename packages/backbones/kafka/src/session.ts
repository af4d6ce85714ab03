import { setMaxListeners } from "node:events";
import { hostname } from "node:os";
import type { Deliver, Host, Outbox } from "@threatbus/core";
import { Consumer, KafkaFault, Producer, faultOf, readProperties, readTls } from "@threatbus/kafka-client";
import type { ClientProperties, Driver, Partition } from "@threatbus/kafka-client";
import { kafkajsDriver } from "@threatbus/kafka-client/kafkajs";
import { deliveries } from "./deliveries.ts";
import type { KafkaOptions } from "./options.ts";
import { idOf, recordOf } from "./records.ts";
import { Sender } from "./sender.ts";
import { Topics, startOf } from "./topics.ts";

export interface SessionSetup {
  readonly options: KafkaOptions;
  readonly host: Host;
  readonly deliver: Deliver;
  readonly outbox: Outbox;
  /** Told when a part broke, and when it works. */
  readonly onState: (part: Part, fault: KafkaFault | undefined) => void;
}
export type Part = "connection" | "producer" | "consumer";

/** Milliseconds what waits may take to be sent when the session closes. */
const lastBatches = 1_000;

/** Everything of one connection to a cluster. Once open it stays so, whatever happens to the cluster. */
export class Session {
  readonly #setup: SessionSetup;
  readonly #properties: ClientProperties;
  readonly #closing = new AbortController();
  #driver: Driver | undefined;
  #producer: Producer | undefined;
  #consumer: Consumer | undefined;
  #sender: Sender | undefined;
  #topics: readonly string[] = [];
  #closed: Promise<void> | undefined;

  constructor(setup: SessionSetup) {
    this.#setup = setup;
    this.#properties = readProperties(setup.options.config).properties;
    // Every record that waits for its next offer listens to it.
    setMaxListeners(0, this.#closing.signal);
  }

  get lag(): number {
    return this.#consumer?.lag ?? 0;
  }

  /** One attempt. @throws KafkaFault; close it then */
  async open(): Promise<void> {
    const { options, host, deliver, outbox, onState } = this.#setup;
    const { clock, logger, metrics } = host;
    const { connection, tls, group, commitInterval, batch, reset } = this.#properties;
    const secured = tls === undefined ? connection : { ...connection, tls: await readTls(tls) };
    const driver = kafkajsDriver(secured, (text, fields) => logger.debug(text, fields), (open, broke) => {
      if (open > 0) onState("connection", undefined);
      else if (broke !== undefined && !this.#closing.signal.aborted) onState("connection", faultOf(broke));
    });
    this.#driver = driver;
    this.#mustGoOn();
    const topics = new Topics(options, driver, clock);
    const groupId = options.group_id ?? this.#properties.groupId ?? `threatbus-${hostname()}`;
    const starts = await topics.ask(async (admin) => {
      await topics.create(admin, [...(options.topic_per_type ? [] : [options.topic]), ...(options.dead_letter_topic === undefined ? [] : [options.dead_letter_topic])]);
      this.#topics = await topics.used(admin);
      return startOf(admin, groupId, this.#topics, options.from ?? reset ?? "latest");
    });
    const producer = new Producer({ driver, clock, onState: (fault) => onState("producer", fault) });
    this.#producer = producer;
    this.#mustGoOn();
    await producer.connect();
    const origin = hostname();
    const sender = new Sender({ outbox, producer, topics, clock, limits: batch, recordOf: (outgoing) => recordOf(outgoing, topics.nameFor(outgoing.frame.topic), origin) });
    const handle = deliveries({
      deliver, clock, logger, metrics, signal: this.#closing.signal,
      deadLetterTopic: options.dead_letter_topic,
      send: (record) => sender.send(record),
      since: clock.now(),
    });
    this.#mustGoOn();
    this.#consumer = new Consumer({
      driver, clock, group: { ...group, groupId }, topics: this.#topics, starts, prefetch: options.prefetch, commitInterval, idOf, handle,
      onJoined: (assigned) => {
        onState("consumer", undefined);
        this.#joined(assigned);
      },
      onEnded: (fault) => onState("consumer", fault),
    });
    await this.#consumer.start();
    this.#mustGoOn();
    this.#sender = sender;
    if (options.topic_per_type) void this.#watch(topics);
    sender.wake();
  }

  /** Something waits in the outbox. */
  wake(): void {
    this.#sender?.wake();
  }

  /** Delivers and sends what is under way, as far as the cluster answers, and frees every handle. Twice is harmless. */
  close(): Promise<void> {
    return (this.#closed ??= this.#close());
  }

  async #close(): Promise<void> {
    this.#closing.abort();
    const consumed = this.#consumer?.close();
    await Promise.race([Promise.all([consumed, this.#sender?.idle()]), this.#setup.host.clock.sleep(lastBatches)]);
    this.#sender?.close();
    await this.#producer?.close();
    await consumed;
    this.#driver?.close();
  }

  #mustGoOn(): void {
    if (!this.#closing.signal.aborted) return;
    this.#driver?.close();
    throw new KafkaFault("closed", "the backbone is stopped");
  }

  #joined(assigned: readonly Partition[]): void {
    const { options, host } = this.#setup;
    if (assigned.length > 0 || this.#topics.length === 0 || options.group_id !== undefined) return;
    host.logger.warn("another host is a member of this consumer group and gets all messages in place of this one", { hint: "give each host a `group_id` of its own" });
  }

  /** With a topic per type, new ones come up at any time. */
  async #watch(topics: Topics): Promise<void> {
    const { clock, logger } = this.#setup.host;
    const { signal } = this.#closing;
    for (;;) {
      await clock.sleep(this.#properties.connection.metadataMaxAge, signal);
      if (signal.aborted) return;
      const now = await topics.ask((admin) => topics.used(admin)).catch(() => this.#topics);
      if (now.join() === this.#topics.join() || signal.aborted) continue;
      logger.info("reading from new topics", { topics: now.filter((name) => !this.#topics.includes(name)) });
      this.#topics = now;
      this.#consumer?.setTopics(now);
    }
  }
}
