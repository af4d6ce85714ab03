/** A bus shared by a host of the Python Threat Bus and one of ours, and apps that join either. */
import { createBus, type Fields, type ThreatBus } from "@threatbus/core";
import { rabbitmq } from "@threatbus/rabbitmq";
import { reference, type Rabbitmq, type Reference } from "@threatbus/services";
import { freePorts } from "@threatbus/testkit";
import { zmq } from "@threatbus/zmq";
import { connect, type BusIndicator, type Client, type Subscription } from "@threatbus/zmq-client";
import { connect as amqp } from "amqplib";
import { expect, onTestFinished } from "vitest";


export type RabbitmqOptions = NonNullable<Parameters<typeof rabbitmq>[0]>;

export interface OurHost {
  readonly bus: ThreatBus;
  readonly manage: number;
  readonly warnings: readonly { readonly text: string; readonly fields: Fields }[];
}

export async function ours(broker: Rabbitmq, options: RabbitmqOptions): Promise<OurHost> {
  const [manage, pub, sub] = (await freePorts(3)) as [number, number, number];
  const warnings: { text: string; fields: Fields }[] = [];
  const say = (text: string, fields: Fields = {}): void => void warnings.push({ text, fields });
  const bus = createBus({
    backbones: [rabbitmq({ host: "127.0.0.1", port: broker.port, ...options })],
    apps: [zmq({ manage, pub, sub })],
    logger: { debug: () => undefined, info: () => undefined, warn: say, error: say },
  });
  onTestFinished(() => bus.stop().catch(() => undefined));
  await bus.start();
  return { bus, manage, warnings };
}

export interface Ports {
  readonly manage: number;
  readonly pub: number;
  readonly sub: number;
}

export interface TheirHost extends Reference {
  readonly manage: number;
  /** Its configuration file: ours reads it as it is. */
  readonly config: string;
}

/** Starts a host of the reference. Resolves when apps may join it; the broker may come later. */
export async function startTheirs(broker: Rabbitmq, exchange: string, suffix: string, more: MoreOptions = {}): Promise<TheirHost> {
  const [manage, pub, sub] = (await freePorts(3)) as [number, number, number];
  const config = configuration(broker, exchange, suffix, { manage, pub, sub }, more);
  const host = await reference({ config, manage });
  onTestFinished(() => host.stop());
  return Object.assign(host, { manage, config });
}

export interface MoreOptions {
  /** Of the queue, as they stand in braces in YAML: `max_items: 7, lazy: false`. */
  readonly queue?: string;
  /** Of the exchange, likewise: only ours knows any. */
  readonly exchange?: string;
}

/** A configuration file for either. */
export function configuration(broker: Rabbitmq, exchange: string, suffix: string, { manage, pub, sub }: Ports, more: MoreOptions = {}): string {
  return `logging: {console: true, console_verbosity: DEBUG, file: false}
plugins:
  backbones:
    rabbitmq:
      host: 127.0.0.1
      port: ${broker.port}
      username: guest
      password: guest
      vhost: /
      exchange_name: ${exchange}
      queue: {name_suffix: ${suffix}${more.queue === undefined ? "" : `, ${more.queue}`}}
${more.exchange === undefined ? "" : `      exchange: {${more.exchange}}\n`}  apps:
    zmq: {host: "127.0.0.1", manage: ${manage}, pub: ${pub}, sub: ${sub}}
`;
}

/** The same; resolves when it takes messages from the broker. */
export async function theirs(broker: Rabbitmq, exchange: string, suffix: string, more: MoreOptions = {}): Promise<TheirHost> {
  const host = await startTheirs(broker, exchange, suffix, more);
  await consumes(broker, suffix);
  return host;
}

/** Resolves when somebody takes messages from a host's queue. */
export async function consumes(broker: Rabbitmq, suffix: string): Promise<void> {
  await expect.poll(async () => (await queueOf(broker, suffix)).consumerCount).toBeGreaterThan(0);
}

/** Messages in a host's queue that nobody was handed. */
export async function waiting(broker: Rabbitmq, suffix: string): Promise<number> {
  return (await queueOf(broker, suffix)).messageCount;
}

async function queueOf(broker: Rabbitmq, suffix: string): Promise<{ readonly consumerCount: number; readonly messageCount: number }> {
  const none = { consumerCount: 0, messageCount: NaN };
  const connection = await amqp(broker.url).catch(() => undefined);
  if (connection === undefined) return none;
  connection.on("error", () => undefined);
  try {
    const channel = await connection.createChannel();
    channel.on("error", () => undefined);
    return await channel.checkQueue(`threatbus.${suffix}`);
  } catch {
    return none;
  } finally {
    await connection.close().catch(() => undefined);
  }
}

export interface App {
  readonly client: Client;
  /** Objects that came, by id, as they stood on the wire. */
  readonly got: ReadonlyMap<string, Readonly<Record<string, unknown>>>;
}

/** An app that subscribes to everything. */
export async function app(manage: number, snapshot = 0): Promise<App> {
  const client = await connect({ manage, requestTimeout: 10_000 });
  onTestFinished(() => client.close());
  const got = new Map<string, Readonly<Record<string, unknown>>>();
  const read = async (subscription: Subscription): Promise<void> => {
    for await (const message of subscription) if (typeof message.body === "object" && "id" in message.body) got.set(message.body.id, message.body as unknown as Record<string, unknown>);
  };
  void read(await client.subscribe("stix2/", { snapshot }));
  return { client, got };
}

/** Publishes one object after another until one has arrived: the reference takes a moment to connect its parts, and says nothing. */
export async function arrives(from: Client, to: App, make: () => BusIndicator): Promise<void> {
  const sent: string[] = [];
  await expect.poll(async () => {
    const object = make();
    sent.push(object.id);
    await from.publish(object);
    return sent.some((id) => to.got.has(id));
  }, { interval: 200 }).toBe(true);
}
