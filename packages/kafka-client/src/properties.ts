import type { ConnectionSettings, GroupSettings, SaslSettings } from "./contract.ts";

/** Settings under librdkafka's names, as far as they have a counterpart here. */
export interface ClientProperties {
  readonly connection: Omit<ConnectionSettings, "tls">;
  /** Nothing: plain TCP. */
  readonly tls: TlsProperties | undefined;
  readonly group: Omit<GroupSettings, "groupId">;
  readonly groupId: string | undefined;
  readonly reset: "earliest" | "latest" | undefined;
  /** Milliseconds between commits, at most. */
  readonly commitInterval: number;
  /** Of one request to the broker. */
  readonly batch: { readonly maxItems: number; readonly maxBytes: number };
}

/** Certificates by file or as text. */
export interface TlsProperties {
  readonly ca: PemSource | undefined;
  readonly cert: PemSource | undefined;
  readonly key: PemSource | undefined;
  readonly passphrase: string | undefined;
  readonly verify: boolean;
  readonly checkHost: boolean;
}
export interface PemSource {
  /** Names the setting in errors. */
  readonly property: string;
  readonly file?: string;
  readonly text?: string;
}

export type PropertyValue = string | number | boolean;

export interface PropertyProblem {
  readonly name: string;
  readonly message: string;
}

type Check = (value: PropertyValue) => unknown;

const isBroker = /^(?:[a-z_]+:\/\/)?([^:/\s[\]]{1,255}(?::\d{1,5})?)$/i;

const text: Check = (value) => (typeof value === "string" && value !== "" ? value : wrong("a text"));
const secret: Check = (value) => String(value);
const brokers: Check = (value) => {
  const list = String(value).split(",").map((each) => isBroker.exec(each.trim())?.[1]);
  if (list.includes(undefined)) return wrong("brokers as `host:port`, separated by commas");
  return list.map((each = "") => (/:\d+$/.test(each) ? each : `${each}:9092`));
};
const whole = (least: number, most: number): Check => (value) => {
  const number = typeof value === "string" && /^\d{1,16}$/.test(value) ? Number(value) : value;
  return typeof number === "number" && Number.isInteger(number) && number >= least && number <= most ? number : wrong(`a whole number from ${least} to ${most}`);
};
const flag: Check = (value) => (String(value) === "true" ? true : String(value) === "false" ? false : wrong("true or false"));
const oneOf = (words: Readonly<Record<string, string>>): Check => (value) => {
  const word = String(value).toLowerCase();
  return Object.hasOwn(words, word) ? words[word] : wrong(`one of ${Object.keys(words).join(", ")}`);
};
/** The only value there is. */
const fixed = (reason: string, ...values: string[]): Check => (value) => (values.includes(String(value).toLowerCase()) ? undefined : wrong(`left at ${values[0]}: ${reason}`));

function wrong(expected: string): never {
  throw new TypeError(`must be ${expected}`);
}

const minutes = 60_000, mebibyte = 1024 * 1024;

const checks: ReadonlyMap<string, Check> = new Map(Object.entries({
  "bootstrap.servers": brokers,
  "client.id": text,
  "group.id": text,
  "auto.offset.reset": oneOf({ earliest: "earliest", smallest: "earliest", beginning: "earliest", latest: "latest", largest: "latest", end: "latest" }),
  "security.protocol": oneOf({ plaintext: "plaintext", ssl: "ssl", sasl_plaintext: "sasl_plaintext", sasl_ssl: "sasl_ssl" }),
  "sasl.mechanism": oneOf({ plain: "plain", "scram-sha-256": "scram-sha-256", "scram-sha-512": "scram-sha-512" }),
  "sasl.username": text,
  "sasl.password": secret,
  "ssl.ca.location": text,
  "ssl.ca.pem": text,
  "ssl.certificate.location": text,
  "ssl.certificate.pem": text,
  "ssl.key.location": text,
  "ssl.key.pem": text,
  "ssl.key.password": secret,
  "enable.ssl.certificate.verification": flag,
  "ssl.endpoint.identification.algorithm": oneOf({ https: "https", none: "none" }),
  "session.timeout.ms": whole(1_000, 30 * minutes),
  "heartbeat.interval.ms": whole(100, 10 * minutes),
  "max.poll.interval.ms": whole(1_000, 60 * minutes),
  "socket.timeout.ms": whole(1_000, 5 * minutes),
  "socket.connection.setup.timeout.ms": whole(1_000, 5 * minutes),
  "metadata.max.age.ms": whole(1_000, 24 * 60 * minutes),
  "receive.message.max.bytes": whole(1_000, 2_147_483_647),
  "fetch.wait.max.ms": whole(10, 1_000),
  "fetch.min.bytes": whole(1, 100_000_000),
  "fetch.max.bytes": whole(1_000, 2_147_483_135),
  "max.partition.fetch.bytes": whole(1_000, 1_000_000_000),
  "isolation.level": oneOf({ read_committed: "read_committed", read_uncommitted: "read_uncommitted" }),
  "auto.commit.interval.ms": whole(10, 10 * minutes),
  "batch.num.messages": whole(1, 1_000_000),
  "batch.size": whole(1_000, 1_000_000_000),
  "enable.auto.commit": fixed("positions are committed after delivery, never before", "true"),
  "enable.auto.offset.store": fixed("positions are committed after delivery, never before", "true"),
  "enable.idempotence": fixed("without it, messages get lost or out of order", "true"),
  acks: fixed("fewer lose messages with a broker", "all", "-1"),
  "max.in.flight": fixed("more get out of order", "1", "5", "1000000"),
  "socket.keepalive.enable": fixed("it is always on", "true"),
  "compression.type": fixed("batches are sent uncompressed", "none"),
}));

