/** VAST, as the reference drives it: one process for each search, and a matcher that is told what to look for. */
import { randomInt } from "node:crypto";
import { endStrays } from "../../child.ts";
import { EngineError } from "../../engine.ts";
import type { Engine, EngineHost, Hit, Retro, RetroBounds, RetroEnd } from "../../engine.ts";
import type { Observable } from "../../observable.ts";
import { CommandLines, liveKinds, retroKinds, shellWord } from "./argv.ts";
import type { Release } from "./argv.ts";
import { eventOf, hitsIn } from "./output.ts";
import { MatcherSession } from "./session.ts";
import { VastCommand } from "./vast-command.ts";

export interface VastOptions {
  /** `host:port` */
  readonly endpoint: string;
  /** On PATH, or a path. */
  readonly binary: string;
  readonly release: Release;
  /** Absent: a name of its own, for the release that starts its matchers. */
  readonly matcherName?: string | undefined;
  /** Processes at the same time. */
  readonly parallel: number;
  /** Events of one search, for `explain`; `Infinity`: all. */
  readonly maxEvents: number;
  readonly retro: boolean;
  readonly live: boolean;
}

/** Values that wait share a process, so many that they fit into one argument (128 KiB), whatever they are. */
const shared = 10;
/** Milliseconds that `vast status` may take. */
const patience = 30_000;

export function createVastEngine(options: VastOptions, host: EngineHost): Engine {
  const { endpoint, binary, release, parallel, maxEvents } = options;
  const lines = new CommandLines({ endpoint, release, matcherName: options.matcherName ?? inventedName() });
  const command = new VastCommand(binary, host.stateDir, parallel);
  const stopping = new AbortController();
  const sessions = new Set<MatcherSession>();
  const searches = new Set<Promise<unknown>>();
  let lowPriority = false;
  const retro: Retro = {
    // A limit is one of all events of a process, and a part of a text cannot be told from another: then each value has its own.
    batch: maxEvents === Infinity && release !== "2021.02.24" ? shared : 1,
    parallel,
    search(batch, bounds, take) {
      const search = searchAll(batch, { ...bounds, signal: AbortSignal.any([bounds.signal, stopping.signal]) }, take);
      searches.add(search);
      search.finally(() => searches.delete(search)).catch(() => undefined);
      return search;
    },
  };

  async function searchAll(batch: readonly Observable[], bounds: RetroBounds, take: (hit: Hit) => Promise<void>): Promise<RetroEnd> {
    bounds.signal.throwIfAborted();
    const child = command.start(lines.retro(batch, bounds.limit, lowPriority));
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      void child.stop();
    }, Math.min(Math.max(bounds.deadline - host.clock.now(), 0), 2 ** 31 - 1));
    const abort = (): void => void child.stop();
    bounds.signal.addEventListener("abort", abort);
    let events = 0, unclear = false;
    try {
      for await (const line of child.lines()) {
        if (line.trim() === "") continue;
        const event = eventOf(line);
        if (event === undefined) host.metrics.counter("engine_lines_skipped").add();
        else {
          const hits = hitsIn(event, batch);
          for (const hit of hits) await take(hit);
          unclear ||= hits.length === 0;
          events++;
        }
      }
      const exit = await child.exit;
      bounds.signal.throwIfAborted();
      if (late) return { truncated: "deadline" };
      const failure = command.failureOf("vast export", exit);
      if (failure !== undefined) throw new EngineError(failure, command.hintOf(exit));
      if (events >= bounds.limit) return { truncated: "limit" };
    } finally {
      clearTimeout(timer);
      bounds.signal.removeEventListener("abort", abort);
      await child.stop();
    }
    // An event of which it cannot be told whose it is: asked one by one, VAST tells.
    if (unclear) for (const one of batch) {
      const end = await searchAll([one], bounds, take);
      if (end.truncated !== undefined) return end;
    }
    return {};
  }

  /** Its output and how it ended. */
  async function ask(argv: readonly string[], signal: AbortSignal): Promise<{ readonly failure?: string | undefined; readonly missing: boolean; readonly output: string }> {
    const child = command.start(argv);
    const bound = AbortSignal.any([signal, AbortSignal.timeout(patience)]);
    const stop = (): void => void child.stop();
    bound.addEventListener("abort", stop);
    let output = "";
    for await (const line of child.lines()) if (output.length < 1024 * 1024) output += `${line}\n`;
    const exit = await child.exit;
    bound.removeEventListener("abort", stop);
    signal.throwIfAborted();
    return { failure: command.failureOf(argv.slice(endpoint === "" ? 0 : 2).join(" "), exit), missing: exit.failure !== undefined, output };
  }

  return {
    kinds: retroKinds,
    ...(options.retro && { retro }),
    ...(options.live && {
      live: {
        async open(known) {
          const session = new MatcherSession(lines, command, host, known);
          sessions.add(session);
          return session;
        },
      },
    }),
    async start(signal) {
      const strays = await endStrays(host.stateDir);
      if (strays > 0) host.logger.warn("ended what an earlier run left behind", { processes: strays });
      const status = await ask(lines.status(), signal);
      if (status.missing) throw new EngineError(status.failure ?? "vast cannot be started", { permanent: true, hint: "install VAST, or set vast_binary to the path of its program" });
      if (status.failure !== undefined) host.logger.warn("VAST does not answer yet", { endpoint, reason: status.failure });
      if (release === "2021.02.24") return;
      lowPriority = (await ask(lines.help(), signal)).output.includes("--low-priority");
    },
    explain(observable) {
      const shown = (argv: readonly string[]): string => [binary, ...argv].map(shellWord).join(" ");
      const indicator = "indicator--00000000-0000-4000-8000-000000000000";
      const input = lines.importLine(observable, indicator);
      return [
        ...(options.retro ? [shown(lines.retro([observable], maxEvents, lowPriority))] : []),
        ...(options.live && liveKinds.has(observable.kind)
          ? [`${input === undefined ? "" : `printf '%s\\n' ${shellWord(input)} | `}${shown(lines.add(observable, indicator))}`]
          : []),
      ];
    },
    async stop() {
      stopping.abort(new EngineError("the engine stops"));
      await Promise.all([...sessions].map((session) => session.close()));
      await Promise.allSettled(searches);
    },
  };
}

/** A matcher that this process starts and that ends with it. */
function inventedName(): string {
  return `threatbus-${Array.from({ length: 10 }, () => String.fromCharCode(97 + randomInt(26))).join("")}`;
}
