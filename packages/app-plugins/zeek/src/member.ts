import { randomInt } from "node:crypto";
import type { SubscribeOptions } from "@threatbus/core";
import { reasonOf } from "@threatbus/core";
import { Briefing } from "./briefing.ts";
import { Feed } from "./feed.ts";
import { sightingOf } from "./intel/sighting.ts";
import { Line } from "./line.ts";
import type { Link } from "./link.ts";
import type { MemberSetup } from "./member-setup.ts";
import type { Request } from "./protocol.ts";
import { unwrap, type ZeekEvent } from "./wire/event.ts";

/** Random letters behind a topic: 131 bits. */
const suffixLength = 28;
/** Requests about subscriptions in the life of one connection. */
const mostRequests = 1_000;
/** Requests for history within so many milliseconds: each is a question to every app of every host. */
const mostHistories = 10, historyPeriod = 60_000;
const indicators = "stix2/indicator";

/**
 * One Zeek, over as many connections in a row as it takes: what it subscribed to, what it was told, and the events both ways. What is for it waits in the
 * bus's queue until it listens and has room, also while it is away for a moment.
 */
export class Member {
  readonly #setup: MemberSetup;
  readonly #line = new Line();
  readonly #briefing: Briefing;
  /** When it was last there, in milliseconds. */
  #left: number;
  #requests = 0;
  #histories = 0;
  #historiesSince = 0;
  #feed: Feed | undefined;
  /** The one before, while something waits in it. */
  #retired: Feed | undefined;
  #subscribing: Promise<void> = Promise.resolve();
  #ended = false;

  constructor(setup: MemberSetup) {
    this.#setup = setup;
    this.#briefing = new Briefing(setup, this.#line);
    this.#left = setup.host.clock.now();
  }

  get link(): Link | undefined {
    return this.#line.link;
  }

  get subscribed(): boolean {
    return this.#feed !== undefined;
  }

  /** Whether it stays away for so long that nothing but removals is kept for it. */
  get away(): boolean {
    return this.#briefing.away;
  }

  get known(): number {
    return this.#briefing.known;
  }

  /** Milliseconds without a connection. */
  get absence(): number {
    return this.#line.link === undefined ? this.#setup.host.clock.now() - this.#left : 0;
  }

