/** The engine `tenzir`: a Tenzir node, version 6, reached through its client. */
import { endStrays } from "../../child.ts";
import type { Engine, EngineHost, Hit, Live, LiveSession, Retro, RetroBounds, RetroEnd, Watched } from "../../engine.ts";
import { kindsOf } from "../../fields.ts";
import type { Observable, ObservableKind } from "../../observable.ts";
import { observableKinds } from "../../observable.ts";
import { Client } from "./client.ts";
import { explain } from "./explain.ts";
import { scopesFor } from "./fields.ts";
import { identityIn } from "./identity.ts";
import { TenzirLive } from "./live.ts";
import { Mark } from "./mark.ts";
import type { TenzirOptions } from "./options.ts";
import type { Parts } from "./parts.ts";
import { TenzirRetro } from "./retro.ts";
import { Tables } from "./tables.ts";
import { spellingFor, type Spelling } from "./tql.ts";
import { checkClient, checkNode } from "./version.ts";

export function createTenzirEngine(options: TenzirOptions, host: EngineHost): Engine {
  return new TenzirEngine(options, host);
}

class TenzirEngine implements Engine {
  readonly kinds: ReadonlySet<ObservableKind>;
  readonly retro: Retro;
  readonly live: Live;
  readonly #parts: Parts;
  readonly #host: EngineHost;
  readonly #stopping = new AbortController();
  /** Until the client was asked, that of the newest. */
  #spelling: Spelling = spellingFor(["flat_builtin_names"]);
  readonly #work = new Set<Promise<unknown>>();
  #session: LiveSession | undefined;

  constructor(options: TenzirOptions, host: EngineHost) {
    this.#host = host;
    const scopes = scopesFor(options, new Set(observableKinds));
    const contents = scopes.flatMap(({ fields }) => fields.map(({ content }) => content));
    this.kinds = new Set([...contents.flatMap((content) => kindsOf[content]), ...scopes.flatMap(({ urls }) => urls.map(() => "url" as const))]);
    const client = new Client(options, host);
    const spelling: Spelling = (operator) => this.#spelling(operator);
    const tables = new Tables(client, { identity: () => identityIn(host.stateDir), patience: options.call_timeout * 1_000, spelling });
    this.#parts = { options, client, tables, spelling, clock: host.clock, stopping: this.#stopping.signal };
    const retro = new TenzirRetro(this.#parts);
    const live = new TenzirLive(this.#parts, new Mark(host.stateDir));
    const search = (batch: readonly Observable[], bounds: RetroBounds, take: (hit: Hit) => Promise<void>): Promise<RetroEnd> => this.#tracked(retro.search(batch, bounds, take));
    const open = async (known: Iterable<Watched>, signal: AbortSignal): Promise<LiveSession> => {
      await this.#session?.close();
      this.#session = await this.#tracked(live.open(known, signal));
      return this.#session;
    };
    this.retro = { batch: options.batch, parallel: options.parallel, search };
    this.live = { open };
  }

  async start(signal: AbortSignal): Promise<void> {
    const { client, tables, options } = this.#parts;
    const strays = await endStrays(client.owner);
    if (strays > 0) this.#host.logger.info("ended programs that an earlier process left running", { programs: strays });
    await client.prepare();
    this.#spelling = await checkClient(client, options.binary, signal);
    try {
      const version = await checkNode(client, options.endpoint, signal);
      await tables.sweep(signal);
      this.#host.logger.info("the Tenzir node answers", { endpoint: options.endpoint, version });
    } catch (thrown) {
      signal.throwIfAborted();
      if (isPermanent(thrown)) throw thrown;
      this.#host.logger.warn("the Tenzir node does not answer yet", { endpoint: options.endpoint, reason: (thrown as Error).message });
    }
  }

  explain(observable: Observable): readonly string[] {
    return explain(observable, this.#parts.options, this.#parts.spelling);
  }

  async stop(): Promise<void> {
    this.#stopping.abort(new Error("the engine is stopped"));
    await Promise.allSettled([...this.#work]);
    await this.#session?.close();
  }

  #tracked<T>(work: Promise<T>): Promise<T> {
    const settled: Promise<void> = work.then(() => undefined, () => undefined).finally(() => this.#work.delete(settled));
    this.#work.add(settled);
    return work;
  }
}

function isPermanent(thrown: unknown): boolean {
  return (thrown as { permanent?: boolean }).permanent === true;
}
