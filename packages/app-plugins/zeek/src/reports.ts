import { message, reasonOf } from "@threatbus/core";
import type { Bus, Counter, Host, Message } from "@threatbus/core";
import type { ZeekSighting } from "./intel/sighting.ts";
import type { Troubles } from "./troubles.ts";

/** Sightings that may wait for the bus, and their bytes. */
const mostWaiting = 10_000, mostBytes = 16 * 1_048_576;

/** Publishes sightings one after the other, so that reading from Zeek never waits for the bus. What comes beyond the limits is counted. */
export class Reports {
  readonly #bus: Bus;
  readonly #troubles: Troubles;
  readonly #published: Counter;
  /** Those that the bus has not taken yet. */
  #waiting = 0;
  #bytes = 0;
  #last: Promise<void> = Promise.resolve();

  constructor(bus: Bus, host: Host, troubles: Troubles) {
    this.#bus = bus;
    this.#troubles = troubles;
    this.#published = host.metrics.counter("zeek_sightings");
    host.metrics.gauge("zeek_sightings_waiting", () => this.#waiting);
  }

  put(sighting: ZeekSighting): void {
    try {
      const content = message(sighting);
      const size = content.payload.length;
      if (this.#waiting >= mostWaiting || this.#bytes + size > mostBytes) return this.#refuse("the bus is too slow for Zeek's sightings: one was dropped", {}, "overflow");
      this.#waiting++;
      this.#bytes += size;
      this.#last = this.#last.then(() => this.#publish(content, size));
    } catch (thrown) {
      this.#refuse("a sighting from Zeek is none for the bus", { reason: reasonOf(thrown) }, "bus");
    }
  }

  /** Resolves when none waits. */
  drained(): Promise<void> {
    return this.#last;
  }

  async #publish(content: Message, size: number): Promise<void> {
    try {
      await this.#bus.publish(content);
      this.#published.add();
    } catch (thrown) {
      this.#refuse("the bus did not take a sighting from Zeek", { reason: reasonOf(thrown) }, "bus");
    }
    this.#waiting--;
    this.#bytes -= size;
  }

  #refuse(text: string, fields: Readonly<Record<string, unknown>>, reason: string): void {
    this.#troubles.count("zeek_sightings_refused", text, fields, reason);
  }
}
