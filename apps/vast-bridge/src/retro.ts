/** Searches the past for what is new, the urgent before the rest, and remembers what was answered. */
import { backoff, reasonOf } from "@threatbus/core";
import type { Clock, Logger, Metrics } from "@threatbus/core";
import { EngineError } from "./engine.ts";
import type { Hit, Retro, RetroEnd } from "./engine.ts";
import { priorities } from "./catalogue.ts";
import type { Priority } from "./catalogue.ts";
import { keyOf, observableOfKey } from "./observable.ts";
import type { Observable } from "./observable.ts";
import type { Store } from "./store.ts";

export interface RetroOptions {
  /** Hits for one observable; `Infinity`: all. */
  readonly maxEvents: number;
  /** Milliseconds for one search. */
  readonly timeout: number;
  /** Milliseconds to look back; `Infinity`: all. */
  readonly lookback: number;
  /** Milliseconds after which an observable that another indicator names is searched for again. */
  readonly again: number;
}

/** What one search of one or several observables came to. */
export interface Searched {
  readonly observables: number;
  readonly hits: number;
  /** Milliseconds. */
  readonly took: number;
}

/** Searches of one observable that may fail while others succeed. */
const attempts = 5;
/** Observables and indicators that one entry of the log names. */
const most = 10;

/** How often an observable was searched for in vain, and how many searches had succeeded when it first was. */
interface Attempts {
  readonly failed: number;
  readonly successes: number;
}

interface Waiting extends Attempts {
  readonly priority: Priority;
}

export class RetroMatching {
  readonly #engine: Retro;
  readonly #answered: Store;
  readonly #options: RetroOptions;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #metrics: Metrics;
  readonly #take: (hit: Hit, last: boolean) => Promise<void>;
  readonly #searched: (searched: Searched) => void;
  readonly #naming: (key: string) => readonly string[];
  readonly #queues: Readonly<Record<Priority, Map<string, Attempts>>> = { manual: new Map(), feed: new Map(), backfill: new Map() };
  readonly #running = new Set<Promise<void>>();
  readonly #searching = new Set<string>();
  readonly #stopping = new AbortController();
  readonly #abort = new AbortController();
  readonly #wait = backoff({ first: 500, cap: 30_000 });
  #pause: Promise<void> | undefined;
  /** Searches that failed since the last that did not. */
  #failing = 0;
  #successes = 0;

  constructor(
    engine: Retro,
    answered: Store,
    options: RetroOptions,
    host: { readonly clock: Clock; readonly logger: Logger; readonly metrics: Metrics },
    take: (hit: Hit, last: boolean) => Promise<void>,
    searched: (searched: Searched) => void,
    naming: (key: string) => readonly string[],
  ) {
    this.#engine = engine;
    this.#answered = answered;
    this.#options = options;
    this.#clock = host.clock;
    this.#logger = host.logger;
    this.#metrics = host.metrics;
    this.#take = take;
    this.#searched = searched;
    this.#naming = naming;
    host.metrics.gauge("retro_backlog", () => this.backlog);
  }

