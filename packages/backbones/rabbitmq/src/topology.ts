import { hostname } from "node:os";
import { ThreatbusError } from "@threatbus/core";
import type { Logger } from "@threatbus/core";
import type { Options } from "amqplib";
import type { Connection } from "./connection.ts";
import type { RabbitmqOptions } from "./options.ts";
import { differenceOf } from "./troubles.ts";

/** The last broker that knows `x-queue-mode`, as major and minor. */
const lastWithModes = [3, 11] as const;

/** How the exchange is declared: as configured, or as it was found. */
export interface ExchangeForm {
  durable: boolean;
  autoDelete: boolean;
}

/** What this host calls itself to the others. */
export function hostSuffix({ queue }: RabbitmqOptions): string {
  return queue.name_suffix ?? hostname();
}

export function queueName(options: RabbitmqOptions): string {
  return `threatbus${options.queue.name_join_symbol}${hostSuffix(options)}`;
}

/**
 * Declares what a host needs: the exchange, its queue, the binding, and where dead letters go. The exchange is taken as it is if it exists
 * in another form, and `form` remembers how, so that a broker that lost it gets it back as the others know it.
 * @throws ThreatbusError `OPTIONS_INVALID` when the queue exists and is not as configured
 */
export async function declare(connection: Connection, options: RabbitmqOptions, form: ExchangeForm, logger: Logger): Promise<void> {
  await declareExchange(connection, options, form, logger);
  await declareDeadLetters(connection, options);
  const queue = queueName(options);
  const { consumerCount } = await declareQueue(connection, queue, options);
  if (consumerCount > 0) {
    logger.warn("another host takes messages from this queue: each gets a part of them only; give every host its own queue.name_suffix", { queue, consumers: consumerCount });
  }
  await bind(connection, queue, options.exchange_name);
}

/**
 * The key means nothing to a fanout exchange; it is the one the first Threat Bus uses, so that the binding is the same.
 *
 * RabbitMQ 3.10 confirms a binding before it is on its disk: killed then, the broker has the queue and forgot the binding, and confirms what it
 * drops from there on, until this host is back. The next change of that kind takes the one before to the disk.
 */
async function bind(connection: Connection, queue: string, exchange: string): Promise<void> {
  const passing = `${queue}.bound`;
  await onChannel(connection, async (channel) => {
    await channel.bindQueue(queue, exchange, queue);
    await channel.bindQueue(queue, exchange, passing);
    await channel.unbindQueue(queue, exchange, passing);
  });
}

async function declareExchange(connection: Connection, options: RabbitmqOptions, form: ExchangeForm, logger: Logger): Promise<void> {
  const { exchange_name: name, exchange } = options;
  for (;;) {
    try {
      return void (await onChannel(connection, (channel) => channel.assertExchange(name, "fanout", { ...form })));
    } catch (thrown) {
      const { argument, current } = differenceOf(thrown) ?? {};
      const other = current === "true" || current === "false" ? current === "true" : undefined;
      if (argument === "durable" && other !== undefined && other !== form.durable && exchange.durable === undefined) {
        form.durable = other;
        logger.warn(
          other
            ? "the exchange is durable, and is used as it is"
            : "the exchange is not durable, and is used as it is: a restart of the broker ends it until a host comes back. If no host of the Python Threat Bus uses it, delete it and start again; if one does, set exchange.durable to false everywhere",
          { exchange: name },
        );
      } else if (argument === "auto_delete" && other !== undefined && other !== form.autoDelete) {
        form.autoDelete = other;
        logger.warn("the exchange is deleted with its last queue, and is used as it is", { exchange: name });
      } else if (argument === "durable") {
        throw invalid("exchange.durable", `the exchange ${name} exists and is ${exchange.durable === true ? "not " : ""}durable`, "leave exchange.durable out to use it as it is, or delete the exchange", thrown);
      } else if (argument === "type") {
        throw invalid("exchange_name", `${name} exists and is no fanout exchange`, "name another exchange_name", thrown);
      } else throw thrown;
    }
  }
}

