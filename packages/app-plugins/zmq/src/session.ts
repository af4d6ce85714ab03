import { Buffer } from "node:buffer";
import type { Clock, Counter, Message, SnapshotRequest, Subscription, Topic } from "@threatbus/core";
import { type Egress, isFull } from "./egress.ts";

/** Types whose prefix is kept; beyond it it is made anew. Types come from outside. */
const mostPrefixes = 64;

export interface SessionSetup {
  readonly channel: string;
  /** Whether the app asked for sequence numbers. */
  readonly sequenced: boolean;
  readonly egress: Egress;
  readonly clock: Clock;
  readonly sent: Counter;
  readonly retries: Counter;
}

/** One subscription of an app: what it is sent, and whether it is there to get it. */
export class Session {
  readonly channel: string;
  readonly #setup: SessionSetup;
  readonly #prefixes = new Map<Topic, Buffer>();
  #subscription: Subscription | undefined;
  #sent = 0;
  #sentBefore = 0;
  #peers = 0;
  #ended = false;
  #fullSince: number | undefined;
  #wake: () => void = () => undefined;

  constructor(setup: SessionSetup) {
    this.#setup = setup;
    this.channel = setup.channel;
  }

  /** Whether an app is connected to the channel. */
  get attached(): boolean {
    return this.#peers > 0;
  }

  /** Since when the app's pipe is full, in milliseconds; undefined if it has room. */
  get fullSince(): number | undefined {
    return this.#fullSince;
  }

  get subscription(): Subscription | undefined {
    return this.#subscription;
  }

  set subscription(subscription: Subscription) {
    this.#subscription = subscription;
  }

  attach(): void {
    if (this.#peers++ === 0) this.#sentBefore = this.#sent;
    this.#wake();
  }

  /** Returns how many messages were sent since the app attached, if it is gone now. */
  detach(): number | undefined {
    if (this.#peers === 0 || --this.#peers > 0) return undefined;
    return this.#sent - this.#sentBefore;
  }

  /** Ends the subscription: what waits is dropped, and counted by the bus. */
  async end(): Promise<void> {
    this.#ended = true;
    this.#wake();
    await this.#subscription?.close();
  }

  /** Sends one message once the app is there and has room. Rejects when the session ends before that. */
  readonly handle = async (message: Message): Promise<void> => {
    if (this.#isOwn(message)) return;
    const frame = this.#frame(message);
    const { egress, clock, sequenced, sent, retries } = this.#setup;
    for (let attempt = 0; ; attempt++) {
      if (this.#peers === 0 || this.#ended) await this.#attachment();
      try {
        await egress.send(sequenced ? [frame, this.#sequence()] : frame);
        this.#sent++;
        sent.add();
        this.#fullSince = undefined;
        return;
      } catch (thrown) {
        if (!isFull(thrown)) throw thrown;
      }
      this.#fullSince ??= clock.now();
      retries.add();
      await egress.room(attempt);
    }
  };

  /** Nobody answers a snapshot for themselves. */
  #isOwn(message: Message): boolean {
    if (message.topic !== "threatbus/snapshotrequest") return false;
    return this.#subscription?.snapshots.has((message.body as SnapshotRequest).snapshot_id) === true;
  }

  async #attachment(): Promise<void> {
    while (this.#peers === 0 && !this.#ended) await new Promise<void>((resolve) => (this.#wake = resolve));
    if (this.#ended) throw new Error("the app is gone");
  }

  /** Channel, type, a space, payload: in new memory, since the socket keeps it. */
  #frame({ topic, payload }: Message): Buffer {
    const prefix = this.#prefixes.get(topic) ?? this.#newPrefix(topic);
    const frame = Buffer.allocUnsafe(prefix.length + payload.length);
    frame.set(prefix, 0);
    frame.set(payload, prefix.length);
    return frame;
  }

  #newPrefix(topic: Topic): Buffer {
    const prefix = Buffer.from(`${this.channel}${topic.slice(topic.lastIndexOf("/") + 1)} `);
    if (this.#prefixes.size < mostPrefixes) this.#prefixes.set(topic, prefix);
    return prefix;
  }

  /** Counts what the queue dropped, so that the app sees a gap where something is missing. Unsigned 64 bits, big-endian. */
  #sequence(): Buffer {
    const { overflow, budget } = this.#subscription?.stats.dropped ?? { overflow: 0, budget: 0 };
    const number = this.#sent + overflow + budget + 1;
    const bytes = Buffer.allocUnsafe(8);
    bytes.writeUInt32BE(Math.floor(number / 2 ** 32), 0);
    bytes.writeUInt32BE(number % 2 ** 32, 4);
    return bytes;
  }
}