/** Other names librdkafka has for the same. */
const aliases: ReadonlyMap<string, string> = new Map([
  ["metadata.broker.list", "bootstrap.servers"], ["sasl.mechanisms", "sasl.mechanism"], ["request.required.acks", "acks"], ["compression.codec", "compression.type"],
  ["topic.metadata.refresh.interval.ms", "metadata.max.age.ms"], ["fetch.message.max.bytes", "max.partition.fetch.bytes"], ["max.in.flight.requests.per.connection", "max.in.flight"],
]);

/** What has no counterpart, and why, or what does it instead. */
const without: ReadonlyMap<string, string> = new Map([
  ["linger.ms", "what arrives while a batch is under way is the next batch"],
  ["queue.buffering.max.ms", "what arrives while a batch is under way is the next batch"],
  ["queue.buffering.max.messages", "set `outbox.max_items`"],
  ["queue.buffering.max.kbytes", "set `outbox.max_bytes`"],
  ["queued.min.messages", "set `prefetch`"],
  ["queued.max.messages.kbytes", "set `prefetch`"],
  ["transactional.id", "messages are sent at least once, without transactions"],
  ["partition.assignment.strategy", "partitions are assigned round-robin"],
  ["group.instance.id", "members of a group are dynamic"],
  ["sasl.kerberos.service.name", "Kerberos is not supported: PLAIN, SCRAM-SHA-256 and SCRAM-SHA-512 are"],
  ["sasl.oauthbearer.config", "OAUTHBEARER is not supported: PLAIN, SCRAM-SHA-256 and SCRAM-SHA-512 are"],
  ["ssl.keystore.location", "set `ssl.certificate.location` and `ssl.key.location`, PEM files"],
  ["ssl.truststore.location", "set `ssl.ca.location`, a PEM file"],
  ["message.max.bytes", "set `batch.size`; what one message may have is the topic's `max.message.bytes`"],
  ["retries", "a batch is sent again until the broker has it"],
  ["message.timeout.ms", "a batch is sent again until the broker has it; `outbox` says what waits meanwhile"],
  ["delivery.timeout.ms", "a batch is sent again until the broker has it; `outbox` says what waits meanwhile"],
  ["allow.auto.create.topics", "set `create_topics`"],
  ["debug", "set `logging.console_verbosity: DEBUG`"],
]);

