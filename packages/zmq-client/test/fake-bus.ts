import { randomUUID } from "node:crypto";
import { setImmediate as yieldToOthers } from "node:timers/promises";
import { type curveKeyPair, Router, Subscriber, XPublisher } from "zeromq";

export interface Request {
  readonly action?: string;
  readonly topic?: unknown;
  readonly snapshot?: unknown;
  readonly features?: unknown;
}

/** Frames of a reply, or silence. */
export type Answer = string | Buffer | readonly (string | Buffer)[] | undefined;

export interface FakeBusOptions {
  readonly ports?: Ports;
  readonly curve?: ReturnType<typeof curveKeyPair>;
  /** Whether it offers sequence numbers. Default true. */
  readonly sequenced?: boolean;
  /** What it subscribes to on its `sub` port. */
  readonly takes?: readonly string[];
  /** Instead of the protocol's answer; returning `usual` gives that. */
  readonly answer?: (request: Request, usual: string) => Answer;
  readonly sendHighWaterMark?: number;
  readonly receiveHighWaterMark?: number;
}

export interface Ports {
  readonly manage: number;
  readonly pub: number;
  readonly sub: number;
}

/** A bus that speaks the protocol and does as it is told: three real sockets on free ports of 127.0.0.1. */
export class FakeBus {
  readonly requests: Request[] = [];
  /** Frames on the `sub` port. */
  readonly taken: string[] = [];
  /** Subscription frames on the `pub` port, as they came. */
  readonly attached: Set<string> = new Set();
  /** Topics and next sequence number by channel. */
  readonly channels: Map<string, { readonly topics: unknown; readonly sequenced: boolean; next: number }> = new Map();
  reading = true;
  readonly #options: FakeBusOptions;
  readonly #manage: Router;
  readonly #pub: XPublisher;
  readonly #sub: Subscriber;
  #grants = 0;

  private constructor(options: FakeBusOptions) {
    this.#options = options;
    const { curve: keys, sendHighWaterMark = 1_000 } = options;
    const curve = keys === undefined ? {} : { curveServer: true, curvePublicKey: keys.publicKey, curveSecretKey: keys.secretKey };
    this.#manage = new Router({ linger: 0, ...curve });
    this.#pub = new XPublisher({ linger: 0, noDrop: true, sendTimeout: 0, sendHighWaterMark, ...curve });
    this.#sub = new Subscriber({ linger: 0, receiveHighWaterMark: options.receiveHighWaterMark ?? 1_000, ...curve });
    this.#sub.subscribe(...(options.takes ?? ["stix2/", "sigma/", "threatbus/snapshotenvelope"]));
  }

  static async start(options: FakeBusOptions = {}): Promise<FakeBus> {
    const bus = new FakeBus(options);
    const { ports } = options;
    await bind(bus.#manage, ports?.manage);
    await bind(bus.#pub, ports?.pub);
    await bind(bus.#sub, ports?.sub);
    void bus.#serve();
    void bus.#watchSubscribers();
    void bus.#take();
    return bus;
  }

  get ports(): Ports {
    return { manage: portOf(this.#manage.lastEndpoint), pub: portOf(this.#pub.lastEndpoint), sub: portOf(this.#sub.lastEndpoint) };
  }

  get port(): number {
    return this.ports.manage;
  }

  actions(action: string): Request[] {
    return this.requests.filter((request) => request.action === action);
  }

  /** The newest channel. */
  get channel(): string {
    return [...this.channels.keys()].at(-1) ?? "";
  }

  /** Sends as a bus does; resolves with false if the subscriber's queue is full. */
  async send(type: string, payload: string, channel: string = this.channel): Promise<boolean> {
    const state = this.channels.get(channel);
    const frames: (string | Buffer)[] = [`${channel}${type} ${payload}`];
    if (state?.sequenced === true) frames.push(sequenceFrame(state.next));
    try {
      await this.#pub.send(frames);
    } catch {
      return false;
    }
    if (state !== undefined) state.next++;
    return true;
  }

  /** As a bus whose queue for a subscriber overflowed. */
  skip(count: number, channel: string = this.channel): void {
    const state = this.channels.get(channel);
    if (state !== undefined) state.next += count;
  }

  raw(...frames: (string | Buffer)[]): Promise<void> {
    return this.#pub.send(frames);
  }

  /** As killed: nobody is told. */
  kill(): void {
    for (const socket of [this.#manage, this.#pub, this.#sub]) socket.close();
  }

  async #serve(): Promise<void> {
    while (!this.#manage.closed) {
      try {
        const [peer, , body] = await this.#manage.receive();
        const request = JSON.parse(String(body)) as Request;
        this.requests.push(request);
        const usual = JSON.stringify(this.#protocol(request));
        const answer = this.#options.answer === undefined ? usual : this.#options.answer(request, usual);
        if (answer === undefined) continue;
        const frames = typeof answer === "string" || Buffer.isBuffer(answer) ? [answer] : answer;
        await this.#manage.send([peer ?? "", "", ...frames]);
      } catch {
        // Closed: the loop's condition tells.
      }
    }
  }

  #protocol({ action, topic, features }: Request): Record<string, unknown> {
    if (action === "subscribe") {
      const channel = `channel-${this.#grants++}-${randomUUID()}`;
      const sequenced = this.#options.sequenced !== false && Array.isArray(features) && features.includes("seq");
      this.channels.set(channel, { topics: topic, sequenced, next: 1 });
      const { pub: pub_port, sub: sub_port } = this.ports;
      return { topic: channel, pub_port, sub_port, status: "success", ...(sequenced ? { features: ["seq"] } : {}) };
    }
    if (action === "heartbeat") return { status: this.channels.has(String(topic)) ? "success" : "error" };
    if (action === "unsubscribe") return { status: this.channels.delete(String(topic)) ? "success" : "error" };
    return { status: "unknown request" };
  }

  async #watchSubscribers(): Promise<void> {
    while (!this.#pub.closed) {
      try {
        const [frame] = await this.#pub.receive();
        if (frame === undefined) continue;
        const prefix = frame.toString("latin1", 1);
        if (frame[0] === 1) this.attached.add(prefix);
        else this.attached.delete(prefix);
      } catch {
        // Closed: the loop's condition tells.
      }
    }
  }

  async #take(): Promise<void> {
    while (!this.#sub.closed) {
      try {
        const [frame] = await this.#sub.receive();
        this.taken.push(String(frame));
        while (!this.reading && !this.#sub.closed) await new Promise((resolve) => setTimeout(resolve, 5));
      } catch {
        // Closed: the loop's condition tells.
      }
    }
  }
}

/** A bus killed a moment ago may still hold its ports. */
async function bind(socket: Router | XPublisher | Subscriber, port?: number): Promise<void> {
  for (;;) {
    try {
      return await socket.bind(`tcp://127.0.0.1:${port ?? "*"}`);
    } catch (error) {
      if (port === undefined || !(error instanceof Error && "code" in error && error.code === "EADDRINUSE")) throw error;
      await yieldToOthers();
    }
  }
}

export function sequenceFrame(number: number | bigint): Buffer {
  const frame = Buffer.alloc(8);
  frame.writeBigUInt64BE(BigInt(number));
  return frame;
}

function portOf(endpoint: string | null): number {
  return Number(endpoint?.split(":").at(-1));
}
