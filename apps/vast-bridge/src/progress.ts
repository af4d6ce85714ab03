/** One line at a terminal that tells how far the search of the past has come. Elsewhere the log tells, at every tenth. */
import type { Logger } from "@threatbus/core";

/** Searches fewer than which nobody waits for. */
const many = 100;
/** Milliseconds. */
const tick = 500;

export class Progress {
  readonly #backlog: () => number | undefined;
  readonly #logger: Logger;
  readonly #stream: { readonly isTTY?: boolean; write(text: string): unknown };
  readonly #timer: NodeJS.Timeout;
  #most = 0;
  #shown = false;
  #tenth = 0;

  constructor(backlog: () => number | undefined, logger: Logger, stream: { readonly isTTY?: boolean; write(text: string): unknown } = process.stderr) {
    this.#backlog = backlog;
    this.#logger = logger;
    this.#stream = stream;
    this.#timer = setInterval(() => this.look(), tick).unref();
  }

  look(): void {
    const left = this.#backlog() ?? 0;
    if (left === 0) return this.#end();
    this.#most = Math.max(this.#most, left);
    if (this.#most < many) return;
    const done = this.#most - left;
    if (this.#stream.isTTY === true) {
      this.#stream.write(`\r\u001b[Ksearched ${done.toLocaleString("en")} of ${this.#most.toLocaleString("en")} (${Math.floor((done / this.#most) * 100)} %)`);
      this.#shown = true;
    } else if (Math.floor((done / this.#most) * 10) > this.#tenth) {
      this.#tenth = Math.floor((done / this.#most) * 10);
      this.#logger.info("searching the past", { searched: done, of: this.#most });
    }
  }

  close(): void {
    clearInterval(this.#timer);
    this.#end();
  }

  #end(): void {
    if (this.#shown) this.#stream.write("\r\u001b[K");
    if (this.#most >= many) this.#logger.info("the past is searched", { searched: this.#most });
    this.#shown = false;
    this.#most = this.#tenth = 0;
  }
}