/** Reads settings under librdkafka's names. One without a counterpart is a problem with a reason, never ignored. */
export function readProperties(given: Readonly<Record<string, PropertyValue>>): { readonly properties: ClientProperties; readonly problems: readonly PropertyProblem[] } {
  const problems: PropertyProblem[] = [];
  const values = new Map<string, unknown>();
  for (const [name, value] of Object.entries(given)) {
    const known = aliases.get(name) ?? name;
    const check = checks.get(known);
    if (check === undefined) problems.push({ name, message: reasonAgainst(name) });
    else if (values.has(known)) problems.push({ name, message: `is ${known} once more` });
    else {
      try {
        values.set(known, check(value));
      } catch (thrown) {
        problems.push({ name, message: (thrown as TypeError).message });
      }
    }
  }
  const get = <T>(name: string, fallback: T): T => (values.get(name) as T | undefined) ?? fallback;
  const protocol = get<string>("security.protocol", "plaintext");
  const encrypted = protocol === "ssl" || protocol === "sasl_ssl";
  const sasl = protocol.startsWith("sasl_");
  for (const name of values.keys()) {
    if (name.startsWith("sasl.") && !sasl) problems.push({ name, message: "needs `security.protocol` sasl_plaintext or sasl_ssl" });
    if (/^(ssl|enable\.ssl)\./.test(name) && !encrypted) problems.push({ name, message: "needs `security.protocol` ssl or sasl_ssl" });
  }
  for (const name of sasl ? ["sasl.mechanism", "sasl.username", "sasl.password"] : []) {
    if (!values.has(name)) problems.push({ name, message: `is needed with \`security.protocol\` ${protocol}` });
  }
  const [session, beat] = [get("session.timeout.ms", 6_000), get("heartbeat.interval.ms", 1_500)];
  if (beat >= session) problems.push({ name: "heartbeat.interval.ms", message: `must be less than \`session.timeout.ms\`, which is ${session}` });
  const properties: ClientProperties = {
    connection: {
      brokers: get("bootstrap.servers", ["localhost:9092"]),
      clientId: get("client.id", "threatbus"),
      connectionTimeout: get("socket.connection.setup.timeout.ms", 3_000),
      requestTimeout: get("socket.timeout.ms", 10_000),
      metadataMaxAge: get("metadata.max.age.ms", 30_000),
      maxAnswerBytes: get("receive.message.max.bytes", 100_000_000),
      ...(sasl && { sasl: { mechanism: get<SaslSettings["mechanism"]>("sasl.mechanism", "plain"), username: get("sasl.username", ""), password: get("sasl.password", "") } }),
    },
    tls: encrypted
      ? {
          ca: pem("ssl.ca"),
          cert: pem("ssl.certificate"),
          key: pem("ssl.key"),
          passphrase: get<string | undefined>("ssl.key.password", undefined),
          verify: get("enable.ssl.certificate.verification", true),
          checkHost: get("ssl.endpoint.identification.algorithm", "https") === "https",
        }
      : undefined,
    group: {
      sessionTimeout: session,
      heartbeatInterval: beat,
      rebalanceTimeout: get("max.poll.interval.ms", 8_000),
      maxWait: get("fetch.wait.max.ms", 500),
      minBytes: get("fetch.min.bytes", 1),
      maxBytes: get("fetch.max.bytes", 10 * mebibyte),
      maxPartitionBytes: get("max.partition.fetch.bytes", mebibyte),
      readUncommitted: get<string>("isolation.level", "read_committed") === "read_uncommitted",
    },
    groupId: get<string | undefined>("group.id", undefined),
    reset: get<"earliest" | "latest" | undefined>("auto.offset.reset", undefined),
    commitInterval: get("auto.commit.interval.ms", 500),
    batch: { maxItems: get("batch.num.messages", 1_000), maxBytes: get("batch.size", 900_000) },
  };
  return { properties, problems };

  function pem(stem: string): PemSource | undefined {
    const [file, inline] = [get<string | undefined>(`${stem}.location`, undefined), get<string | undefined>(`${stem}.pem`, undefined)];
    if (file !== undefined) return { property: `${stem}.location`, file };
    return inline === undefined ? undefined : { property: `${stem}.pem`, text: inline };
  }
}

function reasonAgainst(name: string): string {
  const reason = without.get(name);
  if (reason !== undefined) return `has no counterpart here: ${reason}`;
  const near = [...checks.keys()].map((known) => [known, alike(name.toLowerCase().replace(/[-_]/g, "."), known)] as const).sort(([, a], [, b]) => b - a)[0];
  return near !== undefined && near[1] >= 0.6 ? `is not known: did you mean ${JSON.stringify(near[0])}?` : "has no counterpart here";
}

/** The share of two names that is the same at their beginnings and ends. */
function alike(one: string, other: string): number {
  const shortest = Math.min(one.length, other.length);
  let front = 0;
  while (front < shortest && one[front] === other[front]) front++;
  let back = 0;
  while (back < shortest - front && one.at(-1 - back) === other.at(-1 - back)) back++;
  return (front + back) / Math.max(one.length, other.length);
}
