import type { Message, Sample } from "@threatbus/core";
import type { BusIndicator, BusSighting } from "@threatbus/zmq-client";
import { accounts, balance, row, type Row } from "./accounts.ts";
import { Figures } from "./figures.ts";
import type { Fed, Report as FeedReport } from "./replay.ts";

/** Writes down what the feed, the bus and the app say happened. */
export class Ledger {
  /** As the app told them last. */
  app: Figures = new Figures();
  /** Whether the feed has sent the whole recording. */
  through = false;
  #fed: Fed = { frames: 0, mapped: 0, skipped: {}, refused: {}, updates: {} };
  #published = 0;
  readonly #arrived: Record<string, number> = {};
  readonly #misp: () => readonly Sample[];

  /** @param misp figures of the misp plugin */
  constructor(misp: () => readonly Sample[]) {
    this.#misp = misp;
  }

  hearFeed(report: FeedReport): void {
    if ("frames" in report) this.#fed = report;
    if (report.event === "through") this.through = true;
  }

  hearBus({ body }: Message): void {
    const object = body as BusIndicator | BusSighting;
    if (object.type === "indicator") this.#published++;
    else if (object.x_threatbus_source === "logs") {
      const match = object.x_threatbus_match_type ?? "";
      this.#arrived[match] = (this.#arrived[match] ?? 0) + 1;
    }
  }

  /** Whether the app is joined to the bus and watches the logs. */
  get ready(): boolean {
    return this.app.of("up") === 1;
  }

  /** Whether all indicators are known, their past is searched, and everything is reported. */
  get settled(): boolean {
    const waiting = ["retro_backlog", "live_changes_waiting", "sightings_waiting"].some((name) => this.app.of(name) > 0);
    return this.through && !waiting && balance(this.#accounts);
  }

  /** The account. The sensor lets the same happen again, so that as much must be found live as was in the past. */
  get rows(): Row[] {
    return [...this.#accounts, row("found when it happens again", this.#arrived["RETRO"] ?? 0, this.#arrived["LIVE"] ?? 0)];
  }

  get #accounts(): Row[] {
    return accounts({ fed: this.#fed, misp: this.#misp(), published: this.#published, app: this.app, arrived: this.#arrived });
  }

  /** The running count; empty before there is one. */
  get summary(): string {
    if (this.#published === 0) return "";
    const sightings = Object.values(this.#arrived).reduce((sum, count) => sum + count, 0);
    return `${this.#published} indicators on the bus, ${this.app.sumOf("indicators_received_total")} at the app, ${sightings} sightings back`;
  }
}
