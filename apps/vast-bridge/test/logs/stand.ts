import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MetricSet, systemClock } from "@threatbus/core";
import type { Clock } from "@threatbus/core";
import { afterEach } from "vitest";
import type { Engine, Hit, LiveSession, RetroBounds, RetroEnd } from "../../src/engine.ts";
import { createLogsEngine } from "../../src/engines/logs/index.ts";
import type { LogsOptions } from "../../src/engines/logs/options.ts";
import { logsOptions } from "../../src/engines/logs/options.ts";
import type { Observable } from "../../src/observable.ts";

/** A folder for logs, one for state, and engines over them. */
export class Stand {
  readonly logs: string;
  readonly state: string;
  readonly said: { readonly text: string; readonly fields: unknown }[] = [];
  readonly metrics: MetricSet = new MetricSet();
  readonly #engines: Engine[] = [];

  private constructor(folder: string) {
    this.logs = join(folder, "logs");
    this.state = join(folder, "state");
  }

  static async make(): Promise<Stand> {
    const folder = await mkdtemp(join(tmpdir(), "threatbus-logs-"));
    const stand = new Stand(folder);
    await mkdir(stand.logs);
    await mkdir(stand.state);
    cleanup.push(async () => {
      for (const engine of stand.#engines) await engine.stop();
      await rm(folder, { recursive: true, force: true });
    });
    return stand;
  }

  path(name: string): string {
    return join(this.logs, name);
  }

  engine(options: Partial<LogsOptions> = {}, clock: Clock = systemClock): Engine {
    const say = (text: string, fields?: unknown): void => void this.said.push({ text, fields });
    const logger = { debug: say, info: say, warn: say, error: say };
    const made = createLogsEngine({ ...logsOptions.parse({ files: [this.path("*")] }), poll_interval: 0.01, ...options }, { logger, clock, metrics: this.metrics, stateDir: this.state });
    this.#engines.push(made);
    return made;
  }

  /** Values of what is found, and how it ended. */
  async search(engine: Engine, batch: readonly Observable[], bounds: Partial<RetroBounds> = {}): Promise<{ hits: Hit[]; end: RetroEnd }> {
    const hits: Hit[] = [];
    const all = { limit: Infinity, deadline: Infinity, signal: new AbortController().signal, ...bounds };
    const end = await engine.retro?.search(batch, all, async (hit) => void hits.push(hit));
    return { hits, end: end as RetroEnd };
  }
}

const cleanup: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const clean of cleanup.splice(0).reverse()) await clean();
});

export async function watch(engine: Engine, ...known: readonly Observable[]): Promise<LiveSession> {
  const session = await engine.live?.open(known.map((one) => ({ ...one, indicator: "indicator--1" })), new AbortController().signal);
  return session as LiveSession;
}

/** Takes hits and is done with each. */
export function taking(session: LiveSession): { readonly hits: Hit[]; readonly over: Promise<void> } {
  const hits: Hit[] = [];
  const over = (async () => {
    for await (const hit of session.hits) hits.push(hit);
  })();
  return { hits, over };
}

/** A line of Zeek's conn.log. */
export function conn(uid: string | number, address = "203.0.113.9", ts = 1_772_600_767.891011): string {
  return `${JSON.stringify({ ts, uid: String(uid), "id.orig_h": "192.0.2.10", "id.orig_p": 1, "id.resp_h": address, "id.resp_p": 443, proto: "tcp" })}\n`;
}

export const bad: Observable = { kind: "ip", value: "203.0.113.9" };

export const uids = (hits: readonly Hit[]): unknown[] => hits.map(({ event }) => event["uid"]);
