import type { Clock } from "@threatbus/core";

/** Milliseconds of sending ahead of the pace before waiting is worth a timer. */
const slack = 20;

/** Spreads what is sent over time. */
export class Pace {
  readonly #clock: Clock;
  /** When the next one is due, in milliseconds. */
  #due = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** One is sent. @param rate per second; 0 for no limit @returns milliseconds to wait before the next */
  after(rate: number): number {
    if (rate === 0) return 0;
    const now = this.#clock.now();
    this.#due = Math.max(this.#due, now) + 1_000 / rate;
    const wait = this.#due - now;
    return wait > slack ? wait : 0;
  }
}
