/** The bridge's place on the bus: indicators come, sightings go, and one has arrived when the bus has handed it back. */
import { backoff, reasonOf } from "@threatbus/core";
import type { Clock, Logger, Metrics } from "@threatbus/core";
import { connect } from "@threatbus/zmq-client";
import type { BusIndicator, Client, Subscription, SubscriptionState } from "@threatbus/zmq-client";
import type { Delivery, Outlet } from "./outlet.ts";
import type { Report } from "./sighting.ts";

export interface BusLinkOptions {
  readonly host: string;
  /** Its management port. */
  readonly port: number;
  /** Days of history to ask for. */
  readonly snapshot: number;
  /** Sightings go to this bus, so that they are to be seen coming back. */
  readonly reports: boolean;
}

/** Milliseconds a sighting may take to come back. */
const patience = 10_000;
/** Bytes of one message that a bus takes, unless it was told otherwise. */
const largest = 1024 * 1024;

export class BusLink implements Outlet {
  readonly #options: BusLinkOptions;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #metrics: Metrics;
  readonly #take: (indicator: BusIndicator) => void;
  readonly #stop = new AbortController();
  /** By id and version: who waits for a sighting to come back. */
  readonly #underWay = new Map<string, () => void>();
  #client: Client | undefined;
  #indicators: Subscription | undefined;
  #sightings: Subscription | undefined;
  #state: SubscriptionState | "connecting" = "connecting";
  #running: Promise<void> | undefined;

  constructor(
    options: BusLinkOptions,
    host: { readonly clock: Clock; readonly logger: Logger; readonly metrics: Metrics },
    take: (indicator: BusIndicator) => void,
  ) {
    this.#options = options;
    this.#clock = host.clock;
    this.#logger = host.logger;
    this.#metrics = host.metrics;
    this.#take = take;
    host.metrics.gauge("bus_connected", () => (this.connected ? 1 : 0));
    host.metrics.gauge("bus_messages_lost", () => this.#indicators?.stats.lost ?? 0);
  }

  get connected(): boolean {
    return this.#state !== "connecting" && this.#state !== "lost" && this.#state !== "closed";
  }

  /** Returns at once: a bus that is not there yet is waited for. */
  start(): void {
    this.#running ??= this.#run();
  }

  async deliver(reports: readonly Report[]): Promise<Delivery> {
    const client = this.#client;
    if (client === undefined) return { outcome: "again", reason: "there is no connection to the bus" };
    for (const report of reports) {
      const back = this.#expect(report);
      try {
        await client.publish({ topic: "stix2/sighting", payload: payloadOf(report) });
      } catch (thrown) {
        back.forget();
        return { outcome: "again", reason: reasonOf(thrown) };
      }
      if (!(await back.seen)) {
        return this.connected ? { outcome: "refused", reason: "the bus did not hand it out" } : { outcome: "again", reason: "the bus does not answer" };
      }
    }
    return { outcome: "kept" };
  }

  /** No more indicators; sightings still go out. */
  async stopIntake(): Promise<void> {
    await this.#indicators?.close();
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await Promise.all([this.#indicators?.close(), this.#sightings?.close()]);
    await this.#client?.close();
    await this.#running;
  }

  async #run(): Promise<void> {
    const wait = backoff();
    const stopped = this.#stop.signal;
    while (!stopped.aborted) {
      try {
        await this.#join();
        wait.reset();
        await Promise.all([this.#receive(), this.#watch()]);
      } catch (thrown) {
        if (!stopped.aborted) this.#logger.warn("no connection to the bus; trying again", { host: this.#options.host, port: this.#options.port, reason: reasonOf(thrown) });
      }
      // Intake that was stopped leaves the client to the sightings.
      if (stopped.aborted || this.#indicators?.state === "closed") return;
      await this.#client?.close();
      this.#client = undefined;
      await this.#clock.sleep(wait.next(), stopped);
    }
  }

  async #join(): Promise<void> {
    const { host, port, snapshot, reports } = this.#options;
    const logger = this.#logger;
    const client = await connect({ host, manage: port, logger, signal: this.#stop.signal });
    if (this.#stop.signal.aborted) return client.close();
    // First, so that no sighting goes out that could not be seen coming back.
    this.#sightings = reports ? await client.subscribe("stix2/sighting", { buffer: 10_000 }) : undefined;
    this.#indicators = await client.subscribe("stix2/indicator", {
      snapshot,
      onStatus: (state, error) => {
        this.#state = state;
        logger.info("the bus", { state, ...(error !== undefined && { reason: error.message }) });
      },
      onGap: ({ missing }) => logger.warn("messages of the bus are missing", { missing }),
    });
    this.#client = client;
    this.#state = this.#indicators.state;
  }

  async #receive(): Promise<void> {
    for await (const message of this.#indicators ?? []) {
      if (message.type !== "indicator") continue;
      const { id, modified, pattern } = message.body as Partial<BusIndicator>;
      if (typeof id === "string" && typeof modified === "string" && typeof pattern === "string") this.#take(message.body);
      else this.#metrics.counter("indicators_skipped", { reason: "malformed" }).add();
    }
  }

  async #watch(): Promise<void> {
    for await (const message of this.#sightings ?? []) {
      if (message.type === "sighting") this.#underWay.get(versionOf(message.body))?.();
    }
  }

  #expect(report: Report): { readonly seen: Promise<boolean>; forget(): void } {
    const key = versionOf(report);
    let end: (seen: boolean) => void = () => undefined;
    const timer = setTimeout(() => end(false), patience);
    const give = (): void => end(false);
    const seen = new Promise<boolean>((resolve) => {
      end = (value) => {
        clearTimeout(timer);
        this.#stop.signal.removeEventListener("abort", give);
        this.#underWay.delete(key);
        resolve(value);
      };
    });
    this.#underWay.set(key, () => end(true));
    this.#stop.signal.addEventListener("abort", give);
    return { seen, forget: give };
  }
}

/** By the instant: the Python bus writes times in its own way, `.160Z` as `.16Z`. */
function versionOf({ id, modified }: Pick<Report, "id" | "modified">): string {
  return `${id} ${Date.parse(modified)}`;
}

/** Without the indicator, which its reference names, if the whole would be too large. */
function payloadOf(report: Report): string {
  const text = JSON.stringify(report);
  if (Buffer.byteLength(text) <= largest - 256) return text;
  const { x_threatbus_indicator: _, ...rest } = report;
  return JSON.stringify({ ...rest, x_threatbus_indicator_value: report.x_threatbus_match.value });
}
