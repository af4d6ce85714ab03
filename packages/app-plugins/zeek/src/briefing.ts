import { setImmediate as immediate } from "node:timers/promises";
import type { Message } from "@threatbus/core";
import { reasonOf } from "@threatbus/core";
import type { IntelOperation } from "./intel/intel.ts";
import { Ledger } from "./intel/ledger.ts";
import { changeOf } from "./intel/map.ts";
import type { Line } from "./line.ts";
import type { Link } from "./link.ts";
import type { MemberSetup } from "./member-setup.ts";
import { Pace } from "./pace.ts";

/** Operations to keep until it is known that they came, or until the Zeek is back; and how many more there may be before they are looked through. */
const mostKept = 100_000, trimming = 1_024;
/** Operations in a row before others get their turn. */
const turn = 128;

/**
 * What one Zeek was told of indicators, and how it is told more: one after the other, in the order of what came, at its pace and as it has room. What was on its way
 * when a connection broke is told again first: to add or remove a thing twice does no harm.
 */
export class Briefing {
  readonly #setup: MemberSetup;
  readonly #line: Line;
  readonly #ledger: Ledger;
  readonly #pace: Pace;
  /** Sent over this connection, the latest of them at least. */
  #recent: IntelOperation[] = [];
  /** What is to be told, from `#next` on; of that, how many at the front were told before. */
  #outgoing: IntelOperation[] = [];
  #next = 0;
  #again = 0;
  #telling: Promise<void> | undefined;
  #expiring = false;
  #turn = 0;
  #away = false;
  /** Whether it gets history beside what is new. */
  #history = false;

  constructor(setup: MemberSetup, line: Line) {
    this.#setup = setup;
    this.#line = line;
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

  get away(): boolean {
    return this.#away;
  }

  /**
   * The Zeek stays away for long, or is back. While it does, nothing waits for it: additions are lost. What it holds has to be taken from it all the same when it
   * is back, for nobody else would: removals are kept.
   */
  set away(away: boolean) {
    if (away && !this.#away) this.#keepRemovals();
    this.#away = away;
    if (away) this.#line.wake();
    else this.#resume();
  }

  /** The connection broke. */
  broke({ unconfirmed }: Link): void {
    const again = latest(this.#recent, unconfirmed);
    this.#outgoing = again.concat(this.#outgoing.slice(this.#next));
    this.#next = 0;
    this.#again += again.length;
    this.#recent = [];
    this.#resume();
  }

  /** The Zeek will not come back, or wants no more. */
  abandon(): void {
    this.#setup.counters.maybeLost.add(this.#outgoing.length - this.#next);
    this.#outgoing = [];
    this.#next = this.#again = 0;
  }

  /** Tells the Zeek what an indicator means for it. Resolves when it may be told the next; rejects when it is gone. @param history whether it gets history beside what is new */
  take({ body }: Message, history: boolean): Promise<void> | void {
    const { counters, host, troubles } = this.#setup;
    if (typeof body === "string" || body.type !== "indicator") return;
    counters.indicators.add();
    const change = changeOf(body);
    for (const [reason, count] of change.skipped) host.metrics.counter("zeek_skipped", { reason }).add(count);
    const forgotten = this.#ledger.forgotten;
    const operations = this.#ledger.apply(change, this.#now());
    if (this.#ledger.forgotten > forgotten) troubles.count("zeek_forgotten", "more indicators than max_indicators: the ends of the oldest are no longer told");
    if (operations === undefined) return host.metrics.counter("zeek_skipped", { reason: "stale" }).add();
    this.#history = history;
    for (const operation of operations) {
      if (this.#away && operation.operation === "ADD") counters.maybeLost.add();
      else this.#outgoing.push(operation);
    }
    if (!this.#away) return this.#tell();
    if (this.#outgoing.length > mostKept + trimming) this.#keepRemovals();
  }

  /** Removes what is no longer valid. */
  async expire(): Promise<void> {
    if (this.#expiring) return;
    this.#expiring = true;
    try {
      for (let due = this.#ledger.expire(this.#now()); due.length > 0; due = this.#ledger.expire(this.#now())) {
        for (const operation of due) this.#outgoing.push(operation);
        await this.#tell();
      }
    } catch {
      // The Zeek is gone: what is left was abandoned, and counted.
    } finally {
      this.#expiring = false;
    }
  }

  #resume(): void {
    this.#tell()?.catch(() => undefined);
  }

  /** Tells what is to be told. Resolves when that is done; nothing is returned when it could be at once. */
  #tell(): Promise<void> | void {
    if (this.#telling !== undefined) return this.#telling;
    const pause = this.#tellMost();
    if (pause === undefined) return;
    this.#telling = this.#goOn(pause).finally(() => (this.#telling = undefined));
    return this.#telling;
  }

  async #goOn(first: Promise<unknown>): Promise<void> {
    for (let pause: Promise<unknown> | undefined = first; pause !== undefined; pause = this.#tellMost()) await pause;
  }

  /** Tells as much as can be told at once; returns what to wait for, if more is left. */
  #tellMost(): Promise<unknown> | undefined {
    while (this.#next < this.#outgoing.length && !this.#away) {
      if (!this.#line.ready) return this.#line.wait();
      const wait = this.#send(this.#outgoing[this.#next++] as IntelOperation);
      if (wait > 0) return this.#setup.host.clock.sleep(wait, this.#line.signal);
      // Between messages the bus sees to that.
      if (this.#next < this.#outgoing.length && ++this.#turn % turn === 0) return immediate();
    }
    // Not after each: an array that is emptied has to take memory anew.
    if (this.#next === this.#outgoing.length && this.#next >= turn) this.#outgoing.length = this.#next = 0;
    return undefined;
  }

  /** Returns the milliseconds to wait before the next. */
  #send(operation: IntelOperation): number {
    const { protocol, counters, troubles, options } = this.#setup;
    if (this.#again > 0) {
      this.#again--;
      counters.repeated.add();
    }
    try {
      this.#line.send(protocol.intel(operation));
      counters[operation.operation].add();
      this.#recent.push(operation);
      const kept = Math.min(this.#line.link?.unconfirmed ?? 0, mostKept);
      if (this.#recent.length >= 2 * kept + trimming) this.#recent = latest(this.#recent, kept);
    } catch (thrown) {
      troubles.count("zeek_skipped", "an indicator cannot be encoded for Zeek", { id: operation.id, reason: reasonOf(thrown) }, "encoding");
    }
    const { pace = 0 } = this.#line.link ?? {};
    const rate = this.#history ? options.snapshot_rate : 0;
    return this.#pace.after(rate > 0 && pace > 0 ? Math.min(rate, pace) : rate || pace);
  }

  #keepRemovals(): void {
    const removals = this.#outgoing.slice(this.#next).filter(({ operation }) => operation === "REMOVE");
    const kept = latest(removals, mostKept);
    this.#setup.counters.maybeLost.add(this.#outgoing.length - this.#next - kept.length);
    this.#outgoing = kept;
    this.#next = this.#again = 0;
  }

  /** Nanoseconds since 1970-01-01 UTC. */
  #now(): bigint {
    return BigInt(this.#setup.host.clock.now()) * 1_000_000n;
  }
}

function latest<Item>(items: readonly Item[], count: number): Item[] {
  return count === 0 ? [] : items.slice(-count);
}