/** An exchange that exists is its owner's business, and so is where it leads. */
async function declareDeadLetters(connection: Connection, { queue: { dead_letter_exchange: name } }: RabbitmqOptions): Promise<void> {
  if (name === undefined) return;
  const exists = await onChannel(connection, (channel) => channel.checkExchange(name)).then(() => true, (thrown: { code?: unknown }) => {
    if (thrown.code === 404) return false;
    throw thrown;
  });
  if (exists) return;
  await onChannel(connection, async (channel) => {
    await channel.assertExchange(name, "fanout", { durable: true });
    await channel.assertQueue(name, { durable: true });
    await channel.bindQueue(name, name, "");
  });
}

async function declareQueue(connection: Connection, name: string, options: RabbitmqOptions): Promise<{ consumerCount: number }> {
  const { queue } = options;
  const withMode = queue.type === "classic" && !isAfter(connection.version, lastWithModes);
  const declared: Options.AssertQueue = {
    durable: queue.durable,
    autoDelete: queue.auto_delete,
    exclusive: queue.exclusive,
    arguments: {
      ...(withMode && { "x-queue-mode": queue.lazy ? "lazy" : "default" }),
      ...(queue.type === "quorum" && { "x-queue-type": "quorum" }),
      ...(queue.max_items > 0 && { "x-max-length": queue.max_items }),
      ...(queue.max_items > 0 && queue.overflow === "reject_publish" && { "x-overflow": "reject-publish" }),
      ...(queue.dead_letter_exchange !== undefined && { "x-dead-letter-exchange": queue.dead_letter_exchange }),
    },
  };
  try {
    return await onChannel(connection, (channel) => channel.assertQueue(name, declared));
  } catch (thrown) {
    const difference = differenceOf(thrown);
    if (difference === undefined) throw thrown;
    // Only classic queues have a mode: where a quorum queue was asked for, it is the type that differs.
    const option = queue.type === "quorum" && difference.argument === "x-queue-mode" ? "queue.type" : (optionOf.get(difference.argument) ?? "queue");
    throw invalid(
      option,
      `the queue ${name} exists with another ${difference.argument}: it is ${difference.current}, the configuration says ${difference.wanted}`,
      `set ${option} as it was, or delete the queue when it is empty: rabbitmqctl delete_queue ${name} --if-empty`,
      thrown,
    );
  }
}

/** The option behind each argument a broker may find different. */
const optionOf: ReadonlyMap<string, string> = new Map([
  ["durable", "queue.durable"],
  ["auto_delete", "queue.auto_delete"],
  ["exclusive", "queue.exclusive"],
  ["x-queue-mode", "queue.lazy"],
  ["x-queue-type", "queue.type"],
  ["x-max-length", "queue.max_items"],
  ["x-overflow", "queue.overflow"],
  ["x-dead-letter-exchange", "queue.dead_letter_exchange"],
]);

function invalid(option: string, message: string, hint: string, cause: unknown): ThreatbusError {
  return new ThreatbusError("OPTIONS_INVALID", `${option}: ${message}`, { hint, cause, issues: [{ path: option.split("."), message, hint }] });
}

/** A channel that ends with what is done on it: a broker that says no closes it. */
async function onChannel<T>(connection: Connection, work: (channel: Awaited<ReturnType<Connection["model"]["createChannel"]>>) => Promise<T>): Promise<T> {
  const channel = await connection.model.createChannel();
  channel.on("error", () => undefined);
  const result = await work(channel);
  await channel.close();
  return result;
}

function isAfter(version: string, [major, minor]: readonly [number, number]): boolean {
  const [ofBroker = 0, minorOfBroker = 0] = version.split(".").map(Number);
  return ofBroker > major || (ofBroker === major && minorOfBroker > minor);
}
