/** A Tenzir node with events of known tools, and engines on it. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MetricSet, systemClock } from "@threatbus/core";
import type { Clock, Logger } from "@threatbus/core";
import type { Tenzir } from "@threatbus/services";
import type { Engine, Hit, LiveSession } from "../../src/engine.ts";
import { createTenzirEngine } from "../../src/engines/tenzir/index.ts";
import { tenzirOptions, type TenzirOptions } from "../../src/engines/tenzir/options.ts";
import type { Observable } from "../../src/observable.ts";
import { keyOf } from "../../src/observable.ts";
import { lines } from "../events.ts";

export interface Stand {
  readonly engine: Engine;
  readonly options: TenzirOptions;
  readonly stateDir: string;
  /** What was logged, as `level text`. */
  readonly log: readonly string[];
  stop(): Promise<void>;
}

/** An engine on a node, started. `options` as a user would write them. */
export async function stand(endpoint: string, binary: string, options: Partial<TenzirOptions> = {}, stateDir?: string, clock: Clock = systemClock): Promise<Stand> {
  const folder = stateDir ?? (await mkdtemp(join(tmpdir(), "vast-bridge-")));
  const parsed = tenzirOptions.parse({ endpoint, binary, ...options });
  const log: string[] = [];
  const note = (level: string) => (text: string) => void log.push(`${level} ${text}`);
  const logger: Logger = { debug: note("debug"), info: note("info"), warn: note("warn"), error: note("error") };
  const engine = createTenzirEngine(parsed, { logger, clock, metrics: new MetricSet(), stateDir: folder });
  await engine.start(new AbortController().signal);
  return {
    engine,
    options: parsed,
    stateDir: folder,
    log,
    async stop() {
      await engine.stop();
      if (stateDir === undefined) await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Events as their tools wrote them, the way users import them. */
export async function importEvents(node: Tenzir, events: { readonly [tool in keyof typeof lines]?: readonly string[] } = all): Promise<void> {
  const text = (tool: keyof typeof lines): string => (events[tool] ?? []).map((line) => `${line}\n`).join("");
  const imports: readonly (readonly [string, string])[] = [
    ["from_stdin { read_suricata } | import", text("suricata7") + text("suricata8")],
    ["from_stdin { read_zeek_json } | import", text("zeek")],
    ['from_stdin { read_ndjson } | @name = "ocsf.event" | import', text("ocsf")],
  ];
  await Promise.all(imports.filter(([, input]) => input !== "").map(([pipeline, input]) => node.run(pipeline, input)));
}

const all = {
  suricata7: Object.values(lines.suricata7), suricata8: Object.values(lines.suricata8), zeek: Object.values(lines.zeek), ocsf: Object.values(lines.ocsf),
};

/** A hit in few words, whatever the order of keys in its event. */
export function brief({ observable, event, schema = "", field = "" }: Hit): string {
  return [keyOf(observable), schema, field, JSON.stringify(sorted(event))].join(" | ");
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, inner]) => [key, sorted(inner)]));
}

const never = new AbortController().signal;

/** All hits of one search. */
export async function searched(engine: Engine, batch: readonly Observable[], limit: number = Infinity): Promise<Hit[]> {
  const hits: Hit[] = [];
  const end = await engine.retro?.search(batch, { limit, deadline: Date.now() + 120_000, signal: never }, async (hit) => void hits.push(hit));
  if (end?.truncated !== undefined && limit === Infinity) throw new Error(`truncated: ${end.truncated}`);
  return hits;
}

export interface Watch {
  readonly session: LiveSession;
  /** Hits so far. */
  readonly hits: readonly Hit[];
  /** Resolves when the hits are over; rejects with the fault. */
  readonly over: Promise<void>;
}

export function watched(observables: readonly Observable[]): { readonly kind: Observable["kind"]; readonly value: string; readonly indicator: string }[] {
  return observables.map((observable) => ({ ...observable, indicator: "indicator--00000000-0000-4000-8000-000000000000" }));
}

/** Opens a session and takes its hits. */
export async function watch(engine: Engine, known: readonly Observable[]): Promise<Watch> {
  const session = await engine.live?.open(watched(known), never);
  if (session === undefined) throw new Error("no live matching");
  const hits: Hit[] = [];
  const over = (async () => {
    for await (const hit of session.hits) hits.push(hit);
  })();
  over.catch(() => undefined);
  return { session, hits, over };
}
