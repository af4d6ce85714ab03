import { backoff } from "@threatbus/core";
import type { Child } from "../../child.ts";
import { EngineError } from "../../engine.ts";
import type { EngineHost, Hit, LiveSession, Watched } from "../../engine.ts";
import { keyOf } from "../../observable.ts";
import type { Observable } from "../../observable.ts";
import { liveKinds } from "./argv.ts";
import type { CommandLines } from "./argv.ts";
import { liveHitOf } from "./output.ts";
import type { VastCommand } from "./vast-command.ts";

/** Times a value is told to a matcher that does not take it. */
const attempts = 3;

/** One connection to a matcher: a process that prints what matches, and one for each value it is told. */
export class MatcherSession implements LiveSession {
  readonly hits: AsyncIterable<Hit>;
  readonly #lines: CommandLines;
  readonly #command: VastCommand;
  readonly #host: EngineHost;
  readonly #child: Child;
  readonly #closed = new AbortController();
  /** The latest that the matcher is told of each value: nothing overtakes it. */
  readonly #telling = new Map<string, Promise<void>>();

  constructor(lines: CommandLines, command: VastCommand, host: EngineHost, known: Iterable<Watched>) {
    this.#lines = lines;
    this.#command = command;
    this.#host = host;
    this.#child = command.start(lines.watch());
    this.hits = this.#read();
    // A matcher may have been made anew since: it is told everything again, while what matches meanwhile is read.
    for (const one of known) void this.#add(one);
  }

  async add(batch: readonly Watched[]): Promise<void> {
    await Promise.all(batch.map((one) => this.#add(one)));
  }

  async remove(batch: readonly Observable[]): Promise<void> {
    await Promise.all(batch.map((one) => this.#tell(one, this.#lines.remove(one))));
  }

  async close(): Promise<void> {
    this.#closed.abort();
    await this.#child.stop();
    await Promise.all(this.#telling.values());
  }

  #add(one: Watched): Promise<void> {
    return this.#tell(one, this.#lines.add(one, one.indicator), this.#lines.importLine(one, one.indicator));
  }

  #tell(observable: Observable, argv: readonly string[], input?: string): Promise<void> {
    if (!liveKinds.has(observable.kind)) {
      this.#host.metrics.counter("live_unsupported").add();
      return Promise.resolve();
    }
    const key = keyOf(observable);
    const told = (this.#telling.get(key) ?? Promise.resolve()).then(() => this.#try(argv, input)).finally(() => {
      if (this.#telling.get(key) === told) this.#telling.delete(key);
    });
    this.#telling.set(key, told);
    return told;
  }

  /** Never rejects: a matcher that takes one value less still takes the others. */
  async #try(argv: readonly string[], input: string | undefined): Promise<void> {
    const wait = backoff();
    for (let attempt = 1; !this.#closed.signal.aborted; attempt++) {
      const failure = await this.#command.run(argv, this.#closed.signal, input);
      if (failure === undefined || this.#closed.signal.aborted) return;
      if (attempt === attempts) {
        this.#host.metrics.counter("live_failures").add();
        this.#host.logger.error("the matcher does not take a change", { reason: failure, command: argv.slice(-4) });
        return;
      }
      await this.#host.clock.sleep(wait.next(), this.#closed.signal);
    }
  }

  async *#read(): AsyncGenerator<Hit> {
    const skipped = this.#host.metrics.counter("engine_lines_skipped");
    for await (const line of this.#child.lines()) {
      if (line.trim() === "") continue;
      const hit = liveHitOf(line);
      if (hit === undefined) skipped.add();
      else yield hit;
    }
    const exit = await this.#child.exit;
    if (!this.#closed.signal.aborted) throw new EngineError(this.#command.failureOf("matcher", exit) ?? "the matcher ended", this.#command.hintOf(exit));
  }
}
