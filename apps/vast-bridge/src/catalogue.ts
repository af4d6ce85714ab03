/** The indicators there are, who names which observable, and from when until when they count. On disk before they are acted on. */
import { reasonOf } from "@threatbus/core";
import type { Clock, Logger, Metrics } from "@threatbus/core";
import type { BusIndicator, Indicator } from "@threatbus/zmq-client";
import type { AllowList } from "./allow-list.ts";
import { keyOf, observableOfKey, observablesOf } from "./observable.ts";
import type { Observable, SkipReason } from "./observable.ts";
import type { Store } from "./store.ts";

/** Who waits for whom: what a person put in by hand, what a feed says now, what history brings. */
export const priorities = ["manual", "feed", "backfill"] as const;
export type Priority = (typeof priorities)[number];

export interface CatalogueOptions {
  readonly allowed: AllowList;
  /** Indicators with one of these labels go first. */
  readonly manualLabels: readonly string[];
  /** Milliseconds an indicator without `valid_until` counts, from its `valid_from`. `Infinity`: for ever. */
  readonly lifetime: number;
}

/** Told when an observable begins to be looked for by an indicator, and when no indicator asks for it any more. */
export interface CatalogueListener {
  wanted(observable: Observable, indicator: string, priority: Priority): void;
  unwanted(observable: Observable): void;
}

export type Outcome = "added" | "edited" | "removed" | "known" | "unknown" | "skipped";

interface Entry {
  readonly modified: string;
  /** Of its observables. */
  readonly keys: readonly string[];
  readonly priority: Priority;
  /** Milliseconds since 1970. */
  readonly from: number;
  readonly until: number;
  active: boolean;
}

/** Milliseconds since its last change that make an indicator news and no history. */
const fresh = 3_600_000;
/** Milliseconds; a longer timer would fire at once. */
const longestTimer = 2 ** 31 - 1;
/** Milliseconds between two looks at what begins and ends. */
const tick = 250;

export class Catalogue {
  readonly #store: Store;
  readonly #options: CatalogueOptions;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #metrics: Metrics;
  readonly #entries = new Map<string, Entry>();
  /** By observable: the active indicators that name it; nearly always one. */
  readonly #byKey = new Map<string, string | Set<string>>();
  /** Indicators that begin or end in the future. */
  readonly #changing = new Set<string>();
  #listener: CatalogueListener = { wanted: () => undefined, unwanted: () => undefined };
  #timer: NodeJS.Timeout | undefined;
  #due = Infinity;