  /** Observables that wait or are searched for. */
  get backlog(): number {
    return priorities.reduce((sum, priority) => sum + this.#queues[priority].size, 0) + this.#searching.size;
  }

  /** The tool does not answer. */
  get failing(): boolean {
    return this.#failing > 0;
  }

  /** `known` is what an indicator named before this process began: whatever was answered stays so. */
  want(observable: Observable, priority: Priority, known: boolean): void {
    const key = keyOf(observable);
    const at = this.#answered.get(key);
    if (at !== undefined && (known || Number(at) + this.#options.again > this.#clock.now())) return;
    if (this.#searching.has(key)) return;
    for (const other of priorities) {
      const queue = this.#queues[other];
      if (!queue.has(key)) continue;
      if (priorities.indexOf(other) <= priorities.indexOf(priority)) return;
      queue.delete(key);
    }
    this.#queues[priority].set(key, { failed: 0, successes: 0 });
    this.#next();
  }

  unwant(observable: Observable): void {
    for (const priority of priorities) this.#queues[priority].delete(keyOf(observable));
  }

  /** Lets what runs come to its end, until the signal fires. What waits still waits the next time. */
  async stop(patience: AbortSignal): Promise<void> {
    this.#stopping.abort();
    const abort = (): void => this.#abort.abort(new Error("the bridge stops"));
    if (patience.aborted) abort();
    patience.addEventListener("abort", abort);
    await Promise.all(this.#running);
    patience.removeEventListener("abort", abort);
  }

  #next(): void {
    while (!this.#stopping.signal.aborted && this.#pause === undefined && this.#running.size < this.#engine.parallel) {
      const batch = this.#batch();
      if (batch.size === 0) return;
      const search = this.#search(batch).finally(() => {
        this.#running.delete(search);
        this.#next();
      });
      this.#running.add(search);
      // A tool that does not answer is asked by one search at a time.
      if (this.#failing > 0) return;
    }
  }

  /** Of one priority, so that the urgent is answered first. */
  #batch(): Map<string, Waiting> {
    const batch = new Map<string, Waiting>();
    for (const priority of priorities) {
      for (const [key, attempts] of this.#queues[priority]) {
        if (batch.size >= this.#engine.batch) break;
        // What failed goes alone, so that one that cannot be answered keeps no others from it.
        if (attempts.failed > 1 && batch.size > 0) continue;
        this.#queues[priority].delete(key);
        this.#searching.add(key);
        batch.set(key, { ...attempts, priority });
        if (attempts.failed > 1) break;
      }
      if (batch.size > 0) break;
    }
    return batch;
  }

  async #search(batch: ReadonlyMap<string, Waiting>): Promise<void> {
    const began = this.#clock.now();
    const { maxEvents: limit, timeout, lookback } = this.#options;
    const hits = new Map<string, number>();
    const since = lookback === Infinity ? {} : { since: began - lookback };
    try {
      const end = await this.#engine.search([...batch.keys()].map(observableOfKey), { limit, deadline: began + timeout, signal: this.#abort.signal, ...since }, async (hit) => {
        const key = keyOf(hit.observable);
        const count = (hits.get(key) ?? 0) + 1;
        if (count > limit) return;
        hits.set(key, count);
        await this.#take(hit, count === limit);
      });
      this.#failing = 0;
      this.#successes++;
      this.#wait.reset();
      if (end.truncated !== undefined) this.#cut(end, batch);
      // What was cut short by time is not answered: it is searched for again by the next process, or for the next indicator that names it.
      if (end.truncated !== "deadline") for (const key of batch.keys()) this.#answered.set(key, String(this.#clock.now()));
      const sum = [...hits.values()].reduce((all, count) => all + count, 0);
      this.#metrics.counter("retro_searched").add(batch.size);
      this.#searched({ observables: batch.size, hits: sum, took: this.#clock.now() - began });
    } catch (thrown) {
      this.#failed(batch, thrown);
    } finally {
      for (const key of batch.keys()) this.#searching.delete(key);
    }
  }

  #cut({ truncated: by, observables }: RetroEnd, batch: ReadonlyMap<string, Waiting>): void {
    const keys = observables?.map(keyOf) ?? [...batch.keys()];
    this.#metrics.counter("retro_truncated", { by: by ?? "" }).add(keys.length);
    const told = keys.slice(0, most);
    this.#logger.warn("a search was cut short; what it found until then is reported", {
      by, searches: keys.length, observables: told.map(observableOfKey), indicators: told.flatMap((key) => this.#naming(key)).slice(0, most),
    });
  }

  #failed(batch: ReadonlyMap<string, Waiting>, thrown: unknown): void {
    if (this.#abort.signal.aborted) return;
    const permanent = thrown instanceof EngineError && thrown.permanent;
    this.#failing++;
    this.#metrics.counter("retro_failures").add();
    this.#logger.warn("a search failed", { reason: reasonOf(thrown), ...(thrown instanceof EngineError && thrown.hint !== undefined && { hint: thrown.hint }), observables: batch.size });
    for (const [key, { failed, priority, ...before }] of batch) {
      const successes = failed === 0 ? this.#successes : before.successes;
      if (permanent || (failed + 1 >= attempts && this.#successes > successes)) {
        this.#metrics.counter("retro_given_up").add();
        this.#logger.error("a search is given up until the bridge is started again", { observable: observableOfKey(key), attempts: failed + 1 });
        if (batch.size === 1) this.#failing = 0;
      } else this.#queues[priority].set(key, { failed: failed + 1, successes });
    }
    this.#pause ??= this.#clock.sleep(this.#wait.next(), this.#stopping.signal).then(() => {
      this.#pause = undefined;
      this.#next();
    });
  }
}
