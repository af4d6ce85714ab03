import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { createBus, message, systemClock } from "@threatbus/core";
import type { ConfiguredApp, Message, SubscriptionStats, ThreatBus } from "@threatbus/core";
import { inmem } from "@threatbus/inmem";
import { type FakeHost, fakeHost, freePorts as ports } from "@threatbus/testkit";
import { onTestFinished } from "vitest";
import { Request, Subscriber, XPublisher } from "zeromq";
import type { SocketOptions } from "zeromq";
import { zmq } from "../src/index.ts";

export const scale: number = Number(process.env["THREATBUS_TEST_SCALE"] ?? 1);

export interface Ports {
  readonly manage: number;
  readonly pub: number;
  readonly sub: number;
}

export type Options = Exclude<Parameters<typeof zmq>[0], undefined>;

export async function freePorts(): Promise<Ports> {
  const [manage = 0, pub = 0, sub = 0] = await ports(3);
  return { manage, pub, sub };
}

export interface Stand {
  readonly bus: ThreatBus;
  readonly ports: Ports;
  /** What the plugin logged and counted. */
  readonly host: FakeHost;
}

/** A bus with the zmq plugin on free ports, ended with the test. */
export async function stand(options: Options = {}, others: readonly ConfiguredApp[] = []): Promise<Stand> {
  const ports = await freePorts();
  const host = fakeHost({ clock: systemClock });
  const plugin = zmq({ ...ports, ...options });
  const watched: ConfiguredApp = {
    ...plugin,
    create: (real) => plugin.create({ ...real, logger: host.logger, metrics: host.metrics }),
  };
  const bus = createBus({ backbones: [inmem()], apps: [watched, ...others], logger: host.logger, drainTimeout: 60_000 });
  await bus.start();
  onTestFinished(async () => void (await bus.stop().catch(() => undefined)));
  return { bus, ports, host: host as unknown as FakeHost };
}

/** An app of the old kind, as the programs for the first Threat Bus do it: REQ, SUB and PUB sockets and nothing else. */
export class OldApp {
  readonly ports: Ports;
  readonly #security: SocketOptions<Request> & SocketOptions<Subscriber> & SocketOptions<XPublisher>;
  readonly #closing: (() => void)[] = [];
  #publisher: XPublisher | undefined;

  constructor(ports: Ports, security: SocketOptions<Request> & SocketOptions<Subscriber> & SocketOptions<XPublisher> = {}) {
    this.ports = ports;
    this.#security = security;
    onTestFinished(() => this.close());
  }

  async ask(request: unknown): Promise<Record<string, unknown>> {
    return this.askRaw(JSON.stringify(request));
  }

  async askRaw(request: string | Buffer | (string | Buffer)[]): Promise<Record<string, unknown>> {
    const socket = new Request({ linger: 0, receiveTimeout: 60_000, ...this.#security });
    try {
      socket.connect(`tcp://127.0.0.1:${this.ports.manage}`);
      await socket.send(request);
      const [reply] = await socket.receive();
      return JSON.parse(String(reply)) as Record<string, unknown>;
    } finally {
      socket.close();
    }
  }

  /** Asks for a subscription; returns its channel. */
  async subscribe(topic: string | readonly string[], extra: Record<string, unknown> = {}): Promise<string> {
    const reply = await this.ask({ action: "subscribe", topic, snapshot: 0, ...extra });
    if (typeof reply["topic"] !== "string") throw new Error(`refused: ${JSON.stringify(reply)}`);
    return reply["topic"];
  }

  /** Connects to what it was given. */
  listen(prefix: string, options: SocketOptions<Subscriber> = {}): Subscriber {
    const socket = new Subscriber({ linger: 0, receiveHighWaterMark: 0, receiveTimeout: 60_000, ...this.#security, ...options });
    this.#closing.push(() => socket.close());
    socket.subscribe(prefix);
    socket.connect(`tcp://127.0.0.1:${this.ports.pub}`);
    return socket;
  }

  /** Publishes one frame; the first waits until the bus has said what it takes, since what nobody takes is dropped. */
  async publish(frame: string | Buffer): Promise<void> {
    this.#publisher ??= await this.#connected();
    await this.#publisher.send(frame);
  }

  async #connected(): Promise<XPublisher> {
    const socket = new XPublisher({ linger: 0, sendHighWaterMark: 0, ...this.#security });
    this.#closing.push(() => socket.close());
    socket.connect(`tcp://127.0.0.1:${this.ports.sub}`);
    for (let subscriptions = 0; subscriptions < 4; subscriptions++) await socket.receive();
    return socket;
  }

  close(): void {
    for (const end of this.#closing.splice(0)) end();
  }
}

/** The next `count` frames, as text. */
export async function take(socket: Subscriber, count: number): Promise<string[]> {
  const frames: string[] = [];
  while (frames.length < count) frames.push(String((await socket.receive())[0]));
  return frames;
}

export function indicator(n: number): Message {
  const value = `10.${(n >> 16) & 255}.${(n >> 8) & 255}.${n & 255}`;
  return message({
    type: "indicator",
    spec_version: "2.1",
    id: `indicator--00000000-0000-4000-8000-${n.toString(16).padStart(12, "0")}`,
    created: "2024-05-01T10:00:00.000Z",
    modified: "2024-05-01T10:00:00.000Z",
    pattern: `[ipv4-addr:value = '${value}']`,
    pattern_type: "stix",
    valid_from: "2024-05-01T10:00:00Z",
    indicator_types: ["malicious-activity"],
  });
}

export function frameOf(n: number, topic = "stix2/indicator"): Buffer {
  return Buffer.concat([Buffer.from(`${topic} `), indicator(n).payload]);
}

export function subscriptionsOf(bus: ThreatBus): readonly SubscriptionStats[] {
  return bus.stats().subscriptions.filter(({ name }) => name.startsWith("zmq"));
}

/** An app in a process of its own that subscribes to a channel, says when it has had something, and is killed by the test. */
export function appProcess(port: number, channel: string): { child: ChildProcess; received: Promise<void> } {
  const child = fork(fileURLToPath(new URL("subscriber.mjs", import.meta.url)), [String(port), channel], { stdio: "ignore" });
  onTestFinished(() => void child.kill("SIGKILL"));
  return { child, received: new Promise((resolve) => child.once("message", () => resolve())) };
}
