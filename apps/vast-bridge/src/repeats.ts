/**
 * Remembers what was reported, so that nothing is reported twice: neither the same event again, as a search that is repeated finds it, nor, within a
 * window, the same thing over and over. The latter is counted, and told once more at the end of the window.
 */
import { reasonOf } from "@threatbus/core";
import type { Clock, Logger, Metrics } from "@threatbus/core";
import type { Timestamp } from "@threatbus/zmq-client";
import { timestampOf } from "./event-time.ts";
import { valueAt } from "./field-tree.ts";
import type { Finding, Report } from "./sighting.ts";
import type { Store } from "./store.ts";

export interface RepeatOptions {
  /** Milliseconds in which sightings that are alike become one. 0: each event is one. */
  readonly window: number;
  /** Fields of the event that must be alike, too: `src_ip`, `id.orig_h`. */
  readonly fields: readonly string[];
}

/** Sightings remembered at most; of those beyond, the first may be reported again. */
const most = 100_000;
/** Milliseconds a sighting is remembered. */
const memory = 30 * 86_400_000;
/** Milliseconds between two looks for windows that are over. */
const tick = 1_000;

interface Window {
  readonly end: number;
  readonly report: Report;
}

interface Count {
  readonly count: number;
  readonly first: Timestamp;
  readonly last: Timestamp;
}

export class Repeats {
  /** `e:` and a sighting's id: when it was seen. `w:` and a key: the sighting that opened a window. `c:` and a key: what came in it since. */
  readonly #store: Store;
  readonly #options: RepeatOptions;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #metrics: Metrics;
  readonly #report: (report: Report) => void;
  /** When each open window ends, the first to end first. */
  readonly #windows = new Map<string, number>();
  readonly #events = new Map<string, number>();
  readonly #timer: NodeJS.Timeout;

  /** `report` puts a sighting, or the sum of a window, where it is not lost any more. */
  constructor(store: Store, options: RepeatOptions, host: { readonly clock: Clock; readonly logger: Logger; readonly metrics: Metrics }, report: (report: Report) => void) {
    this.#store = store;
    this.#options = options;
    this.#clock = host.clock;
    this.#logger = host.logger;
    this.#metrics = host.metrics;
    this.#report = report;
    this.#load();
    this.#timer = setInterval(() => this.sweep(), tick).unref();
  }

  /**
   * Reports what is news. If it is not, it was reported before, or is counted and will be. What is reported is so before it is remembered: the end of
   * the process in between makes a sighting come twice, with one id, and loses none.
   */
  take(finding: Finding, report: Report): boolean {
    const now = this.#clock.now();
    if (this.#events.has(report.id)) {
      this.#metrics.counter("sightings_repeated").add();
      return false;
    }
    const key = JSON.stringify([
      report.sighting_of_ref, finding.hit.observable.kind, finding.hit.observable.value, finding.matchType,
      ...this.#options.fields.map((field) => valueAt(finding.event, field)),
    ]);
    const end = this.#windows.get(key);
    if (end !== undefined && end <= now) this.#close(key);
    const news = end === undefined || end <= now;
    if (news) {
      this.#report(report);
      if (this.#options.window > 0) {
        this.#store.set(`w:${key}`, JSON.stringify({ end: now + this.#options.window, report }));
        this.#windows.set(key, now + this.#options.window);
      }
    } else {
      const { count, first, last } = this.#countOf(key);
      this.#store.set(`c:${key}`, JSON.stringify({ count: count + 1, first: earlier(first, finding.time), last: later(last, finding.time) }));
      this.#metrics.counter("sightings_suppressed").add();
    }
    this.#store.set(`e:${report.id}`, String(now));
    this.#events.set(report.id, now);
    return news;
  }

  /** Tells the sums of windows that are over. Called by a timer of its own. */
  sweep(): void {
    const now = this.#clock.now();
    for (const [key, end] of this.#windows) {
      if (end > now) break;
      try {
        this.#close(key);
      } catch (thrown) {
        this.#logger.error("a sum of sightings cannot be kept; trying again", { reason: reasonOf(thrown) });
        break;
      }
    }
    for (const [id, seen] of this.#events) {
      if (this.#events.size <= most && seen + memory > now) break;
      this.#events.delete(id);
      this.#store.delete(`e:${id}`);
    }
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #close(key: string): void {
    const { report } = this.#windowOf(key);
    const { count, first, last } = this.#countOf(key);
    const now = timestampOf(this.#clock.now());
    if (count > 1) this.#report({ ...report, modified: now, first_seen: first, last_seen: last, count });
    this.#windows.delete(key);
    this.#store.delete(`w:${key}`);
    this.#store.delete(`c:${key}`);
  }

  #windowOf(key: string): Window {
    return JSON.parse(this.#store.get(`w:${key}`) ?? "") as Window;
  }

  #countOf(key: string): Count {
    const text = this.#store.get(`c:${key}`);
    if (text !== undefined) return JSON.parse(text) as Count;
    const seen = this.#windowOf(key).report.last_seen as Timestamp;
    return { count: 1, first: seen, last: seen };
  }

  #load(): void {
    const windows: [string, number][] = [];
    for (const key of this.#store.keys()) {
      if (key.startsWith("e:")) this.#events.set(key.slice(2), Number(this.#store.get(key)));
      if (key.startsWith("w:")) windows.push([key.slice(2), this.#windowOf(key.slice(2)).end]);
    }
    for (const [key, end] of windows.sort((a, b) => a[1] - b[1])) this.#windows.set(key, end);
  }
}

/** `…00Z` is before `…00.5Z`: the zone is not part of the number. */
function earlier(one: Timestamp, other: Timestamp): Timestamp {
  return one.slice(0, -1) <= other.slice(0, -1) ? one : other;
}

function later(one: Timestamp, other: Timestamp): Timestamp {
  return earlier(one, other) === one ? other : one;
}
