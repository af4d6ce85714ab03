/** Watches what is imported: one program that looks every event up in two tables, which are changed while it runs. */
import type { Hit, Live, LiveSession, Watched } from "../../engine.ts";
import { EngineError } from "../../engine.ts";
import { Matcher } from "../../matcher.ts";
import type { Observable } from "../../observable.ts";
import { observableKinds } from "../../observable.ts";
import { marksOf, scopesFor } from "./fields.ts";
import { hitsIn, resultOf, resultOperators, type Result } from "./hits.ts";
import { lookupProgram } from "./lookup.ts";
import type { Mark } from "./mark.ts";
import type { Parts } from "./parts.ts";
import { sideBySide } from "./side-by-side.ts";
import type { Table } from "./tables.ts";
import { time } from "./tql.ts";
import { Twice } from "./twice.ts";

/** Milliseconds, and times of what a change of a table took, after which a live program takes events, on a busy machine as well. */
const settling = { least: 3_000, times: 3 };

export class TenzirLive implements Live {
  readonly #parts: Parts;
  readonly #mark: Mark;

  constructor(parts: Parts, mark: Mark) {
    this.#parts = parts;
    this.#mark = mark;
  }

  async open(known: Iterable<Watched>, signal: AbortSignal): Promise<LiveSession> {
    const { tables, options, clock, stopping } = this.#parts;
    const began = clock.now();
    const matcher = new Matcher(options);
    for (const observable of known) matcher.watchlist.add(observable);
    const opening = AbortSignal.any([signal, stopping]);
    await tables.sweep(opening);
    const made: Table[] = [];
    try {
      await Promise.all((["ip", "text"] as const).map(async (kind) => {
        const table = await tables.create(kind, opening);
        made.push(table);
        await table.add(matcher.watchlist, opening);
      }));
      const sizes = await tables.sizes(opening);
      for (const table of made) table.compare(sizes);
    } catch (thrown) {
      await tables.remove(made);
      throw thrown;
    }
    const took = clock.now() - began;
    const marked = await this.#mark.read();
    // From now on, even if this session does not live to see any.
    if (marked === undefined) await this.#mark.write(began).catch(() => undefined);
    const seen = Math.max(marked ?? began, began - options.catch_up * 1_000);
    return new Session({ parts: this.#parts, mark: this.#mark, matcher, tables: made, since: Math.min(seen, began), settle: settling.least + settling.times * took });
  }
}

interface SessionOptions {
  readonly parts: Parts;
  readonly mark: Mark;
  readonly matcher: Matcher;
  readonly tables: readonly Table[];
  /** Milliseconds since 1970: events imported since then are matched. */
  readonly since: number;
  /** Milliseconds after which the live program surely takes events. */
  readonly settle: number;
}

class Session implements LiveSession {
  readonly hits: AsyncIterable<Hit>;
  readonly #own: SessionOptions;
  /** Fires with the fault, or when the session is closed. */
  readonly #ending = new AbortController();
  readonly #over: AbortSignal;
  readonly #results: AsyncGenerator<Result>;
  /** While events can come twice. */
  #twice: Twice | undefined = new Twice();
  /** A hit is out of which nobody has said that it is kept. */
  #owed = false;
  #closed = false;
  #changes: Promise<unknown> = Promise.resolve();
  #closing: Promise<void> | undefined;

  constructor(own: SessionOptions) {
    this.#own = own;
    this.#over = AbortSignal.any([this.#ending.signal, own.parts.stopping]);
    this.#results = sideBySide([this.#fromLive(), this.#fromPast()]);
    this.hits = this.#hits();
    void this.#check();
  }

  add(batch: readonly Watched[]): Promise<void> {
    return this.#change(async () => {
      const { matcher, tables } = this.#own;
      const fresh = batch.filter((observable) => matcher.watchlist.add(observable));
      await Promise.all(tables.map((table) => table.add(fresh, this.#over)));
    });
  }

  remove(batch: readonly Observable[]): Promise<void> {
    return this.#change(async () => {
      const { matcher, tables } = this.#own;
      const gone = batch.filter((observable) => matcher.watchlist.remove(observable));
      await Promise.all(tables.map((table) => table.remove(gone, this.#over)));
    });
  }

  close(): Promise<void> {
    this.#closed = true;
    this.#closing ??= this.#end();
    return this.#closing;
  }

  async #end(): Promise<void> {
    this.#ending.abort(new EngineError("the session is closed"));
    await this.#results.return(undefined).catch(() => undefined);
    await this.#changes.catch(() => undefined);
    await this.#own.parts.tables.remove(this.#own.tables);
  }

  async *#hits(): AsyncGenerator<Hit> {
    const { matcher, parts: { options } } = this.#own;
    try {
      for await (const result of this.#results) {
        for (const hit of hitsIn(result, matcher, options)) {
          this.#owed = true;
          yield hit;
          this.#owed = false;
        }
      }
    } catch (thrown) {
      if (this.#closed || this.#own.parts.stopping.aborted) return;
      this.#ending.abort(thrown);
      throw this.#ending.signal.reason;
    }
  }

  async *#fromLive(): AsyncGenerator<Result> {
    yield* this.#read(0, ["export live=true"]);
  }

  /** What was imported before the live program took events, and while node or bridge were away. */
  async *#fromPast(): AsyncGenerator<Result> {
    const { parts: { clock }, since, settle } = this.#own;
    await clock.sleep(settle, this.#over);
    this.#over.throwIfAborted();
    yield* this.#read(1, ["export", `where @import_time >= ${time(since)}`]);
    void this.#settle();
  }

  async *#read(from: 0 | 1, source: readonly string[]): AsyncGenerator<Result> {
    const { parts: { options, client, spelling }, tables } = this.#own;
    const program = lookupProgram({
      source,
      scopes: scopesFor(options, new Set(observableKinds)),
      marks: marksOf(options),
      subdomains: options.subdomains,
      tables: Object.fromEntries(tables.map(({ kind, name }) => [kind, name])),
      spelling,
      tail: resultOperators([], false),
    });
    try {
      for await (const line of client.lines(program, { signal: this.#over })) {
        if (this.#twice?.isSecond(from, line) === true) continue;
        const result = resultOf(line);
        if (result !== undefined) yield result;
      }
      if (from === 0) throw new EngineError("the live program ended by itself");
    } catch (thrown) {
      // The other program, or the wait for it, is not to hold the fault back.
      this.#ending.abort(thrown);
      throw thrown;
    }
  }

  /** From now on the live program alone gives events; those under way may still be among those of the past. */
  async #settle(): Promise<void> {
    const { parts: { clock, options }, settle, mark } = this.#own;
    await clock.sleep(settle, this.#over);
    this.#twice = undefined;
    while (!this.#over.aborted) {
      if (!this.#owed) await mark.write(clock.now()).catch(() => undefined);
      await clock.sleep(options.silence * 1_000, this.#over);
    }
  }

  /** Compares the tables with what they have to hold, which also tells whether the node still does what it is asked. */
  async #check(): Promise<void> {
    const { parts: { clock, options, tables: all }, tables } = this.#own;
    for (;;) {
      await clock.sleep(options.check_interval * 1_000, this.#over);
      if (this.#over.aborted) return;
      await this.#change(async () => {
        const sizes = await all.sizes(this.#over);
        for (const table of tables) table.compare(sizes);
      }).catch(() => undefined);
    }
  }

  /** One at a time. One that fails leaves the tables in doubt, and ends the session. */
  #change(make: () => Promise<void>): Promise<void> {
    const change = this.#changes.then(async () => {
      this.#over.throwIfAborted();
      try {
        await make();
      } catch (thrown) {
        this.#ending.abort(thrown);
        throw thrown;
      }
    });
    this.#changes = change.catch(() => undefined);
    return change;
  }
}
