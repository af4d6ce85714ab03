import type { Buffer } from "node:buffer";
import { MessageBuffer } from "./buffer.ts";
import { ZmqClientError } from "./errors.ts";
import { Feed } from "./feed.ts";
import type { Management } from "./management.ts";
import type { BusMessage } from "./messages.ts";
import type { Gap } from "./sequence.ts";
import { checkInteger, type Settings } from "./settings.ts";
import type { Sockets } from "./sockets.ts";
import type { SubscribeOptions, Subscription, SubscriptionState, SubscriptionStats } from "./subscription.ts";
import { type Grant, readMessage } from "./wire.ts";

const dayInMs = 86_400_000;

/** What a subscription needs of its client. */
export interface SubscriptionParts {
  readonly settings: Settings;
  readonly sockets: Sockets;
  readonly management: Management;
  /** Asks for a heartbeat now. */
  wake(): void;
  granted(grant: Grant): void;
  /** The bus cannot be asked. */
  unreachable(error: ZmqClientError): void;
  ended(): void;
}

export class LiveSubscription implements Subscription {
  readonly topics: readonly string[];
  readonly #options: SubscribeOptions;
  readonly #days: number;
  readonly #buffer: MessageBuffer;
  readonly #feed: Feed;
  readonly #counts = { received: 0, delivered: 0, malformed: 0, ignored: 0, dropped: 0, lost: 0, gaps: 0, resubscribed: 0 };
  readonly #parts: SubscriptionParts;
  #state: SubscriptionState = "subscribed";
  #lastHeard: number = Date.now();
  #closing: Promise<void> | undefined;

  /** @throws TypeError, RangeError */
  constructor(topics: readonly string[], options: SubscribeOptions, parts: SubscriptionParts) {
    this.topics = Object.freeze([...topics]);
    this.#days = options.snapshot ?? 0;
    const capacity = options.buffer ?? 1_000;
    if (topics.length === 0 || !topics.every((topic) => typeof topic === "string")) {
      throw new TypeError("topics must be strings, and at least one");
    }
    checkInteger("snapshot", this.#days, 0, 36_500);
    checkInteger("buffer", capacity, 1, 1_000_000);
    this.#options = options;
    this.#parts = parts;
    this.#buffer = new MessageBuffer(capacity);
    this.#feed = new Feed(parts.sockets, Math.min(capacity, 1_000), {
      frame: (frame, start) => this.#receive(frame, start),
      gap: (gap) => this.#miss(gap),
      linkChanged: () => parts.wake(),
    });
  }

  get state(): SubscriptionState {
    return this.#state;
  }

  get stats(): SubscriptionStats {
    return { ...this.#counts, waiting: this.#buffer.size, sequenced: this.#feed.grant?.sequenced ?? false };
  }

  /** What the bus granted, while it stands. */
  get grant(): Grant | undefined {
    return this.#closing === undefined ? this.#feed.grant : undefined;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<BusMessage, void, undefined> {
    try {
      for (;;) {
        const message = await this.#buffer.take();
        if (message === undefined) return;
        this.#counts.delivered++;
        yield message;
      }
    } finally {
      this.#counts.dropped += this.#buffer.clear();
      await this.close();
    }
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  /** Asks the bus whether it knows the subscription, and subscribes anew if not. @throws ZmqClientError if the bus cannot be asked */
  async confirm(): Promise<void> {
    const { grant } = this;
    if (grant === undefined) return;
    if (await this.#parts.management.heartbeat(grant.channel)) {
      if (this.#state === "lost") this.#become("recovered");
    } else if (this.#closing === undefined) await this.subscribe();
    this.#lastHeard = Date.now();
  }

  /** @throws ZmqClientError */
  async subscribe(): Promise<void> {
    const first = this.#feed.grant === undefined;
    // Once subscribed, only the history of the time away is wanted again.
    const days = first ? this.#days : Math.min(this.#days, Math.max(1, Math.ceil((Date.now() - this.#lastHeard) / dayInMs)));
    const grant = await this.#parts.management.subscribe(this.topics, days);
    if (this.#closing !== undefined) return await this.#parts.management.unsubscribe(grant.channel);
    this.#feed.attach(grant);
    this.#parts.granted(grant);
    if (!first) this.#counts.resubscribed++;
    this.#become(first ? "subscribed" : "resubscribed");
  }

  /** Whether messages can come. */
  connected(ms: number): Promise<boolean> {
    return this.#feed.connected(ms);
  }

  lose(error: ZmqClientError): void {
    if (this.#state !== "lost" && this.#closing === undefined) this.#become("lost", error);
  }

  async #close(): Promise<void> {
    const { grant } = this.#feed;
    const reachable = this.#state !== "lost";
    this.#feed.close();
    this.#buffer.close();
    this.#parts.ended();
    if (grant !== undefined && reachable) {
      await this.#parts.management.unsubscribe(grant.channel).catch((error: unknown) => {
        if (error instanceof ZmqClientError) this.#parts.unreachable(error);
      });
    }
    this.#become("closed");
  }

  #receive(frame: Buffer, start: number): Promise<void> | undefined {
    this.#counts.received++;
    const message = readMessage(frame, start);
    if (typeof message === "string") {
      if (this.#counts.malformed++ === 0) {
        this.#parts.settings.logger.warn("the bus sent a message that cannot be read; further ones are only counted", { reason: message });
      }
    } else if (message.type === "snapshotrequest" && !this.topics.some((topic) => topic.startsWith("threatbus"))) this.#counts.ignored++;
    else this.#buffer.put(message);
    return this.#buffer.full ? this.#buffer.room() : undefined;
  }

  #miss(gap: Gap): void {
    if (this.#counts.gaps++ === 0) this.#parts.settings.logger.warn("messages are missing; further gaps are only counted", { ...gap });
    this.#counts.lost += gap.missing;
    this.#tell(() => this.#options.onGap?.(gap));
  }

  #become(state: SubscriptionState, error?: ZmqClientError): void {
    this.#state = state;
    this.#parts.settings.logger.info("subscription", { state, topics: this.topics, ...(error === undefined ? {} : { code: error.code }) });
    this.#tell(() => this.#options.onStatus?.(state, error));
  }

  #tell(callback: () => void): void {
    try {
      callback();
    } catch (error) {
      this.#parts.settings.logger.error("a callback of the program threw", { error });
    }
  }
}