  constructor(store: Store, options: CatalogueOptions, host: { readonly clock: Clock; readonly logger: Logger; readonly metrics: Metrics }) {
    this.#store = store;
    this.#options = options;
    this.#clock = host.clock;
    this.#logger = host.logger;
    this.#metrics = host.metrics;
    host.metrics.gauge("indicators", () => this.#entries.size);
    host.metrics.gauge("observables", () => this.#byKey.size);
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Takes up what was known before the process began. Those that are not valid any more are let go. */
  load(listener: CatalogueListener): void {
    this.#listener = listener;
    for (const id of [...this.#store.keys()]) {
      const indicator = this.indicator(id);
      if (indicator !== undefined && indicator.id === id) this.#put(indicator, "backfill");
      if (!this.#entries.has(id)) this.#store.delete(id);
    }
  }

  /** What came from the bus: new, changed, or taken back. */
  take(indicator: BusIndicator): Outcome {
    const { id } = indicator;
    const known = this.#entries.get(id);
    if (indicator.x_threatbus_update === "REMOVE" || indicator.revoked === true) {
      if (known === undefined) return "unknown";
      this.#drop(id, known);
      return "removed";
    }
    if (known !== undefined && Date.parse(indicator.modified) < Date.parse(known.modified)) return "known";
    if (known?.modified === indicator.modified && this.#store.get(id) === JSON.stringify(indicator)) return "known";
    const skipped = this.#put(indicator, this.#priorityOf(indicator));
    if (skipped !== undefined) {
      this.#metrics.counter("indicators_skipped", { reason: skipped }).add();
      // A new version that cannot be searched takes the place of the old one all the same.
      if (known !== undefined) this.#drop(id, known);
      return "skipped";
    }
    this.#store.set(id, JSON.stringify(indicator));
    return known === undefined ? "added" : "edited";
  }

  /** Ids of the indicators that name this observable and are valid now. */
  naming(key: string): readonly string[] {
    const ids = this.#byKey.get(key);
    if (ids === undefined) return [];
    const now = this.#clock.now();
    return (typeof ids === "string" ? [ids] : [...ids]).filter((id) => {
      const entry = this.#entries.get(id);
      return entry !== undefined && entry.from <= now && now < entry.until;
    });
  }

  /** Whole, as it came; read from disk. */
  indicator(id: string): Indicator | undefined {
    try {
      const text = this.#store.get(id);
      return text === undefined ? undefined : (JSON.parse(text) as Indicator);
    } catch (thrown) {
      this.#logger.error("an indicator cannot be read from the state", { indicator: id, reason: reasonOf(thrown) });
      return undefined;
    }
  }

  wants(key: string): boolean {
    return this.#byKey.has(key);
  }

  /** What is looked for now, each with one indicator that names it. */
  *wanted(): Generator<readonly [key: string, indicator: string]> {
    for (const [key, ids] of this.#byKey) yield [key, typeof ids === "string" ? ids : ([...ids][0] ?? "")];
  }

  close(): void {
    clearTimeout(this.#timer);
  }

  /** Why it is not matched, or undefined: it is known from now on. */
  #put(indicator: Indicator, priority: Priority): SkipReason | "pattern_type" | "expired" | "allowed" | undefined {
    const { id, pattern_type: type } = indicator;
    const note = (reason: string, text: string): void => this.#logger.info("an indicator, or a part of it, is not matched", { indicator: id, reason, because: text });
    if (type !== "stix" && (type as string | undefined) !== undefined) {
      note("pattern_type", "it is no STIX pattern");
      return "pattern_type";
    }
    const from = timeOr(indicator.valid_from, -Infinity);
    const until = timeOr(indicator.valid_until, this.#options.lifetime === Infinity ? Infinity : Math.max(from, 0) + this.#options.lifetime);
    if (until <= this.#clock.now()) {
      note("expired", "it is not valid any more");
      return "expired";
    }
    const { observables: named, skipped } = observablesOf(indicator.pattern);
    for (const { reason, text } of skipped) note(reason, text);
    const observables = named.filter((one) => !this.#options.allowed.allows(one));
    if (observables.length < named.length) note("allowed", "it names what is allowed");
    if (observables.length === 0) return skipped[0]?.reason ?? "allowed";
    const before = this.#entries.get(id);
    const entry: Entry = { modified: indicator.modified, keys: observables.map(keyOf), priority, from, until, active: false };
    this.#entries.set(id, entry);
    // What stays is not let go in between: nobody is to search for it again.
    this.#enter(id, entry, observables, before?.active === true ? before.keys : []);
    if (before?.active === true) for (const key of before.keys) if (!entry.active || !entry.keys.includes(key)) this.#leave(id, key);
    return undefined;
  }

  #drop(id: string, entry: Entry): void {
    this.#entries.delete(id);
    this.#changing.delete(id);
    this.#store.delete(id);
    if (entry.active) for (const key of entry.keys) this.#leave(id, key);
  }

  /** @param had what it names already, of which nobody needs to be told */
  #enter(id: string, entry: Entry, observables: readonly Observable[], had: readonly string[] = []): void {
    const now = this.#clock.now();
    if (entry.from > now || entry.until !== Infinity) this.#watch(id, entry.from > now ? entry.from : entry.until);
    if (entry.from > now) return;
    entry.active = true;
    for (const observable of observables) {
      const key = keyOf(observable);
      const ids = this.#byKey.get(key);
      if (ids === undefined) this.#byKey.set(key, id);
      else if (typeof ids !== "string") ids.add(id);
      else if (ids !== id) this.#byKey.set(key, new Set([ids, id]));
      if (!had.includes(key)) this.#listener.wanted(observable, id, entry.priority);
    }
  }

  #leave(id: string, key: string): void {
    const ids = this.#byKey.get(key);
    if (typeof ids === "object") {
      ids.delete(id);
      if (ids.size > 0) return;
    } else if (ids !== id) return;
    this.#byKey.delete(key);
    this.#listener.unwanted(observableOfKey(key));
  }

  #watch(id: string, at: number): void {
    this.#changing.add(id);
    if (at >= this.#due) return;
    this.#due = at;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.sweep(), Math.min(Math.max(at - this.#clock.now(), tick), longestTimer)).unref();
  }

  /** Begins and ends what is due. Called by a timer of its own. */
  sweep(): void {
    const now = this.#clock.now();
    this.#due = Infinity;
    for (const id of [...this.#changing]) {
      const entry = this.#entries.get(id);
      this.#changing.delete(id);
      if (entry === undefined) continue;
      if (entry.until <= now) {
        this.#metrics.counter("indicators_expired").add();
        this.#drop(id, entry);
      } else if (!entry.active && entry.from <= now) this.#enter(id, entry, entry.keys.map(observableOfKey));
      else this.#watch(id, entry.active ? entry.until : entry.from);
    }
  }

  #priorityOf({ labels, modified }: Indicator): Priority {
    if (labels?.some((label) => this.#options.manualLabels.includes(label)) === true) return "manual";
    return this.#clock.now() - Date.parse(modified) < fresh ? "feed" : "backfill";
  }
}

function timeOr(text: string | undefined, otherwise: number): number {
  const at = text === undefined ? Number.NaN : Date.parse(text);
  return Number.isNaN(at) ? otherwise : at;
}
