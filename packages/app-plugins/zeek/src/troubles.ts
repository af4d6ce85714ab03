import type { Counter, Fields, Host } from "@threatbus/core";

/** Milliseconds between two lines about the same kind of trouble: a broken or hostile peer must not fill the log. */
const quiet = 10_000;

/** Counts what went wrong, and says so now and then. */
export class Troubles {
  readonly #host: Host;
  readonly #counters = new Map<string, Counter>();
  readonly #spoken = new Map<string, { until: number; unsaid: number }>();

  constructor(host: Host) {
    this.#host = host;
  }

  /** @param name of the counter @param reason one word of a closed set, its label */
  count(name: string, text: string, fields: Fields = {}, reason?: string): void {
    const key = `${name} ${reason ?? ""}`;
    let counter = this.#counters.get(key);
    if (counter === undefined) this.#counters.set(key, (counter = this.#host.metrics.counter(name, reason === undefined ? undefined : { reason })));
    counter.add();
    this.warn(key, text, reason === undefined ? fields : { ...fields, kind: reason });
  }

  /** Says it, unless it said the same kind of thing a moment ago. */
  warn(kind: string, text: string, fields: Fields = {}): void {
    const now = this.#host.clock.now();
    const spoken = this.#spoken.get(kind) ?? { until: 0, unsaid: 0 };
    this.#spoken.set(kind, spoken);
    if (now < spoken.until) {
      spoken.unsaid++;
      return;
    }
    this.#host.logger.warn(text, spoken.unsaid > 0 ? { ...fields, unsaid: spoken.unsaid } : fields);
    spoken.until = now + quiet;
    spoken.unsaid = 0;
  }
}
