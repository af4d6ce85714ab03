import type { Counter, Logger, Metrics } from "@threatbus/core";
import type { Strays } from "./line-matcher.ts";

/** Files remembered as told of. */
const maxTold = 1_000;

/** Counts what was read and what was left out, and tells of the latter once for each file. */
export class Tally {
  readonly #logger: Logger;
  readonly #told = new Set<string>();
  readonly #bytes: Counter;
  readonly #foreign: Counter;
  readonly #long: Counter;
  readonly #unreadable: Counter;

  constructor(logger: Logger, metrics: Metrics) {
    this.#logger = logger;
    this.#bytes = metrics.counter("logs_bytes_read");
    this.#foreign = metrics.counter("logs_lines_left_out", { reason: "json" });
    this.#long = metrics.counter("logs_lines_left_out", { reason: "length" });
    this.#unreadable = metrics.counter("logs_files_unreadable");
  }

  read(bytes: number): void {
    this.#bytes.add(bytes);
  }

  strays(file: string, { foreign, long }: Strays): void {
    this.#foreign.add(foreign);
    this.#long.add(long);
    if (foreign > 0) this.#once(file, "json", "a file has lines that are no JSON objects, which are left out; Zeek writes JSON with LogAscii::use_json=T", { lines: foreign });
    if (long > 0) this.#once(file, "length", "a file has lines longer than max_line, which are left out", { lines: long });
  }

  unreadable(file: string, thrown: unknown): void {
    this.#unreadable.add();
    this.#once(file, "unreadable", "a file cannot be read", { reason: (thrown as Error).message });
  }

  /** A file that was watched is there no more, nor another name of it. */
  gone(file: string): void {
    this.#once(file, "gone", "a file that was watched is gone; what was written to it since was not watched", {});
  }

  #once(file: string, what: string, text: string, more: Readonly<Record<string, unknown>>): void {
    const key = `${what} ${file}`;
    if (this.#told.has(key) || this.#told.size >= maxTold) return;
    this.#told.add(key);
    this.#logger.warn(text, { file, ...more });
  }
}
