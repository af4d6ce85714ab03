import type { Buffer } from "node:buffer";
import type { EngineHost, Hit, LiveSession, Watched } from "../../engine.ts";
import { EngineError } from "../../engine.ts";
import type { Observable } from "../../observable.ts";
import { Folder } from "./folder.ts";
import type { Followed, Piece } from "./followed.ts";
import { LineMatcher } from "./line-matcher.ts";
import type { LineHits } from "./line-matcher.ts";
import type { Marks } from "./marks.ts";
import type { LogsOptions } from "./options.ts";
import type { Position } from "./positions.ts";
import { Positions } from "./positions.ts";
import type { Tally } from "./tally.ts";

/** Milliseconds between writing down how far it is, at least. */
const saveInterval = 1_000;

/** Watches files from where it last was. */
export class Watch implements LiveSession {
  readonly hits: AsyncIterable<Hit>;
  readonly #options: LogsOptions;
  readonly #host: EngineHost;
  readonly #tally: Tally;
  readonly #matcher: LineMatcher;
  readonly #folder: Folder;
  readonly #positions: Positions;
  readonly #closing = new AbortController();
  /** What the last one who asked for a hit waits for. */
  #turn: Promise<unknown> = Promise.resolve();
  #saved = "";
  #savedAt = -Infinity;
  #lookedAt = -Infinity;

  constructor(options: LogsOptions, host: EngineHost, marks: Marks, tally: Tally) {
    this.#options = options;
    this.#host = host;
    this.#tally = tally;
    this.#matcher = new LineMatcher(options, marks);
    this.#folder = new Folder(options, tally);
    this.#positions = new Positions(host.stateDir);
    const hits = this.#watch();
    const next = (): Promise<IteratorResult<Hit>> => {
      const turn = hits.next();
      this.#turn = turn;
      return turn;
    };
    this.hits = { [Symbol.asyncIterator]: () => ({ next, return: () => hits.return(undefined) }) };
  }

  /** Finds the files, and where to go on in them. */
  async begin(known: Iterable<Watched>, signal: AbortSignal): Promise<void> {
    await this.#matcher.addAll(known);
    signal.throwIfAborted();
    await this.#folder.begin(await this.#load());
    this.#host.logger.info("watching log files", { files: this.#folder.files.length });
    await this.#save();
  }

  async add(batch: readonly Watched[]): Promise<void> {
    this.#check();
    await this.#matcher.addAll(batch);
  }

  async remove(batch: readonly Observable[]): Promise<void> {
    this.#check();
    for (const observable of batch) this.#matcher.remove(observable);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    // Either somebody waits for a hit, and gets the end; or somebody is at work on one, and nothing is under way here.
    await this.#turn.catch(() => undefined);
    await this.#end();
  }

  /** A hit is done with when the next one is asked for. */
  async *#watch(): AsyncGenerator<Hit> {
    const { signal } = this.#closing;
    try {
      while (!signal.aborted) {
        let more = false;
        for (const file of this.#folder.files) {
          const piece = await this.#read(file);
          if (piece === undefined) continue;
          more = true;
          for (const { hits, to } of this.#match(file, piece.block)) {
            for (const hit of hits) {
              if (signal.aborted) return;
              yield hit;
            }
            file.done = piece.offset + to;
          }
          file.done = piece.offset + piece.block.length;
          if (signal.aborted) return;
        }
        await this.#save();
        if (!more) await this.#host.clock.sleep(this.#options.poll_interval * 1_000, signal);
        if (!signal.aborted) await this.#look();
      }
    } finally {
      await this.#end();
    }
  }

  async #look(): Promise<void> {
    const time = performance.now();
    if (time - this.#lookedAt < this.#options.poll_interval * 1_000) return;
    this.#lookedAt = time;
    await this.#folder.look();
  }

  async #read(file: Followed): Promise<Piece | undefined> {
    try {
      const piece = await file.next((before) => this.#folder.cut(before));
      if (piece !== undefined) this.#folder.grew(file);
      return piece;
    } catch (thrown) {
      await this.#folder.failed(file, thrown);
      return undefined;
    }
  }

  #match(file: Followed, block: Buffer): LineHits[] {
    const strays = { foreign: 0, long: file.takeLong() };
    const lines = block.length > 0 ? this.#matcher.match(block, file.path, strays) : [];
    this.#tally.strays(file.path, strays);
    this.#tally.read(block.length);
    return lines;
  }

  async #load(): Promise<Position[] | undefined> {
    try {
      return await this.#positions.load();
    } catch (cause) {
      const hint = "move positions.json in the state directory of the engine away, and watching begins anew";
      throw new EngineError(`how far files were watched cannot be read: ${(cause as Error).message.slice(0, 200)}`, { hint, permanent: true, cause });
    }
  }

  async #save(now = false): Promise<void> {
    const time = performance.now();
    if (!now && time - this.#savedAt < saveInterval) return;
    const positions = this.#folder.positions;
    const text = JSON.stringify(positions);
    if (text === this.#saved) return;
    this.#savedAt = time;
    try {
      await this.#positions.save(positions);
      this.#saved = text;
    } catch (thrown) {
      this.#host.logger.error("how far files were watched cannot be written down", { reason: (thrown as Error).message });
    }
  }

  /** Twice is harmless: who had a hit in hand may be done with it after the first. */
  async #end(): Promise<void> {
    await this.#save(true);
    await this.#folder.close();
  }

  #check(): void {
    if (this.#closing.signal.aborted) throw new EngineError("the files are not watched any more");
  }
}
