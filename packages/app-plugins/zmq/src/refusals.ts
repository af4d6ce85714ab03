import type { Counter, Host } from "@threatbus/core";

/** Milliseconds between two lines about refused messages. */
const quiet = 10_000;

/** Counts what apps sent in vain, and says so now and then: a broken app must not fill the log. */
export class Refusals {
  readonly #host: Host;
  readonly #counters = new Map<string, Counter>();
  #silentUntil = 0;
  #unsaid = 0;

  constructor(host: Host) {
    this.#host = host;
  }

  /** @param reason one word of a closed set @param detail the bus's own words */
  add(reason: string, detail?: string): void {
    let counter = this.#counters.get(reason);
    if (counter === undefined) this.#counters.set(reason, (counter = this.#host.metrics.counter("zmq_refused", { reason })));
    counter.add();
    const now = this.#host.clock.now();
    if (now < this.#silentUntil) {
      this.#unsaid++;
      return;
    }
    this.#silentUntil = now + quiet;
    this.#host.logger.warn("a message from an app was refused; more are counted", { reason, detail, unsaid: this.#unsaid });
    this.#unsaid = 0;
  }
}
