import type { Message, Sample } from "@threatbus/core";
import type { BusIndicator, BusSighting } from "@threatbus/zmq-client";
import { accounts, type Row, Tally } from "./accounts.ts";
import type { Fed, Report as FeedReport } from "./replay.ts";
import { type AppReport, keyOf } from "./reports.ts";

/** Writes down what the feed, the bus and the app say happened. */
export class Ledger {
  /** Log events that the app looks in; undefined until it has joined. */
  events: number | undefined;
  /** Whether the feed has sent the whole recording. */
  through = false;
  #fed: Fed = { frames: 0, mapped: 0, skipped: {}, refused: {}, updates: {} };
  /** Indicators that the app knows now, removed ones left out. */
  known = 0;
  readonly #published: Tally = new Tally();
  readonly #received: Tally = new Tally();
  readonly #sent: Tally = new Tally();
  readonly #arrived: Tally = new Tally();

  hearFeed(report: FeedReport): void {
    if ("frames" in report) this.#fed = report;
    if (report.event === "through") this.through = true;
  }

  hearApp(report: AppReport): void {
    if (report.event === "joined") this.events = report.events;
    if (report.event === "sighting") this.#sent.add(report.key);
    if (report.event === "indicator") {
      this.#received.add(report.key);
      this.known = report.known;
    }
  }

  hearBus({ body }: Message): void {
    const object = body as BusIndicator | BusSighting;
    (object.type === "indicator" ? this.#published : this.#arrived).add(keyOf(object));
  }

  /** @param misp figures of the misp plugin */
  rows(misp: readonly Sample[]): Row[] {
    const tallies = { published: this.#published, received: this.#received, sent: this.#sent, arrived: this.#arrived };
    return accounts({ fed: this.#fed, misp, ...tallies });
  }

  /** The account is made: from now on only totals are kept. */
  close(): void {
    for (const tally of [this.#published, this.#received, this.#sent, this.#arrived]) tally.close();
  }

  /** The running count; empty before there is one. */
  get summary(): string {
    if (this.#published.total === 0) return "";
    return `${this.#published.total} indicators on the bus, ${this.#received.total} at the app, ${this.#arrived.total} sightings back`;
  }
}
