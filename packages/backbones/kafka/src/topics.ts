import { backoff, maxPayloadBytes } from "@threatbus/core";
import type { Clock } from "@threatbus/core";
import type { Driver, DriverAdmin, Position } from "@threatbus/kafka-client";
import { KafkaFault, faultOf } from "@threatbus/kafka-client";
import type { KafkaOptions } from "./options.ts";

/** Bytes of a record besides its payload: key, headers, and the batch around it. */
const envelope = 64 * 1024;
/** Replicas of a topic, where there are as many brokers. */
const usualReplicas = 3;

/** Types of messages with a topic of their own: STIX has about fifty, and anybody may think up more. */
const mostTypes = 100;

/** Which Kafka topics there are and which of them a bus uses. */
export class Topics {
  readonly #options: Pick<KafkaOptions, "topic" | "topic_per_type" | "create_topics">;
  readonly #driver: Driver;
  readonly #clock: Clock;
  readonly #known = new Set<string>();
  /** Of `topic_per_type`. */
  readonly #types = new Set<string>();

  constructor(options: Pick<KafkaOptions, "topic" | "topic_per_type" | "create_topics">, driver: Driver, clock: Clock) {
    this.#options = options;
    this.#driver = driver;
    this.#clock = clock;
  }

  get mayCreate(): boolean {
    return this.#options.create_topics.enabled;
  }

  /** Where a message of this topic goes. */
  nameFor(topic: string): string {
    const { topic: name, topic_per_type } = this.#options;
    if (!topic_per_type) return name;
    const type = topic.replaceAll("/", ".");
    const own = this.#types.has(type) || (this.#types.size < mostTypes && /^[a-zA-Z0-9._-]{1,40}$/.test(type));
    if (own) this.#types.add(type);
    return `${name}.${own ? type : "other"}`;
  }

  /** Those with messages of the bus. */
  async used(admin: DriverAdmin): Promise<string[]> {
    const { topic, topic_per_type } = this.#options;
    return topic_per_type ? (await admin.topics()).filter((name) => name.startsWith(`${topic}.`)).sort() : [topic];
  }

  /** Creates what is missing. @throws KafkaFault `missing` where it may not */
  async create(admin: DriverAdmin, names: readonly string[]): Promise<void> {
    const { enabled, partitions, replication_factor } = this.#options.create_topics;
    const present = new Set(await admin.topics());
    const missing = names.filter((name) => !present.has(name));
    if (missing.length > 0 && !enabled) {
      throw new KafkaFault("missing", `the topic ${missing.join(", ")} does not exist`, { hint: "create it, or set `create_topics.enabled: true`" });
    }
    if (missing.length > 0) {
      const replicationFactor = replication_factor ?? Math.min(usualReplicas, await admin.brokers());
      // The broker's own limit is a megabyte, and a message may be larger.
      const config = { "max.message.bytes": String(maxPayloadBytes + envelope) };
      await admin.create(missing.map((topic) => ({ topic, partitions, replicationFactor, config })));
    }
    for (const name of names) this.#known.add(name);
  }

  /** Before something is sent there. Tries until the broker answers. @throws KafkaFault */
  async ensure(names: readonly string[], signal: AbortSignal): Promise<void> {
    const unknown = [...new Set(names)].filter((name) => !this.#known.has(name));
    if (unknown.length === 0) return;
    const waits = backoff();
    for (;;) {
      try {
        return await this.ask((admin) => this.create(admin, unknown));
      } catch (thrown) {
        const fault = faultOf(thrown);
        if ((fault.kind !== "away" && fault.kind !== "locked_out") || signal.aborted) throw fault;
        await this.#clock.sleep(waits.next(), signal);
      }
    }
  }

  forget(names: readonly string[]): void {
    for (const name of names) this.#known.delete(name);
  }

  /** One connection for one question. */
  async ask<T>(question: (admin: DriverAdmin) => Promise<T>): Promise<T> {
    const admin = await this.#driver.admin();
    try {
      return await question(admin);
    } finally {
      await admin.close();
    }
  }
}

/** Where a group begins that has never read any of these topics; nothing for one that has: what it does not know is new to it. */
export async function startOf(admin: DriverAdmin, groupId: string, topics: readonly string[], from: string): Promise<Position[]> {
  if ((await admin.committed(groupId, topics)).length > 0) return [];
  const since = from === "earliest" || from === "latest" ? from : Date.parse(from);
  const positions: Position[] = [];
  for (const topic of topics) positions.push(...(await admin.positions(topic, since)));
  return positions;
}
