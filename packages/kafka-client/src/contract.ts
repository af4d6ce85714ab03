/**
 * What Threat Bus asks of a Kafka client. `kafkajs.ts` keeps it on top of kafkajs; another client can take its place without anything
 * else changing. `Producer` and `Consumer`, which survive what happens to a network and a broker, stand on top of this.
 */

export interface ConnectionSettings {
  /** `host:port` each. */
  readonly brokers: readonly string[];
  readonly clientId: string;
  /** Leave out for plain TCP. */
  readonly tls?: TlsSettings;
  readonly sasl?: SaslSettings;
  /** Milliseconds until a connection stands. */
  readonly connectionTimeout: number;
  /** Milliseconds until a request is answered. */
  readonly requestTimeout: number;
  /** Milliseconds after which what is known of the cluster is asked for anew. */
  readonly metadataMaxAge: number;
  /** A larger answer ends the connection. */
  readonly maxAnswerBytes: number;
}

export interface TlsSettings {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly passphrase?: string;
  readonly rejectUnauthorized: boolean;
  /** Whether the certificate must be for the broker's host name. */
  readonly checkHost: boolean;
}

export interface SaslSettings {
  readonly mechanism: "plain" | "scram-sha-256" | "scram-sha-512";
  readonly username: string;
  readonly password: string;
}

export interface GroupSettings {
  readonly groupId: string;
  /** Milliseconds without a heartbeat after which the group goes on without this member. */
  readonly sessionTimeout: number;
  readonly heartbeatInterval: number;
  /** Milliseconds a member has to come back to a group that changes. */
  readonly rebalanceTimeout: number;
  /** Milliseconds the broker may hold back an empty answer. */
  readonly maxWait: number;
  readonly minBytes: number;
  readonly maxBytes: number;
  readonly maxPartitionBytes: number;
  readonly readUncommitted: boolean;
}

export interface Partition {
  readonly topic: string;
  readonly partition: number;
}

/** The next record to read. */
export interface Position extends Partition {
  readonly offset: number;
}

export interface OutgoingRecord {
  readonly topic: string;
  readonly key: string;
  readonly value: Buffer;
  readonly headers: Readonly<Record<string, string>>;
  /** Chosen by the key when it is first sent, and kept: sent again, it must go to the same one. */
  partition?: number;
}

export interface IncomingRecord extends Position {
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  /** Milliseconds since 1970-01-01 UTC. */
  readonly timestamp: number;
  header(name: string): string | undefined;
}

export interface NewTopic {
  readonly topic: string;
  readonly partitions: number;
  readonly replicationFactor: number;
  readonly config: Readonly<Record<string, string>>;
}

/** Asks and changes the cluster. No call tries twice. */
export interface DriverAdmin {
  brokers(): Promise<number>;
  /** Every topic there is. */
  topics(): Promise<string[]>;
  /** A topic that is there already stays as it is. */
  create(topics: readonly NewTopic[]): Promise<void>;
  /** Where a group goes on reading; nothing for partitions it never committed. */
  committed(groupId: string, topics: readonly string[]): Promise<Position[]>;
  /** The first record of every partition from a time on (ms since 1970), or the one that will come next. */
  positions(topic: string, from: number | "earliest" | "latest"): Promise<Position[]>;
  close(): Promise<void>;
}

/** One producer id. Resolves when all replicas in sync have the records. One call at a time. */
export interface DriverProducer {
  connect(): Promise<void>;
  send(records: readonly OutgoingRecord[]): Promise<void>;
  close(): Promise<void>;
}

export interface DriverBatch extends Partition {
  readonly records: Iterable<IncomingRecord>;
  /** The offset after the last record of the partition. */
  readonly end: number;
  /** False once nothing more of it may be taken: the consumer stops, or reads elsewhere. */
  readonly current: boolean;
  /** What comes next is read after this offset. */
  advance(offset: number): void;
  /** Keeps the membership while a batch is held. Rejects when the group changes: let go of the batch then. */
  heartbeat(): Promise<void>;
}

export interface DriverConsumerEvents {
  /** Told before the first batch of each generation. */
  readonly joined: (assigned: readonly Partition[]) => void;
  /** The group changes: the last moment to commit. */
  readonly rebalancing: () => void;
  readonly batch: (batch: DriverBatch) => Promise<void>;
  /** It fetches, or keeps its membership. */
  readonly alive: () => void;
  /** It will never do anything again. */
  readonly crashed: (thrown: unknown) => void;
}

/** One member of a group. */
export interface DriverConsumer {
  run(topics: readonly string[], events: DriverConsumerEvents): Promise<void>;
  seek(position: Position): void;
  commit(positions: readonly Position[]): Promise<void>;
  close(): Promise<void>;
}

export interface Driver {
  /** Connected. */
  admin(): Promise<DriverAdmin>;
  producer(): DriverProducer;
  consumer(group: GroupSettings): DriverConsumer;
  /** Breaks every connection, and makes no more. */
  close(): void;
}

/** For the client's own words, which are of use to whoever looks for a fault. */
export type DriverLog = (text: string, fields: Readonly<Record<string, unknown>>) => void;
