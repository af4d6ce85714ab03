import type { Counter, Metrics } from "./contract.ts";

/** Series one plugin may have; labels that come from outside would grow for ever. */
const most = 1_000;

/** One number of a plugin. `labels` is empty for most. */
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly kind: "counter" | "gauge";
  readonly value: number;
}

/** The counters and gauges of one plugin. */
export class MetricSet implements Metrics {
  readonly #counters = new Map<string, { name: string; labels: Readonly<Record<string, string>>; counter: CounterCell }>();
  readonly #gauges = new Map<string, () => number>();

  counter(name: string, labels: Readonly<Record<string, string>> = {}): Counter {
    const key = keyOf(name, labels);
    let entry = this.#counters.get(key);
    if (entry === undefined) {
      entry = { name, labels, counter: new CounterCell() };
      if (this.#counters.size < most) this.#counters.set(key, entry);
    }
    return entry.counter;
  }

  gauge(name: string, read: () => number): void {
    this.#gauges.set(name, read);
  }

  samples(): Sample[] {
    return [
      ...[...this.#counters.values()].map(({ name, labels, counter }) => ({ name, labels, kind: "counter" as const, value: counter.value })),
      ...[...this.#gauges].map(([name, read]) => ({ name, labels: {}, kind: "gauge" as const, value: read() })),
    ];
  }
}

/** Counters are asked for with every message, mostly with one label or none: these have a key that is quickly made. */
function keyOf(name: string, labels: Readonly<Record<string, string>>): string {
  const [label, ...more] = Object.keys(labels);
  if (label === undefined) return name;
  return more.length === 0 ? `${name}\0${label}\0${labels[label]}` : JSON.stringify([name, Object.entries(labels).sort()]);
}

class CounterCell implements Counter {
  value = 0;
  add(n = 1): void {
    this.value += n;
  }
}
