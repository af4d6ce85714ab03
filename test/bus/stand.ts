import { createBus, message, type ConfiguredApp, type Logger, type Sample, type SubscriptionStats, type ThreatBus } from "@threatbus/core";
import { inmem } from "@threatbus/inmem";
import { expectBalanced, freePorts } from "@threatbus/testkit";
import { zmq } from "@threatbus/zmq";
import { connect, type BusIndicator, type Client, type ConnectOptions, type Subscription } from "@threatbus/zmq-client";
import { onTestFinished } from "vitest";

export const scale: number = Number(process.env["THREATBUS_TEST_SCALE"] ?? 1);
/** The same seed gives the same faults and the same garbage. */
export const seed: number = Number(process.env["THREATBUS_TEST_SEED"] ?? 20_240_501);

/** Into the report: what makes a run worth believing, and repeatable. */
export function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

export interface Ports {
  readonly manage: number;
  readonly pub: number;
  readonly sub: number;
}

export type Options = Exclude<Parameters<typeof zmq>[0], undefined>;

export async function threePorts(): Promise<Ports> {
  const [manage = 0, pub = 0, sub = 0] = await freePorts(3);
  return { manage, pub, sub };
}

export interface Line {
  readonly level: keyof Logger;
  readonly text: string;
}

export interface Stand {
  readonly bus: ThreatBus;
  readonly ports: Ports;
  /** What the bus and its plugins said. */
  readonly lines: readonly Line[];
}

export interface StandOptions {
  readonly zmq?: Options;
  readonly apps?: readonly ConfiguredApp[];
  readonly ports?: Ports;
}

/** A running bus with the in-memory backbone and the zmq app, ended with the test: then its figures must balance once more. */
export async function stand({ zmq: options = {}, apps = [], ports }: StandOptions = {}): Promise<Stand> {
  const taken = ports ?? (await threePorts());
  const lines: Line[] = [];
  const write = (level: keyof Logger) => (text: string): void => void lines.push({ level, text });
  const logger: Logger = { debug: write("debug"), info: write("info"), warn: write("warn"), error: write("error") };
  const bus = createBus({ backbones: [inmem()], apps: [zmq({ ...taken, ...options }), ...apps], logger, drainTimeout: 2_000 });
  await bus.start();
  onTestFinished(async () => {
    await bus.stop().catch(() => undefined);
    expectBalanced(bus.stats());
  });
  return { bus, ports: taken, lines };
}

/** A client of the bus, closed before the bus stops. */
export async function join(manage: number, options: ConnectOptions = {}): Promise<Client> {
  const client = await connect({ manage, linger: 100, ...options });
  onTestFinished(() => client.close());
  return client;
}

/** What the zmq app counts under a name, whatever the labels. */
export function counted(bus: ThreatBus, name: string): number {
  const samples: readonly Sample[] = bus.stats().plugins["zmq"] ?? [];
  return samples.reduce((sum, sample) => sum + (sample.name === `zmq_${name}` ? sample.value : 0), 0);
}

/** The subscriptions that apps hold over ZeroMQ, in the order they were made. */
export function subscriptionsOf(bus: ThreatBus): readonly SubscriptionStats[] {
  return bus.stats().subscriptions.filter(({ name }) => name.startsWith("zmq"));
}

/** The n-th indicator of a producer (0 to 65,535). */
export function indicator(n: number, producer = 0): BusIndicator {
  const tail = n.toString(16).padStart(12, "0");
  return {
    type: "indicator",
    spec_version: "2.1",
    id: `indicator--00000000-0000-4000-8000-${producer.toString(16).padStart(4, "0")}${tail.slice(4)}`,
    created: "2024-05-01T10:00:00.000Z",
    modified: "2024-05-01T10:00:00.000Z",
    pattern: `[ipv4-addr:value = '10.${(n >> 16) & 255}.${(n >> 8) & 255}.${n & 255}']`,
    pattern_type: "stix",
    valid_from: "2024-05-01T10:00:00Z",
    indicator_types: ["malicious-activity"],
  };
}

export function bytesOf(object: BusIndicator): Uint8Array {
  return message(object).payload;
}

/** Reads a subscription to its end; `take` is told each object's id and bytes, and may hold up the next. */
export async function read(subscription: Subscription, take: (id: string, payload: Uint8Array) => Promise<void> | void): Promise<void> {
  for await (const received of subscription) {
    if (received.type === "indicator" || received.type === "sighting") await take(received.body.id, received.payload);
  }
}
