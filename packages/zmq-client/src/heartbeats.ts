import { setTimeout as sleep } from "node:timers/promises";
import { Backoff } from "./backoff.ts";
import { ZmqClientError } from "./errors.ts";
import type { LiveSubscription } from "./live-subscription.ts";

/** Keeps every subscription alive at the bus, and makes it anew at a bus that forgot it. */
export class Heartbeats {
  readonly #subscriptions: ReadonlySet<LiveSubscription>;
  readonly #interval: number;
  readonly #stop = new AbortController();
  #pause = new AbortController();

  /** `interval` in milliseconds, while all is well. */
  constructor(subscriptions: ReadonlySet<LiveSubscription>, interval: number) {
    this.#subscriptions = subscriptions;
    this.#interval = interval;
    void this.#run();
  }

  /** One now. */
  wake(): void {
    this.#pause.abort();
  }

  stop(): void {
    this.#stop.abort();
    this.#pause.abort();
  }

  async #run(): Promise<void> {
    const backoff = new Backoff();
    let wait = this.#interval;
    while (!this.#stop.signal.aborted) {
      await sleep(wait, undefined, { signal: this.#pause.signal }).catch(() => undefined);
      if (this.#stop.signal.aborted) return;
      this.#pause = new AbortController();
      if (await this.#confirmAll()) {
        backoff.reset();
        wait = this.#interval;
      } else wait = Math.min(backoff.next(), this.#interval);
    }
  }

  /** Whether every subscription stands. */
  async #confirmAll(): Promise<boolean> {
    let all = true;
    for (const subscription of [...this.#subscriptions]) {
      try {
        await subscription.confirm();
      } catch (cause) {
        all = false;
        const error = cause instanceof ZmqClientError ? cause : new ZmqClientError("CONNECTION_FAILED", undefined, { cause });
        subscription.lose(error);
        // A bus that refuses one subscription may keep the others; one that cannot be asked is lost to all.
        if (error.code === "REQUEST_REFUSED") continue;
        for (const other of this.#subscriptions) other.lose(error);
        break;
      }
    }
    return all;
  }
}
