import { defaultQueueLimits } from "@threatbus/core";
import type { Bus, Counter, Host, QueueLimits, SubscribeOptions, Subscription } from "@threatbus/core";
import { newChannel } from "./channel.ts";
import type { Doorkeeper, Egress } from "./egress.ts";
import type { ZmqOptions } from "./options.ts";
import { type Desk, RequestRefused, type Wish } from "./requests.ts";
import { Session } from "./session.ts";
import { pipeLength } from "./sockets.ts";

/** Milliseconds the bus may take to open a subscription. */
const patience = 5_000;
/** Milliseconds per subscription, when there are more than `burst` in a row: every app gets its turn. */
const pace = 5;
const burst = 200;
/** Milliseconds after which a subscription whose app never came may make room for another. */
const young = 1_000;
/** Milliseconds an app that is not connected keeps the bus from stopping. */
const farewell = 1_000;
/** Milliseconds after which an app that reads nothing counts as stalled. */
const stall = 3_000;

interface Entry {
  readonly session: Session;
  /** When it was opened, or its app went away last. Milliseconds, like all times here. */
  since: number;
  everAttached: boolean;
  heard: number | undefined;
}

/** All subscriptions of apps, by channel: opened by request, ended by request, by their app's silence or by the bus. */
export class Sessions implements Desk, Doorkeeper {
  readonly #bus: Bus;
  readonly #host: Host;
  readonly #options: ZmqOptions;
  readonly #egress: Egress;
  readonly #queue: Partial<QueueLimits>;
  readonly #entries = new Map<string, Entry>();
  readonly #sent: Counter;
  readonly #retries: Counter;
  readonly #maybeLost: Counter;
  #next = 0;

  constructor(bus: Bus, host: Host, options: ZmqOptions, egress: Egress) {
    this.#bus = bus;
    this.#host = host;
    this.#options = options;
    this.#egress = egress;
    const { max_items, max_bytes, overflow } = options.queue;
    this.#queue = {
      ...(max_items === undefined ? {} : { maxItems: max_items }),
      ...(max_bytes === undefined ? {} : { maxBytes: max_bytes }),
      ...(overflow === undefined ? {} : { overflow }),
    };
    this.#sent = host.metrics.counter("zmq_sent");
    this.#retries = host.metrics.counter("zmq_retries");
    this.#maybeLost = host.metrics.counter("zmq_maybe_lost");
    host.metrics.gauge("zmq_subscriptions", () => this.#entries.size);
    host.metrics.gauge("zmq_attached", () => [...this.#entries.values()].filter(({ session }) => session.attached).length);
  }

  async subscribe({ topics, days, sequenced }: Wish): Promise<string> {
    await this.#pace();
    const full = this.#entries.size >= this.#options.max_subscriptions;
    if (full && !this.#makeRoom()) throw new RequestRefused("there are too many subscriptions");
    const channel = newChannel();
    const { clock } = this.#host;
    const session = new Session({ channel, sequenced, egress: this.#egress, clock, sent: this.#sent, retries: this.#retries });
    // Apps that keep history are asked for it this way, whatever they subscribe to.
    const wanted = [...topics, "threatbus/snapshotrequest"];
    const subscription = await this.#open(wanted, session, { snapshot: days * 86_400, queue: this.#queue });
    session.subscription = subscription;
    this.#entries.set(channel, { session, since: this.#host.clock.now(), everAttached: false, heard: undefined });
    void subscription.closed.then(() => this.#forget(channel));
    return channel;
  }

  unsubscribe(channel: string): boolean {
    return this.#forget(channel);
  }

  heartbeat(channel: string): boolean {
    const entry = this.#entries.get(channel);
    if (entry !== undefined) entry.heard = this.#host.clock.now();
    return entry !== undefined;
  }

  attach(channel: string): boolean {
    const entry = this.#entries.get(channel);
    if (entry === undefined) return false;
    entry.everAttached = true;
    entry.session.attach();
    return true;
  }

  detach(channel: string): void {
    const entry = this.#entries.get(channel);
    const sent = entry?.session.detach();
    if (entry === undefined || sent === undefined) return;
    entry.since = this.#host.clock.now();
    this.#maybeLost.add(Math.min(sent, pipeLength(this.#options.max_message_size)));
  }

  /**
   * Whether every connected app reads, and none keeps up: half of each one's queue is taken. Then publishers had better wait than have
   * messages dropped. An app that keeps up, or has stalled, is no reason to.
   */
  get behind(): boolean {
    const { maxItems, maxBytes } = { ...defaultQueueLimits, ...this.#queue };
    let some = false;
    for (const { session } of this.#entries.values()) {
      const { attached, fullSince, subscription } = session;
      if (!attached || (fullSince !== undefined && this.#host.clock.now() - fullSince > stall)) continue;
      if (fullSince === undefined || subscription === undefined) return false;
      const { waiting, waitingBytes } = subscription.stats;
      if (waiting * 2 < maxItems && waitingBytes * 2 < maxBytes) return false;
      some = true;
    }
    return some;
  }

  /** Ends the sessions whose app stays away. One that is connected lives on without heartbeats. */
  sweep(): void {
    const now = this.#host.clock.now();
    const { attach_timeout, grace, heartbeat_timeout } = this.#options;
    for (const [channel, { session, since, everAttached, heard }] of this.#entries) {
      if (session.attached) continue;
      const away = now - since > (everAttached ? grace : attach_timeout) * 1_000;
      const silent = everAttached && heard !== undefined && now - Math.max(heard, since) > heartbeat_timeout * 1_000;
      if (!away && !silent) continue;
      const { name } = session.subscription ?? {};
      this.#host.logger.info("an app stayed away: its subscription is ended", { subscription: name, attached: everAttached });
      this.#forget(channel);
    }
  }

  /** The bus stops: who is not connected soon gets nothing any more. */
  async dismiss(): Promise<void> {
    await this.#host.clock.sleep(farewell);
    for (const [channel, { session }] of this.#entries) if (!session.attached) this.#forget(channel);
  }

  async #open(topics: readonly string[], session: Session, options: SubscribeOptions): Promise<Subscription> {
    const opening = this.#bus.subscribe(topics, session.handle, options);
    const answered = new AbortController();
    const late = this.#host.clock.sleep(patience, answered.signal);
    try {
      const opened = await Promise.race([opening, late]);
      if (opened !== undefined) return opened;
    } finally {
      answered.abort();
    }
    void opening.then((subscription) => subscription.close()).catch(() => undefined);
    throw new RequestRefused("the bus did not open the subscription in time");
  }

  #forget(channel: string): boolean {
    const entry = this.#entries.get(channel);
    if (entry === undefined) return false;
    this.#entries.delete(channel);
    void entry.session.end();
    return true;
  }

  /** Ends the oldest subscription whose app never came, if it had time to. */
  #makeRoom(): boolean {
    const now = this.#host.clock.now();
    for (const [channel, { since, everAttached }] of this.#entries) if (!everAttached && now - since > young) return this.#forget(channel);
    return false;
  }

  async #pace(): Promise<void> {
    const now = this.#host.clock.now();
    this.#next = Math.max(Math.min(this.#next, now + pace), now - burst * pace) + pace;
    if (this.#next > now) await this.#host.clock.sleep(this.#next - now);
  }
}
