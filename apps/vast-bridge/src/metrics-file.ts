import { appendFile, rename, stat } from "node:fs/promises";
import { hostname } from "node:os";
import { reasonOf } from "@threatbus/core";
import type { Clock, Logger } from "@threatbus/core";
import type { Interval } from "./line-protocol.ts";

/** Bytes after which a file is put aside as `….1`, which it replaces. */
const largest = 64 * 1024 * 1024;

export interface MetricsFileOptions {
  readonly filename: string;
  /** Seconds. */
  readonly interval: number;
}

/** Appends a line every interval in which something was counted. A disk that does not take it holds up nothing. */
export class MetricsFile {
  readonly #options: MetricsFileOptions;
  readonly #interval: Interval;
  readonly #backlog: () => number | undefined;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #timer: NodeJS.Timeout;
  #writing: Promise<void> = Promise.resolve();
  #troubled = false;
  #lastBacklog: number | undefined;

  constructor(options: MetricsFileOptions, interval: Interval, backlog: () => number | undefined, host: { readonly clock: Clock; readonly logger: Logger }) {
    this.#options = options;
    this.#interval = interval;
    this.#backlog = backlog;
    this.#clock = host.clock;
    this.#logger = host.logger;
    this.#timer = setInterval(() => this.flush(), options.interval * 1_000).unref();
  }

  flush(): void {
    const backlog = this.#backlog();
    const line = this.#interval.take(hostname(), backlog === this.#lastBacklog || (backlog === 0 && this.#lastBacklog === undefined) ? undefined : backlog, this.#clock.now());
    this.#lastBacklog = backlog;
    if (line !== "") this.#writing = this.#writing.then(() => this.#write(line));
  }

  /** Writes what was counted since the last line. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.flush();
    await this.#writing;
  }

  async #write(line: string): Promise<void> {
    const { filename } = this.#options;
    try {
      const size = await stat(filename).then((stats) => stats.size, () => 0);
      if (size > largest) await rename(filename, `${filename}.1`);
      await appendFile(filename, line, { mode: 0o640 });
      this.#troubled = false;
    } catch (thrown) {
      if (!this.#troubled) this.#logger.warn("the metrics cannot be written", { file: filename, reason: reasonOf(thrown) });
      this.#troubled = true;
    }
  }
}
