import { message, reasonOf } from "@threatbus/core";
import type { Bus, Counter, Host } from "@threatbus/core";
import type { ZeekSighting } from "./intel/sighting.ts";
import type { Troubles } from "./troubles.ts";

/** Sightings that may wait for the bus. */
const mostWaiting = 10_000;

/** Publishes sightings one after the other, so that reading from Zeek never waits for the bus. What comes beyond the limit is counted. */
export class Reports {
  readonly #bus: Bus;
  readonly #troubles: Troubles;
  readonly #published: Counter;
  #waiting: ZeekSighting[] = [];
  #publishing: Promise<void> | undefined;

  constructor(bus: Bus, host: Host, troubles: Troubles) {
    this.#bus = bus;
    this.#troubles = troubles;
    this.#published = host.metrics.counter("zeek_sightings");
    host.metrics.gauge("zeek_sightings_waiting", () => this.#waiting.length);
  }

  put(sighting: ZeekSighting): void {
    if (this.#waiting.length >= mostWaiting) return this.#refuse("the bus is too slow for Zeek's sightings: one was dropped", {}, "overflow");
    this.#waiting.push(sighting);
    this.#publishing ??= this.#publish();
  }

  /** Resolves when none waits. */
  async drained(): Promise<void> {
    await this.#publishing;
  }

  async #publish(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting;
      this.#waiting = [];
      for (const sighting of batch) await this.#publishOne(sighting);
    }
    this.#publishing = undefined;
  }

  async #publishOne(sighting: ZeekSighting): Promise<void> {
    try {
      await this.#bus.publish(message(sighting));
      this.#published.add();
    } catch (thrown) {
      this.#refuse("the bus did not take a sighting from Zeek", { reason: reasonOf(thrown) }, "bus");
    }
  }

  #refuse(text: string, fields: Readonly<Record<string, unknown>>, reason: string): void {
    this.#troubles.count("zeek_sightings_refused", text, fields, reason);
  }
}
