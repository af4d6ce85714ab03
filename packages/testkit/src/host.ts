import type { Clock, Counter, Fields, Host, Logger } from "@threatbus/core";
import { manualClock, type ManualClock } from "./manual-clock.ts";

export interface LogEntry {
  readonly level: keyof Logger;
  readonly text: string;
  readonly fields: Fields;
}

/** A host whose every side can be seen and moved by a test. */
export interface FakeHost<C extends Clock = ManualClock> extends Host {
  readonly clock: C;
  /** All that was logged, in order. Empty when the logger was overridden. */
  readonly entries: readonly LogEntry[];
  /** Fires `signal`, as a bus does when it begins to stop; no effect when the signal was overridden. */
  readonly stopping: AbortController;
  /** The value of a counter, 0 if nobody asked for it yet. */
  count(name: string, labels?: Readonly<Record<string, string>>): number;
  /** The value of a gauge, undefined if there is none. */
  gauge(name: string): number | undefined;
}

/** A host named `test` with a recording logger and a clock that stands still; `overrides` replace its parts. */
export function fakeHost(overrides?: Partial<Omit<Host, "clock">>): FakeHost;
export function fakeHost<C extends Clock>(overrides: Partial<Host> & { readonly clock: C }): FakeHost<C>;
export function fakeHost(overrides: Partial<Host> = {}): FakeHost<Clock> {
  const entries: LogEntry[] = [];
  const stopping = new AbortController();
  const counters = new Map<string, Counter>();
  const gauges = new Map<string, () => number>();
  const log =
    (level: keyof Logger) =>
    (text: string, fields: Fields = {}): void => {
      entries.push({ level, text, fields });
    };
  return {
    name: "test",
    logger: { debug: log("debug"), info: log("info"), warn: log("warn"), error: log("error") },
    clock: manualClock(),
    signal: stopping.signal,
    metrics: {
      counter(name, labels) {
        const key = keyOf(name, labels);
        const counter = counters.get(key) ?? newCounter();
        counters.set(key, counter);
        return counter;
      },
      gauge: (name, read) => void gauges.set(name, read),
    },
    ...overrides,
    entries,
    stopping,
    count: (name, labels) => counters.get(keyOf(name, labels))?.value ?? 0,
    gauge: (name) => gauges.get(name)?.(),
  };
}

function keyOf(name: string, labels: Readonly<Record<string, string>> = {}): string {
  return JSON.stringify([name, Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1))]);
}

function newCounter(): Counter {
  let value = 0;
  return {
    get value() {
      return value;
    },
    add(n = 1) {
      value += n;
    },
  };
}
