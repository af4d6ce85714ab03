/** Sightings on their way out, in the order they were made. On disk until they have arrived. */
import { backoff, reasonOf } from "@threatbus/core";
import type { Clock, Logger, Metrics } from "@threatbus/core";
import type { Delivery, Outlet } from "./outlet.ts";
import type { Report } from "./sighting.ts";
import type { Store } from "./store.ts";
import type { Transform } from "./transform.ts";

/** Sightings that may wait before searching waits for them. */
const most = 100_000;
/** Times that what is refused is offered. */
const attempts = 4;

export interface OutboxOptions {
  /** Sightings handed out at the same time. */
  readonly parallel: number;
}

export class Outbox {
  readonly #store: Store;
  readonly #outlet: Outlet;
  readonly #transform: Transform;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #metrics: Metrics;
  readonly #options: OutboxOptions;
  readonly #stop = new AbortController();
  /** Keys not handed out yet. */
  readonly #waiting: string[];
  #wake: (() => void)[] = [];
  #workers: Promise<void> | undefined;

  constructor(
    store: Store,
    outlet: Outlet,
    transform: Transform,
    options: OutboxOptions,
    host: { readonly clock: Clock; readonly logger: Logger; readonly metrics: Metrics },
  ) {
    this.#store = store;
    this.#outlet = outlet;
    this.#transform = transform;
    this.#options = options;
    this.#clock = host.clock;
    this.#logger = host.logger;
    this.#metrics = host.metrics;
    this.#waiting = [...store.keys()];
    host.metrics.gauge("sightings_waiting", () => store.size);
  }

  get size(): number {
    return this.#store.size;
  }

  /** In the state when it returns. The same sighting again takes the place of the one that waits. */
  put(report: Report): void {
    const key = `${report.id} ${report.modified}`;
    const known = this.#store.has(key);
    this.#store.set(key, JSON.stringify(report));
    if (!known) this.#waiting.push(key);
    this.#stir();
  }

  /** Resolves when there is room for more. */
  async room(signal: AbortSignal): Promise<void> {
    while (this.#store.size >= most && !signal.aborted) await this.#change();
  }

  start(): void {
    this.#workers ??= Promise.all(Array.from({ length: this.#options.parallel }, () => this.#work())).then(() => undefined);
  }

  /** Resolves when all has arrived, or the signal fires. */
  async drained(signal: AbortSignal): Promise<void> {
    const stir = (): void => this.#stir();
    signal.addEventListener("abort", stir);
    while (this.#store.size > 0 && !signal.aborted) await this.#change();
    signal.removeEventListener("abort", stir);
  }

  /** What is not out stays in the state. */
  async stop(): Promise<void> {
    this.#stop.abort();
    this.#stir();
    await this.#workers;
  }

  async #work(): Promise<void> {
    const stopped = this.#stop.signal;
    while (!stopped.aborted) {
      const key = this.#waiting.shift();
      if (key === undefined) await this.#change();
      else {
        await this.#send(key);
        this.#stir();
      }
    }
  }

  async #send(key: string): Promise<void> {
    const stopped = this.#stop.signal;
    const wait = backoff({ cap: 30_000 });
    for (let refusals = 0; !stopped.aborted; ) {
      const delivery = await this.#try(key);
      if (stopped.aborted && delivery.outcome !== "kept") return;
      if (delivery.outcome !== "kept") {
        if (refusals === 0) this.#logger.warn("a sighting could not be delivered; it will be tried again", { reason: delivery.reason });
        if (delivery.outcome === "again" || ++refusals < attempts) {
          await this.#clock.sleep(wait.next(), stopped);
          continue;
        }
        this.#metrics.counter("sightings_given_up").add();
        this.#logger.error("a sighting is given up", { reason: delivery.reason, attempts: refusals });
      } else this.#metrics.counter("sightings_delivered").add();
      this.#store.delete(key);
      return;
    }
  }

  async #try(key: string): Promise<Delivery> {
    try {
      const text = this.#store.get(key);
      if (text === undefined) return { outcome: "kept" };
      return await this.#outlet.deliver(await this.#transform(JSON.parse(text) as Report));
    } catch (thrown) {
      return { outcome: "refused", reason: reasonOf(thrown) };
    }
  }

  #stir(): void {
    const wake = this.#wake;
    this.#wake = [];
    for (const resolve of wake) resolve();
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#wake.push(resolve));
  }
}
