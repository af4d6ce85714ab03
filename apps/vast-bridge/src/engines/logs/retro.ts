import type { Buffer } from "node:buffer";
import { open, stat } from "node:fs/promises";
import type { EngineHost, Hit, RetroBounds, RetroEnd } from "../../engine.ts";
import type { Observable } from "../../observable.ts";
import { keyOf } from "../../observable.ts";
import { filesLike } from "./glob.ts";
import { LineMatcher } from "./line-matcher.ts";
import type { Marks } from "./marks.ts";
import type { LogsOptions } from "./options.ts";
import { blocksFromEnd, blocksOfGzip } from "./reading.ts";
import type { Tally } from "./tally.ts";

interface File {
  readonly path: string;
  /** When it was written to last, milliseconds since 1970. */
  readonly written: number;
}

/** One pass over all files, the one written to last first. Within a file the last lines come first; a compressed one can only be read forwards. */
export class Search {
  readonly #options: LogsOptions;
  readonly #host: EngineHost;
  readonly #tally: Tally;
  readonly #matcher: LineMatcher;
  readonly #bounds: RetroBounds;
  readonly #take: (hit: Hit) => Promise<void>;
  /** How often each was found; those with `limit` hits are not looked for any more. */
  readonly #counts = new Map<string, number>();
  readonly #full: Observable[] = [];
  #wanted = 0;
  /** What `take` threw. */
  #refusal: unknown;

  constructor(options: LogsOptions, host: EngineHost, marks: Marks, tally: Tally, bounds: RetroBounds, take: (hit: Hit) => Promise<void>) {
    this.#options = options;
    this.#host = host;
    this.#tally = tally;
    this.#matcher = new LineMatcher(options, marks);
    this.#bounds = bounds;
    this.#take = take;
  }

  async run(batch: readonly Observable[]): Promise<RetroEnd> {
    const { signal } = this.#bounds;
    signal.throwIfAborted();
    await this.#matcher.addAll(batch);
    this.#wanted = batch.length;
    for (const file of await this.#files()) {
      if (this.#late) return { truncated: "deadline" };
      try {
        if (!(await this.#searchFile(file))) break;
      } catch (thrown) {
        signal.throwIfAborted();
        if (thrown === this.#refusal || !isFileTrouble(thrown)) throw thrown;
        this.#tally.unreadable(file.path, thrown);
      }
    }
    if (this.#late) return { truncated: "deadline" };
    return this.#full.length > 0 ? { truncated: "limit", observables: this.#full } : {};
  }

  get #late(): boolean {
    return this.#host.clock.now() >= this.#bounds.deadline;
  }

  /** False if no more is wanted. */
  async #searchFile({ path }: File): Promise<boolean> {
    const left = (lines: number): void => this.#tally.strays(path, { foreign: 0, long: lines });
    if (path.endsWith(".gz")) return this.#searchBlocks(blocksOfGzip(path, this.#options.max_line, left), path, false);
    const file = await open(path);
    try {
      return await this.#searchBlocks(blocksFromEnd(file, this.#options.max_line, left), path, true);
    } finally {
      await file.close();
    }
  }

  async #searchBlocks(blocks: AsyncIterable<Buffer>, path: string, backwards: boolean): Promise<boolean> {
    const { signal, limit, since = -Infinity } = this.#bounds;
    for await (const block of blocks) {
      signal.throwIfAborted();
      const strays = { foreign: 0, long: 0 };
      const lines = this.#matcher.match(block, path, strays);
      this.#tally.strays(path, strays);
      this.#tally.read(block.length);
      for (const { hits, time = Infinity } of backwards ? lines.reverse() : lines) {
        if (time < since) continue;
        for (const hit of hits) {
          const key = keyOf(hit.observable);
          const count = (this.#counts.get(key) ?? 0) + 1;
          // It may have been found once more in the block in which it became full.
          if (count > limit) continue;
          this.#counts.set(key, count);
          await this.#give(hit);
          signal.throwIfAborted();
          if (count < limit) continue;
          this.#matcher.remove(hit.observable);
          this.#full.push(hit.observable);
          if (this.#full.length >= this.#wanted) return false;
        }
      }
      if (this.#late) return false;
    }
    return true;
  }

  async #give(hit: Hit): Promise<void> {
    try {
      await this.#take(hit);
    } catch (thrown) {
      this.#refusal = thrown;
      throw thrown;
    }
  }

  /** Those that were written to since the time that is asked for. */
  async #files(): Promise<File[]> {
    const files: File[] = [];
    for (const path of await filesLike(this.#options.files)) {
      try {
        const stats = await stat(path);
        if (stats.isFile() && stats.size > 0 && stats.mtimeMs >= (this.#bounds.since ?? 0)) files.push({ path, written: stats.mtimeMs });
      } catch (thrown) {
        this.#tally.unreadable(path, thrown);
      }
    }
    return files.sort((a, b) => b.written - a.written || (a.path < b.path ? -1 : 1));
  }
}

/** What the operating system or the decompressor says; anything else is a fault of ours, or of who takes the hits. */
function isFileTrouble(thrown: unknown): boolean {
  const code = (thrown as { code?: unknown }).code;
  return typeof code === "string" && (/^E[A-Z0-9]+$/.test(code) || /^Z_[A-Z_]+$/.test(code));
}