  attach(link: Link): void {
    const earlier = this.#line.link;
    this.#line.connect(link);
    this.#requests = 0;
    if (earlier !== undefined) this.#briefing.broke(earlier);
    if (this.#briefing.away) this.#setup.host.logger.warn("a Zeek is back after longer than grace: what was added meanwhile is not told; set snapshot_intel in its script", { remote: link.remote });
    this.#briefing.away = false;
  }

  detach(link: Link): void {
    if (this.#line.link !== link) return;
    this.#line.connect(undefined);
    this.#briefing.broke(link);
    this.#left = this.#setup.host.clock.now();
  }

  /** It stays away. */
  leave(): void {
    this.#briefing.away = true;
  }

  /** An event from Zeek. Never throws. */
  received(link: Link, event: ZeekEvent): void {
    const { host, protocol } = this.#setup;
    if (this.#line.link !== link || host.signal.aborted) return;
    const request = protocol.read(event);
    if (request === undefined) return this.#refuse("an event that means nothing here; do the modules fit (`module_namespace`)?", "name", event);
    if (request === "arguments") return this.#refuse("an event whose arguments are not what they should be", "arguments", event);
    if (request.kind === "sighting") return this.#report(request.args, event);
    if (++this.#requests > mostRequests) {
      this.#refuse("too many subscriptions over one connection: it is ended", "flood", event);
      void link.close();
    } else this.#subscribing = this.#subscribing.then(() => this.#manage(link, request, event));
  }

  /** Tells the ends of indicators that are due. Called now and then. */
  tend(): void {
    if (this.#setup.options.queue.overflow === "disconnect" && this.#feed?.overflown === true) this.#lost(this.#feed);
    if (this.#line.topic !== undefined) void this.#briefing.expire();
  }

  /** Ends its subscription: what waits is dropped, and counted by the bus. */
  async end(): Promise<void> {
    this.#ended = true;
    this.#line.close();
    await this.#subscribing;
    await this.#unsubscribe();
  }

  async #manage(link: Link, request: Exclude<Request, { kind: "sighting" }>, event: ZeekEvent): Promise<void> {
    const { host, troubles } = this.#setup;
    if (this.#ended || this.#line.link !== link) return;
    try {
      if (request.kind === "subscribe") await this.#subscribe(link, request, event);
      else if (request.topic !== "" && request.topic === this.#line.topic) {
        await this.#unsubscribe();
        host.logger.info("a Zeek unsubscribed", { remote: link.remote });
      } else host.logger.debug("a Zeek unsubscribed from what it had not", { remote: link.remote });
    } catch (thrown) {
      troubles.warn("subscribe", "a Zeek could not be subscribed", { remote: link.remote, reason: reasonOf(thrown) });
    }
  }

  /** A Zeek that was here before goes on with what waits for it. One that asks for history gets that beside it. */
  async #subscribe(link: Link, { topic, seconds, separate }: Extract<Request, { kind: "subscribe" }>, event: ZeekEvent): Promise<void> {
    const { host, protocol, options, troubles } = this.#setup;
    if (!indicators.startsWith(topic)) troubles.warn("topic", "a Zeek subscribed to what it cannot be given: indicators are stix2/indicator", { remote: link.remote, topic: topic.slice(0, 100) });
    this.#briefing.separate = separate;
    this.#line.open();
    const history = seconds > 0 && this.#mayAskForHistory(event) ? seconds : 0;
    const before = this.#feed;
    if (before === undefined || history > 0) await this.#open(link, topic, history);
    if (before !== undefined && before !== this.#feed) this.#retire(before, link);
    if (this.#ended || this.#line.link !== link) return;
    const granted = topic + letters(suffixLength);
    link.send(options.management_topic, protocol.acknowledgement(granted));
    this.#line.grant(granted);
    host.logger.info("a Zeek subscribed", { remote: link.remote, topic: topic.slice(0, 100), snapshot: history, separate });
    void this.#watchListening(link, granted);
  }

  #mayAskForHistory(event: ZeekEvent): boolean {
    const now = this.#setup.host.clock.now();
    if (now - this.#historiesSince >= historyPeriod) {
      this.#historiesSince = now;
      this.#histories = 0;
    }
    if (++this.#histories <= mostHistories) return true;
    this.#refuse("a Zeek asks for history over and over: it is subscribed without", "history", event);
    return false;
  }

  async #open(link: Link, topic: string, seconds: number): Promise<void> {
    const { bus, host, options } = this.#setup;
    const { max_items, max_bytes, overflow } = options.queue;
    const queue: SubscribeOptions["queue"] = {
      ...(max_items !== undefined && { maxItems: max_items }), ...(max_bytes !== undefined && { maxBytes: max_bytes }), ...(overflow !== undefined && { overflow }),
    };
    const feed = new Feed((message, history) => this.#briefing.take(message, history));
    await feed.open(bus, indicators.startsWith(topic) ? indicators : topic, { name: `${host.name} ${link.remote}`, snapshot: seconds, queue }, () => this.#lost(feed));
    this.#feed = feed;
  }

  /** The bus ended it, e.g. since its queue was full: the Zeek has to begin anew. */
  #lost(feed: Feed): void {
    if (this.#feed !== feed) return;
    this.#feed = undefined;
    void feed.close();
    if (this.#line.topic !== undefined && !this.#setup.host.signal.aborted) void this.#line.link?.close();
  }

  /** Lets what waits in an older feed go out, then ends it. One that is older still makes way: a Zeek has two at most. */
  #retire(feed: Feed, { remote }: Link): void {
    const { counters, troubles } = this.#setup;
    const older = this.#retired;
    this.#retired = feed;
    void this.#empty(feed);
    if (older === undefined) return;
    // One is in hand, and is told.
    const waiting = Math.max(0, older.waiting - 1);
    void older.close();
    if (waiting === 0) return;
    counters.maybeLost.add(waiting);
    troubles.warn("retired", "a Zeek subscribed anew before it had taken what waited: that is dropped", { remote, waiting });
  }

  async #empty(feed: Feed): Promise<void> {
    const { clock, signal } = this.#setup.host;
    // Once the signal has fired a sleep is none: the bus drains what waits.
    while (feed === this.#retired && feed.waiting > 0 && !signal.aborted) await clock.sleep(100, signal);
    if (signal.aborted || feed !== this.#retired) return;
    this.#retired = undefined;
    await feed.close();
  }

  async #unsubscribe(): Promise<void> {
    const feeds = [this.#feed, this.#retired];
    this.#feed = this.#retired = undefined;
    this.#line.close();
    this.#briefing.abandon();
    await Promise.all(feeds.map((feed) => feed?.close() ?? Promise.resolve()));
  }

  async #watchListening(link: Link, topic: string): Promise<void> {
    const { host, options, troubles } = this.#setup;
    const over = new AbortController();
    const late = host.clock.sleep(options.handshake_timeout * 1_000, over.signal).then(() => "late");
    if ((await Promise.race([link.listening(topic), late])) === "late" && this.#line.topic === topic) {
      troubles.warn("listening", "a Zeek has its acknowledgement and does not listen: is threatbus.zeek loaded, with the right module_namespace?", { remote: link.remote });
    }
    over.abort();
  }

  #report(args: ZeekEvent["args"], event: ZeekEvent): void {
    const sighting = sightingOf(args.map(unwrap), this.#setup.host.clock.now(), (value) => this.#briefing.holderOf(value));
    if (typeof sighting === "string") this.#refuse("a sighting that names no indicator, or says too little", sighting, event);
    else this.#setup.reports.put(sighting);
  }

  #refuse(text: string, reason: string, { name, args }: ZeekEvent): void {
    this.#setup.troubles.count("zeek_events_refused", text, { remote: this.#line.link?.remote, event: name.slice(0, 100), arguments: args.length }, reason);
  }
}

function letters(count: number): string {
  return Array.from({ length: count }, () => String.fromCharCode(97 + randomInt(26))).join("");
}
