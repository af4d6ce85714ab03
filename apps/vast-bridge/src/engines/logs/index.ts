/** The engine `logs`: no database, the log files themselves. */
import type { Engine, EngineHost, Hit, Live, LiveSession, Retro, RetroBounds, RetroEnd, Watched } from "../../engine.ts";
import { fieldContents, kindsOf, presets } from "../../fields.ts";
import type { FieldContent } from "../../fields.ts";
import type { Observable, ObservableKind } from "../../observable.ts";
import { filesLike } from "./glob.ts";
import { Watch } from "./live.ts";
import { Marks } from "./marks.ts";
import type { LogsOptions } from "./options.ts";
import { blockSize } from "./reading.ts";
import { Search } from "./retro.ts";
import { Tally } from "./tally.ts";

export function createLogsEngine(options: LogsOptions, host: EngineHost): Engine {
  return new LogsEngine(options, host);
}

class LogsEngine implements Engine {
  readonly kinds: ReadonlySet<ObservableKind>;
  readonly retro: Retro;
  readonly live: Live;
  readonly #options: LogsOptions;
  readonly #host: EngineHost;
  readonly #stopping = new AbortController();
  readonly #searches = new Set<Promise<unknown>>();
  #watch: Watch | undefined;

  constructor(options: LogsOptions, host: EngineHost) {
    this.#options = options;
    this.#host = host;
    this.kinds = new Set(fieldContents.filter((content) => fieldsWith(content, options).length > 0).flatMap((content) => kindsOf[content]));
    const marks = new Marks(blockSize(options.max_line));
    const tally = new Tally(host.logger, host.metrics);
    const search = (batch: readonly Observable[], bounds: RetroBounds, take: (hit: Hit) => Promise<void>): Promise<RetroEnd> => {
      const signal = AbortSignal.any([bounds.signal, this.#stopping.signal]);
      const run = new Search(options, host, marks, tally, { ...bounds, signal }, take).run(batch);
      const settled: Promise<void> = run.then(() => undefined, () => undefined).finally(() => this.#searches.delete(settled));
      this.#searches.add(settled);
      return run;
    };
    const open = async (known: Iterable<Watched>, signal: AbortSignal): Promise<LiveSession> => {
      await this.#watch?.close();
      const watch = (this.#watch = new Watch(options, host, marks, tally));
      try {
        await watch.begin(known, signal);
        return watch;
      } catch (thrown) {
        await watch.close();
        throw thrown;
      }
    };
    this.retro = { batch: options.batch, parallel: options.parallel, search };
    this.live = { open };
  }

  async start(): Promise<void> {
    const files = await filesLike(this.#options.files);
    if (files.length > 0) this.#host.logger.info("log files found", { files: files.length, first: files[0] });
    else this.#host.logger.warn("no log file is there yet", { files: this.#options.files });
  }

  explain({ kind, value }: Observable): readonly string[] {
    const contents = fieldContents.filter((content) => kindsOf[content].includes(kind));
    const fields = contents.flatMap((content) => fieldsWith(content, this.#options));
    return [`${JSON.stringify(value)} in ${fields.join(", ")} of ${this.#options.files.map((file) => JSON.stringify(file)).join(", ")}`];
  }

  async stop(): Promise<void> {
    this.#stopping.abort(new Error("the engine is stopped"));
    await Promise.all([...this.#searches, this.#watch?.close()]);
  }
}

function fieldsWith(content: FieldContent, { presets: names, fields }: LogsOptions): string[] {
  const urls = content === "url" ? names.flatMap((name) => presets[name].urls.map(({ host, target }) => `${host} + ${target}`)) : [];
  return [...new Set([...names.flatMap((name) => presets[name].fields[content]), ...urls, ...fields[content]])];
}
