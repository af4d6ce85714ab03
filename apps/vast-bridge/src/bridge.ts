/** The bridge as a whole: what comes from the bus is known, watched and searched for; what is found goes back. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Clock, Logger, Sample } from "@threatbus/core";
import { MetricSet, reasonOf, systemClock } from "@threatbus/core";
import type { BusIndicator } from "@threatbus/zmq-client";
import { BusLink } from "./bus-link.ts";
import type { BusLinkOptions } from "./bus-link.ts";
import { Catalogue } from "./catalogue.ts";
import type { CatalogueOptions, Outcome } from "./catalogue.ts";
import type { Engine, EngineHost, Hit } from "./engine.ts";
import { timestampOf } from "./event-time.ts";
import { Interval } from "./line-protocol.ts";
import { LiveMatching } from "./live.ts";
import { keyOf } from "./observable.ts";
import { Outbox } from "./outbox.ts";
import type { Outlet } from "./outlet.ts";
import { Repeats } from "./repeats.ts";
import type { RepeatOptions } from "./repeats.ts";
import { RetroMatching } from "./retro.ts";
import type { RetroOptions } from "./retro.ts";
import { findingOf, sightingOf } from "./sighting.ts";
import type { MatchType } from "./sighting.ts";
import { Store } from "./store.ts";
import type { Transform } from "./transform.ts";

export interface BridgeOptions {
  /** There already, and of this process alone. */
  readonly stateDir: string;
  readonly bus: BusLinkOptions;
  readonly catalogue: CatalogueOptions;
  readonly repeats: RepeatOptions;
  /** Absent: the past is not searched. */
  readonly retro: RetroOptions | undefined;
  /** Whether to watch what comes. */
  readonly live: boolean;
  /** Sightings handed out at the same time. */
  readonly parallel: number;
  /** Milliseconds to finish what is under way when it stops. */
  readonly drain: number;
  /** Who reports: `x_threatbus_source`. */
  readonly source: string;
  readonly makeEngine: (host: EngineHost) => Engine;
  /** Whose signal fires when what is under way is to be let go. */
  readonly makeReporting?: (host: { readonly metrics: MetricSet; readonly signal: AbortSignal }) => Reporting;
  readonly logger: Logger;
  readonly clock?: Clock;
}

const unchanged: Transform = async (report) => [report];

export interface Reporting {
  /** Absent: the bus. */
  readonly outlet?: Outlet | undefined;
  /** Absent: events are reported as they are. */
  readonly transform?: Transform | undefined;
}

export class Bridge {
  /** For the reference's metrics file. */
  readonly interval = new Interval();
  readonly #options: BridgeOptions;
  readonly #clock: Clock;
  readonly #metrics = new MetricSet();
  readonly #stores: readonly Store[];
  readonly #engine: Engine;
  readonly #catalogue: Catalogue;
  readonly #outbox: Outbox;
  readonly #repeats: Repeats;
  readonly #retro: RetroMatching | undefined;
  readonly #live: LiveMatching | undefined;
  readonly #bus: BusLink;
  readonly #stopping = new AbortController();
  /** Commands under way are ended. */
  readonly #leaving = new AbortController();
  #loading = true;
  #stopped: Promise<void> | undefined;

