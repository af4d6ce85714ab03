/** Searches the past: the node's index for a few observables where it can tell, all events of the other schemas in one pass against lookup tables. */
import { rm } from "node:fs/promises";
import type { Hit, Retro, RetroBounds, RetroEnd } from "../../engine.ts";
import { Matcher } from "../../matcher.ts";
import type { Observable } from "../../observable.ts";
import type { Client } from "./client.ts";
import { marksOf, scopesFor, timesOf } from "./fields.ts";
import { hitsIn, resultOf, resultOperators, type Result } from "./hits.ts";
import { indexSearch, valuesOf } from "./index-search.ts";
import { keysOf, type TableKind } from "./keys.ts";
import { lookupProgram } from "./lookup.ts";
import { newestFirst } from "./newest-first.ts";
import type { Parts } from "./parts.ts";
import { planFor, schemasOf, type Plan } from "./plan.ts";
import { Quota } from "./quota.ts";
import type { Table } from "./tables.ts";
import { quote, time } from "./tql.ts";

/** Schemas named in a filter; with more, events of all are read. */
const maxNames = 200;

interface Search {
  readonly batch: readonly Observable[];
  readonly plan: Plan;
  /** Conditions on time. */
  readonly filters: readonly string[];
  /** The last operators. */
  readonly tail: readonly string[];
  readonly signal: AbortSignal;
}

export class TenzirRetro implements Retro {
  readonly batch: number;
  readonly parallel: number;
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.batch = parts.options.batch;
    this.parallel = parts.options.parallel;
    this.#parts = parts;
  }

  async search(batch: readonly Observable[], bounds: RetroBounds, take: (hit: Hit) => Promise<void>): Promise<RetroEnd> {
    const { options, clock, stopping } = this.#parts;
    const done = new AbortController();
    const late = new AbortController();
    void clock.sleep(bounds.deadline - clock.now(), done.signal).then(() => done.signal.aborted || late.abort(new Error("the time is up")));
    const signal = AbortSignal.any([bounds.signal, stopping, late.signal]);
    const matcher = new Matcher(options);
    for (const observable of batch) matcher.watchlist.add(observable);
    const quota = new Quota(matcher.watchlist.size, bounds.limit);
    try {
      for await (const result of this.#results(batch, bounds, signal)) {
        for (const hit of hitsIn(result, matcher, options)) if (quota.admit(hit.observable)) await take(hit);
        if (quota.full) break;
      }
      return quota.end;
    } catch (thrown) {
      if (late.signal.aborted && !bounds.signal.aborted && !stopping.aborted) return { truncated: "deadline" };
      throw thrown;
    } finally {
      done.abort();
    }
  }

  async *#results(batch: readonly Observable[], { limit, since }: RetroBounds, signal: AbortSignal): AsyncGenerator<Result> {
    const { options, client } = this.#parts;
    const kinds = new Set(batch.map(({ kind }) => kind));
    const useIndex = batch.length > options.index_up_to ? false : options.thorough || "only";
    const plan = planFor(await schemasOf(client, signal), scopesFor(options, kinds), kinds, useIndex);
    const order = limit !== Infinity;
    // An event is imported after it happened.
    const filters = since === undefined ? [] : [`@import_time >= ${time(since)}`];
    const search: Search = { batch, plan, filters, tail: resultOperators(timesOf(options), order), signal };
    const sources = [
      ...(plan.index.schemas.length > 0 ? [this.#fromIndex(search)] : []),
      ...(plan.read.schemas.length > 0 ? [this.#fromEvents(search)] : []),
    ];
    if (order) yield* newestFirst(sources);
    else for (const source of sources) yield* source;
  }

  async *#fromIndex({ batch, plan, filters, tail, signal }: Search): AsyncGenerator<Result> {
    const { client } = this.#parts;
    const { schemas, fields } = plan.index;
    const values = valuesOf(batch);
    const paths: string[] = [];
    const file = async (name: string, list: readonly string[]): Promise<string> => {
      const path = await client.file(name, JSON.stringify(list));
      paths.push(path);
      return path;
    };
    try {
      const files = { addresses: await file("addresses.json", values.addresses), blocks: await file("blocks.json", values.blocks), texts: await file("texts.json", values.texts) };
      const operators = indexSearch(fields, values, files, [...namesFilter(schemas), ...filters]);
      if (operators === undefined) return;
      yield* results(client, [...operators, "this = {schema: @name, event: this}", ...tail].join("\n"), signal);
    } finally {
      for (const path of paths) await rm(path, { force: true });
    }
  }

  async *#fromEvents({ batch, plan, filters, tail, signal }: Search): AsyncGenerator<Result> {
    const { options, client, tables, spelling } = this.#parts;
    const conditions = [...namesFilter(plan.read.schemas), ...filters];
    const source = ["export", ...(conditions.length > 0 ? [`where ${conditions.join(" and ")}`] : [])];
    const made: Table[] = [];
    try {
      const kinds = new Set(batch.flatMap(keysOf).map(({ table }) => table));
      await Promise.all([...kinds].map(async (kind) => {
        const table = await tables.create(kind, signal);
        made.push(table);
        await table.add(batch, signal);
      }));
      const names = Object.fromEntries(made.map(({ kind, name }) => [kind, name])) as Partial<Record<TableKind, string>>;
      const program = { source, scopes: plan.read.scopes, marks: marksOf(options), subdomains: options.subdomains, tables: names, spelling, tail };
      yield* results(client, lookupProgram(program), signal);
    } finally {
      await tables.remove(made);
    }
  }
}

/** Names come from whoever imports events. */
function namesFilter(names: readonly string[]): string[] {
  return names.length > maxNames ? [] : [`(${names.map((name) => `@name == ${quote(name)}`).join(" or ")})`];
}

async function* results(client: Client, program: string, signal: AbortSignal): AsyncGenerator<Result> {
  for await (const line of client.lines(program, { signal })) {
    const result = resultOf(line);
    if (result !== undefined) yield result;
  }
}
