import { ZmqClientError } from "./errors.ts";
import { Heartbeats } from "./heartbeats.ts";
import { LiveSubscription } from "./live-subscription.ts";
import { Management } from "./management.ts";
import type { Publishable } from "./messages.ts";
import { Publisher } from "./publisher.ts";
import { type ConnectOptions, type Settings, settingsOf } from "./settings.ts";
import { answerSnapshots, type SnapshotAnswer } from "./snapshots.ts";
import { type Sockets, socketsOf } from "./sockets.ts";
import type { SubscribeOptions, Subscription } from "./subscription.ts";
import { type Reply, writeMessage } from "./wire.ts";

/** A program's membership in a bus. It keeps the process alive until `close`. */
export interface Client {
  /**
   * Resolves when messages can come. A topic is `<format>/<type>` or the beginning of one: `stix2/indicator`, `stix2/`.
   * @throws ZmqClientError `REQUEST_REFUSED`, `REQUEST_TIMEOUT`, `REPLY_INVALID`, `CONNECTION_FAILED`, `CLOSED`
   */
  subscribe(topics: string | readonly string[], options?: SubscribeOptions): Promise<Subscription>;
  /**
   * Resolves when the message is queued on a standing connection; waits for one, and for room, at most `publishTimeout`. Messages leave
   * in the order of the calls. The protocol has no answer to a message: the bus counts what it refuses.
   * @throws ZmqClientError `CONNECTION_FAILED`, `REQUEST_TIMEOUT`, `REQUEST_REFUSED` (the bus does not take this topic), `CLOSED`;
   * TypeError and RangeError for what cannot be sent
   */
  publish(message: Publishable): Promise<void>;
  /** Answers requests for history until closed. Resolves when requests can come. @throws what `subscribe` throws */
  onSnapshotRequest(answer: SnapshotAnswer): Promise<SnapshotResponder>;
  /** Sends any request to the management port: for tests and tools. @throws ZmqClientError */
  request(body: Readonly<Record<string, unknown>>): Promise<Reply>;
  /**
   * Ends every subscription at the bus, sends what is under way (at most `linger` milliseconds), frees every handle: the process
   * can then end by itself. Calling `process.exit` instead throws away messages still on their way. Never rejects; twice is harmless.
   */
  close(): Promise<void>;
}

export interface SnapshotResponder {
  /** Stops answering; answers under way get their signal. Never rejects. */
  close(): Promise<void>;
}

/**
 * Joins a bus: resolves once one answers.
 * @throws ZmqClientError `CONNECTION_FAILED`, `REQUEST_TIMEOUT`, `REPLY_INVALID`, `CLOSED`; TypeError and RangeError for wrong options
 */
export async function connect(options: ConnectOptions = {}): Promise<Client> {
  const client = new LiveClient(settingsOf(options));
  const { signal } = options;
  const end = (): void => void client.close();
  if (signal?.aborted === true) end();
  signal?.addEventListener("abort", end, { once: true });
  client.ended = () => signal?.removeEventListener("abort", end);
  try {
    // Any answer will do: the bus cannot know this topic.
    await client.request({ action: "heartbeat", topic: "hello" });
    return client;
  } catch (error) {
    await client.close();
    throw error;
  }
}

class LiveClient implements Client {
  ended: () => void = () => undefined;
  readonly #settings: Settings;
  readonly #sockets: Sockets;
  readonly #management: Management;
  readonly #publisher: Publisher;
  readonly #subscriptions = new Set<LiveSubscription>();
  readonly #heartbeats: Heartbeats;
  readonly #responders = new Set<SnapshotResponder>();
  #closing: Promise<void> | undefined;

  constructor(settings: Settings) {
    this.#settings = settings;
    this.#sockets = socketsOf(settings);
    this.#management = new Management(this.#sockets, settings.requestTimeout);
    this.#publisher = new Publisher(this.#sockets, settings.publishTimeout, () => this.#locate());
    this.#heartbeats = new Heartbeats(this.#subscriptions, settings.heartbeatInterval);
  }

  async subscribe(topics: string | readonly string[], options: SubscribeOptions = {}): Promise<Subscription> {
    this.#assertOpen();
    const { signal } = options;
    signal?.throwIfAborted();
    const end = (): void => void subscription.close();
    const subscription = new LiveSubscription(typeof topics === "string" ? [topics] : topics, options, {
      settings: this.#settings,
      sockets: this.#sockets,
      management: this.#management,
      wake: () => this.#heartbeats.wake(),
      granted: (grant) => this.#publisher.moved(grant.subPort),
      unreachable: (error) => this.#lose(error),
      ended: () => {
        this.#subscriptions.delete(subscription);
        signal?.removeEventListener("abort", end);
      },
    });
    signal?.addEventListener("abort", end, { once: true });
    this.#subscriptions.add(subscription);
    try {
      await subscription.subscribe();
      if (!(await subscription.connected(this.#settings.requestTimeout)) && subscription.grant !== undefined) {
        throw new ZmqClientError("CONNECTION_FAILED", "the bus took the subscription, but the port it sends on cannot be reached", {
          hint: `is port ${subscription.grant.pubPort} open from here?`,
        });
      }
      this.#assertOpen();
      signal?.throwIfAborted();
      return subscription;
    } catch (error) {
      await subscription.close();
      throw error;
    }
  }

  async publish(message: Publishable): Promise<void> {
    this.#assertOpen();
    const { topic, frame } = writeMessage(message, this.#settings.maxPublishSize);
    await this.#publisher.publish(topic, frame);
  }

  async onSnapshotRequest(answer: SnapshotAnswer): Promise<SnapshotResponder> {
    const requests = await this.subscribe("threatbus/snapshotrequest");
    const stop = new AbortController();
    void answerSnapshots({
      requests,
      answer,
      publish: (envelope) => this.publish(envelope),
      logger: this.#settings.logger,
      signal: stop.signal,
    });
    const responder: SnapshotResponder = {
      close: async () => {
        this.#responders.delete(responder);
        stop.abort();
        await requests.close();
      },
    };
    this.#responders.add(responder);
    return responder;
  }

  request(body: Readonly<Record<string, unknown>>): Promise<Reply> {
    return this.#management.request(body);
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  async #close(): Promise<void> {
    this.ended();
    this.#heartbeats.stop();
    const timeUp = setTimeout(() => this.#management.close(), this.#settings.requestTimeout);
    for (const responder of [...this.#responders]) await responder.close();
    // One after the other: when the bus does not answer the first, the others need not ask.
    for (const subscription of [...this.#subscriptions]) await subscription.close();
    clearTimeout(timeUp);
    await this.#publisher.close(this.#settings.linger);
    this.#management.close();
  }

  #lose(error: ZmqClientError): void {
    for (const subscription of this.#subscriptions) subscription.lose(error);
  }

  /** The port that takes messages: as last granted, else as granted to a subscription made to ask. */
  async #locate(): Promise<number> {
    for (const { grant, state } of this.#subscriptions) if (grant !== undefined && state !== "lost") return grant.subPort;
    const { subPort, channel } = await this.#management.subscribe(["threatbus/none"], 0);
    await this.#management.unsubscribe(channel);
    return subPort;
  }

  #assertOpen(): void {
    if (this.#closing !== undefined) throw new ZmqClientError("CLOSED");
  }
}

