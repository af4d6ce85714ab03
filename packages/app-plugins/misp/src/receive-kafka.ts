import { ThreatbusError, backoff } from "@threatbus/core";
import { Consumer, KafkaFault, faultOf, readProperties, readTls } from "@threatbus/kafka-client";
import type { DriverAdmin, Position } from "@threatbus/kafka-client";
import type * as kafkajsModule from "@threatbus/kafka-client/kafkajs";
import type { KafkaOptions } from "./options.ts";
import type { Surroundings } from "./receive.ts";

type Drivers = typeof kafkajsModule;

/** Records handed out and not committed: as many come again after a crash. */
const prefetch = 500;

/** The library, which is installed only where it is needed. @throws ThreatbusError that says how */
export async function loadKafka(): Promise<Drivers> {
  return await import("@threatbus/kafka-client/kafkajs").catch((cause: unknown) => {
    const absent = ["ERR_MODULE_NOT_FOUND", "MODULE_NOT_FOUND"].includes(String((Object(cause) as { code?: unknown }).code));
    throw new ThreatbusError("PLUGIN_START_FAILED", absent ? "misp.kafka needs the package kafkajs, which is not installed" : "kafkajs cannot be loaded", { hint: "run: npm install kafkajs", cause });
  });
}

/**
 * Reads MISP's Kafka topics until the signal fires: values in their order, each committed after `take` resolved with true; false is tried again, since
 * Kafka can wait. Empty values, which MISP writes when it could not encode a message, are given to `take`, too. Connects again by itself.
 */
export async function receiveKafka({ kafkajsDriver }: Drivers, { topics, config }: KafkaOptions, { logger, clock, signal }: Surroundings, take: (value: Uint8Array) => Promise<boolean>): Promise<void> {
  const { connection, tls, group, groupId = "threatbus", reset = "earliest", commitInterval } = readProperties(config).properties;
  const troubles = tellOnce((fault) => logger.warn("MISP's Kafka does not answer, or not as it should; trying on", { reason: fault.message, ...(fault.hint !== undefined && { hint: fault.hint }) }));
  const connections = backoff();
  while (!signal.aborted) {
    let close: () => Promise<void> | void = () => undefined;
    try {
      const driver = kafkajsDriver(tls === undefined ? connection : { ...connection, tls: await readTls(tls) }, (text, fields) => logger.debug(text, fields));
      close = () => driver.close();
      const admin = await driver.admin();
      const starts = await startsOf(admin, groupId, topics, reset).finally(() => admin.close());
      const consumer = new Consumer({
        driver, clock, topics, starts, prefetch, commitInterval,
        group: { ...group, groupId },
        idOf: ({ topic, partition, offset }) => `${topic}/${partition}/${offset}`,
        handle: ({ value }) => untilTaken(value ?? new Uint8Array()),
        onJoined: (assigned) => {
          troubles.over();
          if (assigned.length > 0) logger.info("reading MISP's Kafka topics", { topics: [...new Set(assigned.map(({ topic }) => topic))] });
        },
        onEnded: (fault) => troubles.tell(fault),
      });
      close = async () => {
        await consumer.close();
        driver.close();
      };
      await consumer.start();
      connections.reset();
      await fired(signal);
    } catch (thrown) {
      if (!signal.aborted) troubles.tell(faultOf(thrown));
    }
    await close();
    await clock.sleep(connections.next(), signal);
  }

  async function untilTaken(value: Uint8Array): Promise<void> {
    const waits = backoff();
    while (!(await take(value))) {
      await clock.sleep(waits.next(), signal);
      if (signal.aborted) throw new Error("the bus did not take it");
    }
  }
}

/** Where a group begins that has never read any of these topics. */
async function startsOf(admin: DriverAdmin, groupId: string, topics: readonly string[], reset: "earliest" | "latest"): Promise<Position[]> {
  // It is asked first, too, because kafkajs finds no coordinator before it was told of the brokers.
  const there = await admin.topics();
  const absent = topics.filter((topic) => !there.includes(topic));
  if (absent.length > 0) throw new KafkaFault("missing", `there is no topic ${absent.join(", ")} yet`, { hint: "MISP makes it when it first writes to it: is its Plugin.Kafka_…_notifications_enable on?" });
  if ((await admin.committed(groupId, topics)).length > 0) return [];
  const positions: Position[] = [];
  for (const topic of topics) positions.push(...(await admin.positions(topic, reset)));
  return positions;
}

function tellOnce(tell: (fault: KafkaFault) => void): { tell(fault: KafkaFault): void; over(): void } {
  let told = "";
  return {
    tell(fault) {
      if (fault.message !== told) tell(fault);
      told = fault.message;
    },
    over() {
      told = "";
    },
  };
}

function fired(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
