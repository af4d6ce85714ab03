import type { Message } from "@threatbus/core";
import { reasonOf } from "@threatbus/core";
import type { IntelOperation } from "./intel/intel.ts";
import { Ledger } from "./intel/ledger.ts";
import { changeOf } from "./intel/map.ts";
import type { Link } from "./link.ts";
import type { MemberSetup } from "./member-setup.ts";
import { Pace } from "./pace.ts";

/** Operations to keep until it is known that they came, and after how many to see which those are. */
const mostKept = 100_000, trimming = 1_024;

/**
 * What one Zeek was told of indicators, and how it is told more. What was on its way when the connection broke is told again over the next one, in its order: to add
 * or remove a thing twice does no harm.
 */
export class Briefing {
  readonly #setup: MemberSetup;
  readonly #ledger: Ledger;
  readonly #pace: Pace;
  /** Sent over this connection, the latest of them at least. */
  #recent: IntelOperation[] = [];
  /** Sent over an earlier one, and perhaps never come. */
  #doubtful: readonly IntelOperation[] = [];

  constructor(setup: MemberSetup) {
    this.#setup = setup;
    this.#ledger = new Ledger(setup.options.max_indicators);
    this.#pace = new Pace(setup.host.clock);
  }

  /** Indicators that the Zeek watches for. */
  get known(): number {
    return this.#ledger.size;
  }

  /** Its script keeps several indicators of one value apart. */
  set separate(separate: boolean) {
    this.#ledger.separate = separate;
  }

  /** The id of an indicator that names a value. */
  holderOf(value: string): string | undefined {
    return this.#ledger.holderOf(value);
  }

  /** The connection broke. */
  broke({ unconfirmed }: Link): void {
    this.#doubtful = latest([...this.#doubtful, ...latest(this.#recent, unconfirmed)], mostKept);
    this.#recent = [];
  }

  /** The Zeek will not come back. */
  abandon(): void {
    this.#setup.counters.maybeLost.add(this.#doubtful.length);
    this.#doubtful = [];
  }

  /** Tells again what may not have come. */
  repeat(link: Link, topic: string): void {
    if (this.#doubtful.length === 0) return;
    const again = this.#doubtful;
    this.#doubtful = [];
    this.#setup.counters.repeated.add(again.length);
    for (const operation of again) this.#send(operation, link, topic);
  }

  /** Tells the Zeek what an indicator means for it. Returns the milliseconds to wait before the next. @param history whether it gets history beside what is new */
  take({ body }: Message, link: Link, topic: string, history: boolean): number {
    const { counters, options, host, troubles } = this.#setup;
    if (typeof body === "string" || body.type !== "indicator") return 0;
    counters.indicators.add();
    const change = changeOf(body);
    for (const reason of change.skipped) host.metrics.counter("zeek_skipped", { reason }).add();
    const forgotten = this.#ledger.forgotten;
    const operations = this.#ledger.apply(change, this.#now());
    if (operations === undefined) host.metrics.counter("zeek_skipped", { reason: "stale" }).add();
    for (const operation of operations ?? []) this.#send(operation, link, topic);
    if (this.#ledger.forgotten > forgotten) troubles.count("zeek_forgotten", "more indicators than max_indicators: the ends of the oldest are no longer told");
    const rate = history ? options.snapshot_rate : 0;
    return this.#pace.after(operations?.length ?? 0, rate > 0 && link.pace > 0 ? Math.min(rate, link.pace) : rate || link.pace);
  }

  /** Removes what is no longer valid. */
  expire(link: Link, topic: string): void {
    for (const operation of this.#ledger.expire(this.#now())) this.#send(operation, link, topic);
  }

  #send(operation: IntelOperation, link: Link, topic: string): void {
    const { protocol, counters, troubles } = this.#setup;
    try {
      link.send(topic, protocol.intel(operation));
      counters[operation.operation].add();
      this.#recent.push(operation);
      if (this.#recent.length % trimming === 0) this.#recent = latest(this.#recent, Math.min(link.unconfirmed, mostKept));
    } catch (thrown) {
      troubles.count("zeek_skipped", "an indicator cannot be encoded for Zeek", { id: operation.id, reason: reasonOf(thrown) }, "encoding");
    }
  }

  /** Nanoseconds since 1970-01-01 UTC. */
  #now(): bigint {
    return BigInt(this.#setup.host.clock.now()) * 1_000_000n;
  }
}

function latest<Item>(items: readonly Item[], count: number): Item[] {
  return count === 0 ? [] : items.slice(-count);
}
