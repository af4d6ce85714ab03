import type { Buffer } from "node:buffer";
import { setImmediate as yieldToOthers } from "node:timers/promises";
import type { Hit, JsonObject } from "../../engine.ts";
import { Matcher, presetOf } from "../../matcher.ts";
import type { Observable } from "../../observable.ts";
import { schemaOf, timeOf } from "./event.ts";
import { Contents } from "./contents.ts";
import type { Marks } from "./marks.ts";
import type { LogsOptions } from "./options.ts";
import { Scanner } from "./scanner.ts";
import { Sieve } from "./sieve.ts";

/** A line with something watched for in it. */
export interface LineHits {
  /** Where the line begins and where the next one does, in the block. */
  readonly from: number;
  readonly to: number;
  /** Of the event, milliseconds since 1970. */
  readonly time: number | undefined;
  readonly hits: readonly Hit[];
}

/** What became of lines that are no events. */
export interface Strays {
  /** No JSON objects; empty ones left out. Told of lines that were looked at closely, and of those that cannot be by their first byte. */
  foreign: number;
  /** Longer than the limit. */
  long: number;
}

/** Observables added at once before others get a turn. */
const slice = 5_000;

/** Finds observables in JSON lines: a look at the bytes tells which lines are worth parsing. */
export class LineMatcher {
  readonly #options: LogsOptions;
  readonly #matcher: Matcher;
  readonly #sieve: Sieve;
  readonly #scanner: Scanner;

  /** @param marks may be shared: every block is done with before the next */
  constructor(options: LogsOptions, marks: Marks) {
    this.#options = options;
    this.#matcher = new Matcher(options);
    this.#sieve = new Sieve(this.#matcher.watchlist, options.subdomains);
    this.#scanner = new Scanner(marks, new Contents(options), this.#sieve);
  }

  async addAll(observables: Iterable<Observable>): Promise<void> {
    let added = 0;
    for (const observable of observables) {
      this.add(observable);
      if (++added % slice === 0) await yieldToOthers();
    }
  }

  add({ kind, value }: Observable): void {
    const observable = { kind, value };
    if (this.#matcher.watchlist.add(observable)) this.#sieve.add(observable);
  }

  remove(observable: Observable): void {
    if (this.#matcher.watchlist.remove(observable)) this.#sieve.removed();
  }

  /** @param block whole lines, the last one with its line feed */
  match(block: Buffer, path: string, strays: Strays): LineHits[] {
    const found: LineHits[] = [];
    const { candidates, foreign } = this.#scanner.scan(block);
    strays.foreign += foreign;
    for (let at = 0; at < candidates.length; at += 2) {
      const [from, end] = [candidates[at] as number, candidates[at + 1] as number];
      if (end - from > this.#options.max_line) {
        strays.long++;
        continue;
      }
      const event = parse(block.toString("utf8", from, end));
      if (event === undefined) {
        strays.foreign++;
        continue;
      }
      const matches = this.#matcher.match(event);
      if (matches.length === 0) continue;
      const preset = presetOf(event, this.#options.presets);
      const schema = schemaOf(event, preset, path);
      const time = timeOf(event, preset);
      const spelled = preset === "ocsf" && time !== undefined ? new Date(time).toISOString() : undefined;
      const more = { event, ...(schema !== undefined && { schema }), ...(spelled !== undefined && { time: spelled }) };
      found.push({ from, to: end + 1, time, hits: matches.map(({ observable, field }) => ({ observable, field, ...more })) });
    }
    return found;
  }
}

function parse(line: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as JsonObject) : undefined;
  } catch {
    return undefined;
  }
}