  /** Opens the state. Throws what the system throws. */
  constructor(options: BridgeOptions) {
    const { stateDir, logger, clock = systemClock } = options;
    this.#options = options;
    this.#clock = clock;
    const host = { clock, logger, metrics: this.#metrics };
    const store = (name: string): Store => new Store(join(stateDir, `${name}.ndjson`));
    const indicators = store("indicators"), answered = store("answered"), reported = store("reported"), outgoing = store("outbox");
    this.#stores = [indicators, answered, reported, outgoing];
    const engineDir = join(stateDir, "engine");
    mkdirSync(engineDir, { recursive: true, mode: 0o700 });
    this.#engine = options.makeEngine({ ...host, stateDir: engineDir });
    this.#catalogue = new Catalogue(indicators, options.catalogue, host);
    this.#bus = new BusLink(options.bus, host, (indicator) => this.#takeIndicator(indicator));
    const { outlet = this.#bus, transform = unchanged } = options.makeReporting?.({ metrics: this.#metrics, signal: this.#leaving.signal }) ?? {};
    this.#outbox = new Outbox(outgoing, outlet, transform, { parallel: options.parallel }, host);
    this.#repeats = new Repeats(reported, options.repeats, host, (report) => this.#outbox.put(report));
    const { retro, live } = this.#engine;
    this.#retro = retro && options.retro && new RetroMatching(retro, answered, options.retro, host, (hit, last) => this.#takeHit(hit, "RETRO", last), ({ observables, hits, took }) => this.interval.searched(observables, hits, took), (key) => this.#catalogue.naming(key));
    this.#live = options.live && live !== undefined ? new LiveMatching(live, () => this.#watched(), host, (hit) => this.#takeHit(hit, "LIVE")) : undefined;
    for (const { path, damaged } of this.#stores) if (damaged > 0) logger.warn("lines of the state could not be read", { file: path, lines: damaged });
  }

  /** Resolves when it is at work, be the bus there or not. @throws EngineError */
  async start(): Promise<void> {
    await this.#engine.start(this.#stopping.signal);
    this.#outbox.start();
    this.#catalogue.load({
      wanted: (observable, indicator, priority) => {
        if (!this.#engine.kinds.has(observable.kind)) return this.#metrics.counter("observables_skipped", { kind: observable.kind }).add();
        this.#retro?.want(observable, priority, this.#loading);
        this.#live?.want(observable, indicator);
      },
      unwanted: (observable) => {
        this.#retro?.unwant(observable);
        this.#live?.unwant(observable);
      },
    });
    this.#loading = false;
    this.#live?.start();
    this.#bus.start();
  }

  /**
   * Takes in nothing more, lets searches come to their end and sightings arrive, for as long as it was told; what is left stays in the state. Never rejects
   * for what is outside. Twice is harmless.
   */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  /** Whether everything is connected that should be, and what is not. */
  health(): { readonly healthy: boolean; readonly text: string } {
    const troubles = [
      ...(this.#stopping.signal.aborted ? ["stopping"] : []),
      ...(this.#bus.connected ? [] : ["no connection to the bus"]),
      ...(this.#live?.connected === false ? ["no live matching"] : []),
      ...(this.#retro?.failing === true ? ["searches fail"] : []),
    ];
    return { healthy: troubles.length === 0, text: troubles.length === 0 ? "running" : troubles.join(", ") };
  }

  samples(): Sample[] {
    return this.#metrics.samples();
  }

  /** Observables whose past is still to be searched; nothing if it is not searched at all. */
  get backlog(): number | undefined {
    return this.#retro?.backlog;
  }

  /** Sightings on their way out. */
  get outgoing(): number {
    return this.#outbox.size;
  }

  async #stop(): Promise<void> {
    this.#stopping.abort();
    const patience = AbortSignal.timeout(Math.max(1, this.#options.drain));
    await this.#bus.stopIntake();
    this.#catalogue.close();
    await this.#live?.stop();
    await this.#retro?.stop(patience);
    await this.#engine.stop();
    await this.#outbox.drained(patience);
    this.#leaving.abort();
    const closed = this.#bus.close();
    await this.#outbox.stop();
    await closed;
    this.#repeats.close();
    for (const store of this.#stores) store.close();
  }

  #takeIndicator(indicator: BusIndicator): void {
    if (this.#stopping.signal.aborted) return;
    let outcome: Outcome | "failed";
    try {
      outcome = this.#catalogue.take(indicator);
    } catch (thrown) {
      // A disk that takes nothing: the next snapshot brings it again.
      this.#options.logger.error("an indicator cannot be kept", { indicator: indicator.id, reason: reasonOf(thrown) });
      outcome = "failed";
    }
    this.#metrics.counter("indicators_received", { outcome }).add();
    if (outcome === "added" || outcome === "edited") this.interval.count("added_iocs");
    if (outcome === "removed") this.interval.count("removed_iocs");
  }

  /** One sighting for each indicator that names what was found and is valid now. */
  async #takeHit(hit: Hit, matchType: MatchType, last: boolean = false): Promise<void> {
    this.#metrics.counter("hits", { match: matchType }).add();
    const finding = findingOf(hit, matchType);
    if (finding === undefined) {
      this.#metrics.counter("hits_dropped", { reason: "time" }).add();
      this.#options.logger.warn("an event without a time cannot be reported", { schema: hit.schema, observable: hit.observable });
      return;
    }
    const ids = this.#catalogue.naming(keyOf(hit.observable));
    if (ids.length === 0) this.#metrics.counter("hits_dropped", { reason: "unwanted" }).add();
    for (const id of ids) {
      const indicator = this.#catalogue.indicator(id);
      if (indicator === undefined) continue;
      const report = sightingOf(finding, indicator, this.#options.source, timestampOf(this.#clock.now()), last);
      if (!this.#repeats.take(finding, report)) continue;
      this.#metrics.counter("sightings", { match: matchType }).add();
      if (matchType === "LIVE") this.interval.count("live_matcher_sightings");
    }
    await this.#outbox.room(this.#stopping.signal);
  }

  *#watched(): Generator<readonly [key: string, indicator: string]> {
    for (const entry of this.#catalogue.wanted()) if (this.#engine.kinds.has(entry[0].slice(0, entry[0].indexOf(":")) as never)) yield entry;
  }
}
