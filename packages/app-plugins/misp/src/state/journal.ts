import { backoff, reasonOf } from "@threatbus/core";
import type { Clock, Logger } from "@threatbus/core";
import type { StateFile } from "./file.ts";

/** Milliseconds between writes: what a process that dies at once may forget. */
const writeEvery = 1_000;
/** Characters that wait; more are written at once. */
const mostWaiting = 4 * 1024 * 1024;
/** Milliseconds between attempts while the disk takes nothing. */
const longestPause = 60_000;
/** The file is written anew when it has a third as many lines again as are needed, and so many more. */
const spareLines = 10_000;

/** What is needed to write the file anew. */
export interface Content {
  /** How many lines there are. */
  readonly length: number;
  /** Them, many at a time; changes meanwhile may be in them or not. */
  lines(): Iterable<string>;
  /** Lines that are still missing in the file, beside those that were added; then they are not. */
  changes(): readonly string[];
}

export interface Surroundings {
  readonly logger: Logger;
  readonly clock: Clock;
}

/** Brings lines to the disk: every second what waits, and once in a while everything anew, without what was overwritten since. */
export class Journal {
  readonly #file: StateFile;
  readonly #content: Content;
  readonly #logger: Logger;
  readonly #clock: Clock;
  readonly #pauses = backoff({ first: writeEvery, cap: longestPause });
  /** Ends a wait. */
  #soon = new AbortController();
  #closed = false;
  #waiting = "";
  /** Lines in the file. */
  #lines: number;
  /** What is in the file does not suffice, whatever waits: it is written anew. */
  #stale: boolean;
  #rewriting = false;
  readonly #running: Promise<void>;

  /** @param lines in the file; `undefined` if it has to be written anew */
  constructor(file: StateFile, lines: number | undefined, content: Content, { logger, clock }: Surroundings) {
    this.#file = file;
    this.#lines = lines ?? 0;
    this.#stale = lines === undefined;
    this.#content = content;
    this.#logger = logger;
    this.#clock = clock;
    this.#running = this.#run();
  }

  /** Bytes of the file. */
  get bytes(): number {
    return this.#file.bytes;
  }

  add(line: string): void {
    // What is written anew holds it already.
    if (this.#stale && !this.#rewriting) return;
    this.#waiting += line;
    this.#lines++;
    if (this.#waiting.length > mostWaiting && !this.#soon.signal.aborted) this.#soon.abort();
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#soon.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    let failing = false;
    for (let wait = writeEvery; ; ) {
      await this.#clock.sleep(wait, this.#soon.signal);
      const last = this.#closed;
      if (!last) this.#soon = new AbortController();
      try {
        await this.#write();
        if (failing) this.#logger.info("the state is on the disk again");
        failing = false;
        wait = writeEvery;
        this.#pauses.reset();
      } catch (thrown) {
        this.#stale = true;
        this.#waiting = "";
        if (!failing || last) this.#logger.error("the state cannot be written: what was sent since would be forgotten with this process", { error: reasonOf(thrown) });
        failing = true;
        wait = this.#pauses.next();
      }
      if (last) return await this.#file.close();
    }
  }

  async #write(): Promise<void> {
    if (this.#stale || this.#lines > (this.#content.length * 4) / 3 + spareLines) {
      this.#waiting = "";
      this.#rewriting = true;
      this.#lines = this.#content.length;
      try {
        await this.#file.rewrite(this.#content.lines());
        this.#stale = false;
      } finally {
        this.#rewriting = false;
      }
    }
    const changes = this.#content.changes();
    this.#lines += changes.length;
    const text = this.#waiting + changes.join("");
    this.#waiting = "";
    if (text !== "") await this.#file.append(text);
  }
}
