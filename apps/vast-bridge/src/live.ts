/** Keeps the tool watching for what is wanted, through every end of the tool, and takes what it finds. */
import { backoff, reasonOf } from "@threatbus/core";
import type { Clock, Logger, Metrics } from "@threatbus/core";
import { EngineError } from "./engine.ts";
import type { Hit, Live, LiveSession, Watched } from "./engine.ts";
import { keyOf, observableOfKey } from "./observable.ts";
import type { Observable } from "./observable.ts";

/** Milliseconds a session has to last for the next to begin at once. */
const lasting = 10_000;
/** Observables told to a tool at once. */
const most = 10_000;

export class LiveMatching {
  readonly #engine: Live;
  readonly #wanted: () => Iterable<readonly [key: string, indicator: string]>;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #metrics: Metrics;
  readonly #take: (hit: Hit) => Promise<void>;
  readonly #stop = new AbortController();
  /** What the session is still to be told, the latest for each observable: the indicator to watch for, or nothing. */
  #changes = new Map<string, string | undefined>();
  #session: LiveSession | undefined;
  #telling: Promise<void> | undefined;
  #running: Promise<void> | undefined;

  constructor(
    engine: Live,
    wanted: () => Iterable<readonly [key: string, indicator: string]>,
    host: { readonly clock: Clock; readonly logger: Logger; readonly metrics: Metrics },
    take: (hit: Hit) => Promise<void>,
  ) {
    this.#engine = engine;
    this.#wanted = wanted;
    this.#clock = host.clock;
    this.#logger = host.logger;
    this.#metrics = host.metrics;
    this.#take = take;
    host.metrics.gauge("live_connected", () => (this.connected ? 1 : 0));
    host.metrics.gauge("live_changes_waiting", () => this.#changes.size);
  }

  get connected(): boolean {
    return this.#session !== undefined;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  want(observable: Observable, indicator: string): void {
    this.#change(keyOf(observable), indicator);
  }

  unwant(observable: Observable): void {
    this.#change(keyOf(observable), undefined);
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#session?.close();
    await this.#running;
  }

  #change(key: string, indicator: string | undefined): void {
    // Without a session there is nobody to tell: the next begins with all that is wanted then.
    if (this.#running === undefined) return;
    this.#changes.delete(key);
    this.#changes.set(key, indicator);
    this.#tell();
  }

  async #run(): Promise<void> {
    const wait = backoff({ first: 500, cap: 30_000 });
    const stopped = this.#stop.signal;
    while (!stopped.aborted) {
      const began = this.#clock.now();
      try {
        this.#changes = new Map();
        const session = await this.#engine.open(this.#known(), stopped);
        if (stopped.aborted) return await session.close();
        this.#session = session;
        this.#logger.info("live matching has begun");
        this.#tell();
        try {
          for await (const hit of session.hits) await this.#take(hit);
        } finally {
          this.#session = undefined;
          await session.close();
          await this.#telling;
        }
        if (!stopped.aborted) throw new EngineError("live matching ended by itself");
      } catch (thrown) {
        if (stopped.aborted) return;
        this.#metrics.counter("live_interruptions").add();
        this.#logger.warn("live matching is interrupted; trying again", { reason: reasonOf(thrown), ...(thrown instanceof EngineError && thrown.hint !== undefined && { hint: thrown.hint }) });
      }
      if (this.#clock.now() - began >= lasting) wait.reset();
      await this.#clock.sleep(wait.next(), stopped);
    }
  }

  *#known(): Generator<Watched> {
    for (const [key, indicator] of this.#wanted()) yield { ...observableOfKey(key), indicator };
  }

  #tell(): void {
    if (this.#session === undefined) return;
    this.#telling ??= this.#tellAll(this.#session).finally(() => {
      this.#telling = undefined;
    });
  }

  /** In order: what was taken back goes before what is new, and nothing overtakes what was told before. */
  async #tellAll(session: LiveSession): Promise<void> {
    while (this.#changes.size > 0 && this.#session === session && !this.#stop.signal.aborted) {
      const batch = [...this.#changes].slice(0, most);
      for (const [key] of batch) this.#changes.delete(key);
      const added: Watched[] = [], removed: Observable[] = [];
      for (const [key, indicator] of batch) {
        if (indicator === undefined) removed.push(observableOfKey(key));
        else added.push({ ...observableOfKey(key), indicator });
      }
      try {
        if (removed.length > 0) await session.remove(removed);
        if (added.length > 0) await session.add(added);
      } catch (thrown) {
        // What the tool was not told of, the next session begins with.
        this.#logger.warn("the tool does not take what to watch for", { reason: reasonOf(thrown) });
        await session.close();
        return;
      }
    }
  }
}
