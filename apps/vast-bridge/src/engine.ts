/**
 * What the bridge asks of a tool that searches events. An engine knows observables and events; indicators, sightings, expiry, repeats and
 * priorities are the bridge's. `src/engines/<name>/` holds one each.
 */
import type { Clock, Logger, Metrics } from "@threatbus/core";
import type { Observable, ObservableKind } from "./observable.ts";

export type JsonObject = Readonly<Record<string, unknown>>;

/** One observable found in one event. An event that holds several is several hits. */
export interface Hit {
  /** One of those the engine was given: the same kind and value. */
  readonly observable: Observable;
  /** The event as the tool gave it, whole. */
  readonly event: JsonObject;
  /** Of the event, e.g. `suricata.dns`, `zeek.conn`. */
  readonly schema?: string;
  /** Where in the event the value is, e.g. `dns.rrname`, `id.resp_h`. */
  readonly field?: string;
  /** Of the event, the text as it stands there: no digits lost. Left out, the bridge looks for `ts`, then `timestamp`. */
  readonly time?: string;
}

/** What an engine gets from the program around it. */
export interface EngineHost {
  readonly logger: Logger;
  readonly clock: Clock;
  /** Counters and gauges that go to `/metrics` as `vast_threatbus_<name>`. */
  readonly metrics: Metrics;
  /** A folder of the engine's own that outlives the process, there already. */
  readonly stateDir: string;
}

export interface Engine {
  /** Observables of other kinds are not given to it. */
  readonly kinds: ReadonlySet<ObservableKind>;
  /** Absent: the engine cannot search the past. */
  readonly retro?: Retro;
  /** Absent: the engine cannot watch what comes. */
  readonly live?: Live;

  /**
   * Checks that the tool is there and of a version that fits, and ends what an earlier process of the bridge left running. Called once, first.
   * Rejects with an {@link EngineError} when the tool is missing or unfit; a server that does not answer is no reason to reject, since `retro`
   * and `live` are tried again.
   */
  start(signal: AbortSignal): Promise<void>;

  /** What would be run for this observable, one line each: argv in shell spelling, or a program. For `--dry-run`; runs nothing and needs no `start`. */
  explain(observable: Observable): readonly string[];

  /** Frees every handle and reaps every child. Twice is harmless; sessions and searches are over when it resolves. */
  stop(): Promise<void>;
}

export interface Retro {
  /** Observables that one search takes at most. 1: one search each. */
  readonly batch: number;
  /** Searches at the same time at most. */
  readonly parallel: number;

  /**
   * One pass over the past. `take` is called with every hit as it is found, newest event first where the engine can; its promise is back pressure.
   * Resolves when the pass is over, or was cut short by a bound: what was found until then has been taken. Rejects with an {@link EngineError} when
   * the search failed (the bridge offers the batch again if that may help), with `bounds.signal.reason` when that fired.
   */
  search(batch: readonly Observable[], bounds: RetroBounds, take: (hit: Hit) => Promise<void>): Promise<RetroEnd>;
}

export interface RetroBounds {
  /** Hits for one observable. `Infinity`: all. */
  readonly limit: number;
  /** Events before this are of no interest: milliseconds since 1970-01-01 UTC. An engine that cannot tell may give them all the same. */
  readonly since?: number;
  /** The search ends here, with what it has: milliseconds since 1970-01-01 UTC by the host's clock. */
  readonly deadline: number;
  /** Ends the search at once. */
  readonly signal: AbortSignal;
}

export interface RetroEnd {
  /** Why there may be more than was taken. Absent: there is not. */
  readonly truncated?: "limit" | "deadline";
  /** Those cut short by `limit`, if it is known which; else all of the batch. */
  readonly observables?: readonly Observable[];
}

/** An observable to watch for. */
export interface Watched extends Observable {
  /** Id of one indicator that names it, for tools that keep a note beside a value. Who else does is the bridge's to know. */
  readonly indicator: string;
}

export interface Live {
  /**
   * Begins to watch for `known` and nothing else, whatever the tool still has from before. Resolves when events from now on are matched. The bridge
   * opens one session at a time, and another, with back-off, when one ended by a fault.
   * @throws EngineError
   */
  open(known: Iterable<Watched>, signal: AbortSignal): Promise<LiveSession>;
}

export interface LiveSession {
  /**
   * The hits as they come, to be iterated once. Asking for the next says that the one before is kept safely. Ends after `close`; throws an
   * {@link EngineError} when the tool is lost.
   */
  readonly hits: AsyncIterable<Hit>;
  /** In effect when it resolves. The bridge calls `add` and `remove` one at a time, in order. Both reject when the session is lost. */
  add(batch: readonly Watched[]): Promise<void>;
  remove(batch: readonly Observable[]): Promise<void>;
  /** Twice is harmless, also after a fault. */
  close(): Promise<void>;
}

/** What an engine throws. `message` is for people and holds nothing from outside unescaped. */
export class EngineError extends Error {
  /** What to do about it. */
  readonly hint?: string;
  /** Trying again is of no use: the tool is missing, unfit or refuses what it is told. */
  readonly permanent: boolean;

  constructor(message: string, details: { readonly hint?: string; readonly permanent?: boolean; readonly cause?: unknown } = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = "EngineError";
    if (details.hint !== undefined) this.hint = details.hint;
    this.permanent = details.permanent ?? false;
  }
}
