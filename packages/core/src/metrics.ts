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
    const key = JSON.stringify([name, Object.entries(labels).sort()]);
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

class CounterCell implements Counter {
  value = 0;
  add(n = 1): void {
    this.value += n;
  }
}
