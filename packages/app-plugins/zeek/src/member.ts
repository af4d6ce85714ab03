import { randomInt } from "node:crypto";
import { setImmediate as immediate } from "node:timers/promises";
import type { Message, SubscribeOptions, Subscription } from "@threatbus/core";
import { reasonOf } from "@threatbus/core";
import { Briefing } from "./briefing.ts";
import { sightingOf } from "./intel/sighting.ts";
import type { Link } from "./link.ts";
import type { MemberSetup } from "./member-setup.ts";
import type { Request } from "./protocol.ts";
import { unwrap, type ZeekEvent } from "./wire/event.ts";

/** Indicators in a row before others get their turn. */
const turn = 128;
/** Random letters behind a topic: 131 bits. */
const suffixLength = 28;
/** Requests about subscriptions in the life of one connection. */
const mostRequests = 1_000;
const indicators = "stix2/indicator";

/**
 * One Zeek, over as many connections in a row as it takes: what it subscribed to, what it was told, and the events both ways. What is for it waits in the
 * bus's queue until it listens and has room, also while it is away for a moment.
 */
export class Member {
  readonly #setup: MemberSetup;
  readonly #briefing: Briefing;
  #link: Link | undefined;
  /** When it was last there, in milliseconds. */
  #left: number;
  #requests = 0;
  /** Where this Zeek gets its indicators, from the acknowledgement on. */
  #topic: string | undefined;
  #subscription: Subscription | undefined;
  #subscribing: Promise<void> = Promise.resolve();
  #turn = 0;
  #ended = false;
  #changed: () => void = () => undefined;
  #change: Promise<void> | undefined;

  constructor(setup: MemberSetup) {
    this.#setup = setup;
    this.#briefing = new Briefing(setup);
    this.#left = setup.host.clock.now();
  }

  get link(): Link | undefined {
    return this.#link;
  }

  get subscribed(): boolean {
    return this.#subscription !== undefined;
  }

  get known(): number {
    return this.#briefing.known;
  }

  /** Milliseconds without a connection. */
  get absence(): number {
    return this.#link === undefined ? this.#setup.host.clock.now() - this.#left : 0;
  }

  attach(link: Link): void {
    this.#link = link;
    this.#requests = 0;
    this.#topic = undefined;
    this.#tellChanged();
  }

