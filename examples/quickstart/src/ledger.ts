import type { Message, Sample } from "@threatbus/core";
import type { BusIndicator, BusSighting } from "@threatbus/zmq-client";
import { accounts, add, type Row, type Tally, total } from "./accounts.ts";
import type { Fed, Report as FeedReport } from "./replay.ts";
import { type AppReport, keyOf } from "./reports.ts";

/** Writes down what the feed, the bus and the app say happened. */
export class Ledger {
  /** Log events that the app looks in; undefined until it has joined. */
  events: number | undefined;
  /** Whether the feed has sent the whole recording. */
  through = false;
  #fed: Fed = { frames: 0, mapped: 0, skipped: {}, refused: {}, updates: {} };
  /** Indicators that the app knows now. */
  #known = 0;
  readonly #published: Tally = new Map();
  readonly #received: Tally = new Map();
  readonly #sent: Tally = new Map();
  readonly #arrived: Tally = new Map();

  hearFeed(report: FeedReport): void {
    if ("frames" in report) this.#fed = report;
    if (report.event === "through") this.through = true;
  }

  hearApp(report: AppReport): void {
    if (report.event === "joined") this.events = report.events;
    if (report.event === "sighting") add(this.#sent, report.key);
    if (report.event === "indicator") {
      add(this.#received, report.key);
      this.#known = report.known;
    }
  }

  hearBus({ body }: Message): void {
    const object = body as BusIndicator | BusSighting;
    add(object.type === "indicator" ? this.#published : this.#arrived, keyOf(object));
  }

  /** @param misp figures of the misp plugin */
  rows(misp: readonly Sample[]): Row[] {
    return accounts({ fed: this.#fed, misp, published: this.#published, received: this.#received, sent: this.#sent, arrived: this.#arrived });
  }

  /** The running count; empty before there is one. */
  get summary(): string {
    if (this.#published.size === 0) return "";
    return `${total(this.#published)} indicator messages on the bus, ${total(this.#received)} at the app (${this.#known} known), ${total(this.#arrived)} sightings back`;
  }
}