  detach(link: Link): void {
    if (this.#link !== link) return;
    this.#briefing.broke(link);
    this.#link = undefined;
    this.#topic = undefined;
    this.#left = this.#setup.host.clock.now();
    this.#tellChanged();
  }

  /** An event from Zeek. Never throws. */
  received(link: Link, event: ZeekEvent): void {
    const { host, protocol } = this.#setup;
    if (this.#link !== link || host.signal.aborted) return;
    const request = protocol.read(event);
    if (request === undefined) return this.#refuse("an event that means nothing here; do the modules fit (`module_namespace`)?", "name", event);
    if (request === "arguments") return this.#refuse("an event whose arguments are not what they should be", "arguments", event);
    if (request.kind === "sighting") return this.#report(request.args, event);
    if (++this.#requests > mostRequests) {
      this.#refuse("too many subscriptions over one connection: it is ended", "flood", event);
      void link.close();
    } else this.#subscribing = this.#subscribing.then(() => this.#manage(link, request));
  }

  /** Tells what is due without a message of the bus: what may not have come, and the ends of indicators. Called now and then. */
  expire(): void {
    if (!this.#isReady()) return;
    this.#briefing.repeat(this.#link as Link, this.#topic ?? "");
    this.#briefing.expire(this.#link as Link, this.#topic ?? "");
  }

  /** Ends its subscription: what waits is dropped, and counted by the bus. */
  async end(): Promise<void> {
    this.#ended = true;
    this.#tellChanged();
    await this.#subscribing;
    await this.#unsubscribe();
    this.#briefing.abandon();
  }

  async #manage(link: Link, request: Exclude<Request, { kind: "sighting" }>): Promise<void> {
    const { host, troubles } = this.#setup;
    if (this.#ended || this.#link !== link) return;
    try {
      if (request.kind === "subscribe") await this.#subscribe(link, request);
      else if (request.topic !== "" && request.topic === this.#topic) {
        this.#topic = undefined;
        await this.#unsubscribe();
        host.logger.info("a Zeek unsubscribed", { remote: link.remote });
      } else host.logger.debug("a Zeek unsubscribed from what it had not", { remote: link.remote });
    } catch (thrown) {
      troubles.warn("subscribe", "a Zeek could not be subscribed", { remote: link.remote, reason: reasonOf(thrown) });
    }
  }

  /** A Zeek that was here before goes on with what waits for it. One that asks for history gets that beside it. */
  async #subscribe(link: Link, { topic, seconds, separate }: Extract<Request, { kind: "subscribe" }>): Promise<void> {
    const { host, protocol, options, troubles } = this.#setup;
    if (!indicators.startsWith(topic)) troubles.warn("topic", "a Zeek subscribed to what it cannot be given: indicators are stix2/indicator", { remote: link.remote, topic: topic.slice(0, 100) });
    this.#briefing.separate = separate;
    const before = this.#subscription;
    if (before === undefined || seconds > 0) await this.#open(link, topic, seconds);
    if (before !== undefined && before !== this.#subscription) this.#retire(before);
    if (this.#ended || this.#link !== link) return;
    const granted = topic + letters(suffixLength);
    this.#topic = granted;
    link.send(options.management_topic, protocol.acknowledgement(granted));
    host.logger.info("a Zeek subscribed", { remote: link.remote, topic: topic.slice(0, 100), snapshot: seconds, separate });
    this.#tellChanged();
    void this.#watchListening(link, granted);
  }

  async #open(link: Link, topic: string, seconds: number): Promise<void> {
    const { bus, host, options } = this.#setup;
    const { max_items, max_bytes, overflow } = options.queue;
    const queue: SubscribeOptions["queue"] = {
      ...(max_items !== undefined && { maxItems: max_items }), ...(max_bytes !== undefined && { maxBytes: max_bytes }), ...(overflow !== undefined && { overflow }),
    };
    const wanted = indicators.startsWith(topic) ? indicators : topic;
    const subscription = await bus.subscribe(wanted, this.#take, { name: `${host.name} ${link.remote}`, snapshot: seconds, queue });
    this.#subscription = subscription;
    void subscription.closed.then(() => {
      if (this.#subscription !== subscription) return;
      this.#subscription = undefined;
      // The bus ended it, e.g. since its queue was full: the Zeek has to begin anew.
      if (this.#topic !== undefined && !host.signal.aborted) void this.#link?.close();
    });
  }

  /** Lets what waits in an older subscription go out, then ends it. */
  #retire(subscription: Subscription): void {
    const look = async (): Promise<void> => {
      const { clock, signal } = this.#setup.host;
      // Once the signal has fired a sleep is none: the bus drains what waits.
      while (subscription.stats.waiting > 0 && !this.#ended && !signal.aborted) await clock.sleep(100, signal);
      if (signal.aborted) return;
      await subscription.close();
    };
    void look();
  }

  async #unsubscribe(): Promise<void> {
    const subscription = this.#subscription;
    this.#subscription = undefined;
    this.#tellChanged();
    // Its handler may wait for this very Zeek: it is let go first.
    await subscription?.close();
  }

  async #watchListening(link: Link, topic: string): Promise<void> {
    const { host, options, troubles } = this.#setup;
    const over = new AbortController();
    const late = host.clock.sleep(options.handshake_timeout * 1_000, over.signal).then(() => "late");
    if ((await Promise.race([link.listening(topic), late])) === "late" && this.#topic === topic) {
      troubles.warn("listening", "a Zeek has its acknowledgement and does not listen: is threatbus.zeek loaded, with the right module_namespace?", { remote: link.remote });
    }
    over.abort();
  }

  /** Handles one message of the bus. Rejects when the Zeek is gone for good. */
  readonly #take = (message: Message): Promise<void> | void => {
    if (!this.#isReady()) return this.#wait().then(() => this.#take(message));
    const history = (this.#subscription?.snapshots.size ?? 0) > 0;
    this.#briefing.repeat(this.#link as Link, this.#topic ?? "");
    const wait = this.#briefing.take(message, this.#link as Link, this.#topic ?? "", history);
    if (wait > 0) return this.#setup.host.clock.sleep(wait);
    if (++this.#turn % turn === 0) return immediate();
  };

  #isReady(): boolean {
    return this.#link !== undefined && this.#topic !== undefined && this.#link.listening(this.#topic) === true && this.#link.room() === true;
  }

  async #wait(): Promise<void> {
    while (!this.#isReady()) {
      if (this.#ended || this.#subscription === undefined) throw new Error("the Zeek is gone");
      this.#change ??= new Promise((resolve) => (this.#changed = resolve));
      const [link, topic] = [this.#link, this.#topic];
      if (link === undefined || topic === undefined) await this.#change;
      else await Promise.race([Promise.resolve(link.listening(topic)).then(() => link.room()), this.#change]);
    }
  }

  #tellChanged(): void {
    this.#change = undefined;
    this.#changed();
  }

  #report(args: ZeekEvent["args"], event: ZeekEvent): void {
    const sighting = sightingOf(args.map(unwrap), this.#setup.host.clock.now(), (value) => this.#briefing.holderOf(value));
    if (typeof sighting === "string") this.#refuse("a sighting that names no indicator, or says too little", sighting, event);
    else this.#setup.reports.put(sighting);
  }

  #refuse(text: string, reason: string, { name, args }: ZeekEvent): void {
    this.#setup.troubles.count("zeek_events_refused", text, { remote: this.#link?.remote, event: name.slice(0, 100), arguments: args.length }, reason);
  }
}

function letters(count: number): string {
  return Array.from({ length: count }, () => String.fromCharCode(97 + randomInt(26))).join("");
}
