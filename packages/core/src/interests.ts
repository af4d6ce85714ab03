import type { Backbone, Topic } from "./contract.ts";
import { withPlugin } from "./lifecycle.ts";

/** Snapshot requests and envelopes. */
export const controlPrefix = "threatbus/";

interface NamedBackbone {
  readonly name: string;
  readonly instance: Backbone;
}

/** Tells the backbones which prefixes somebody on this host wants: once at the first, once after the last. */
export class Interests {
  readonly #backbones: () => readonly NamedBackbone[];
  /** The bus itself wants its own topics, and tells so when it starts. */
  readonly #counts = new Map<Topic, number>([[controlPrefix, 1]]);
  /** What the backbones were told. */
  readonly #told = new Set<Topic>([controlPrefix]);
  /** One change at a time, so that an end cannot overtake a beginning. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(backbones: () => readonly NamedBackbone[]) {
    this.#backbones = backbones;
  }

  /** Resolves when every backbone knows. Whoever comes after a failure tries again. */
  add(topics: readonly Topic[]): Promise<void> {
    for (const topic of topics) this.#counts.set(topic, (this.#counts.get(topic) ?? 0) + 1);
    return this.#settle(topics);
  }

  /** Tells the backbones, which have just started, what was wanted before. */
  tellAll(): Promise<void> {
    return this.#settle([...this.#counts.keys()]);
  }

  remove(topics: readonly Topic[]): Promise<void> {
    for (const topic of topics) {
      const rest = (this.#counts.get(topic) ?? 0) - 1;
      if (rest > 0) this.#counts.set(topic, rest);
      else this.#counts.delete(topic);
    }
    return this.#settle(topics);
  }

  #settle(topics: readonly Topic[]): Promise<void> {
    const next = this.#last.then(async () => void (await Promise.all(topics.map((topic) => this.#tell(topic)))));
    this.#last = next.catch(() => undefined);
    return next;
  }

  async #tell(topic: Topic): Promise<void> {
    if (this.#counts.has(topic) === this.#told.has(topic) || this.#backbones().length === 0) return;
    if (this.#told.delete(topic)) return this.#each((backbone) => backbone.unsubscribe?.(topic));
    try {
      await this.#each((backbone) => backbone.subscribe?.(topic));
      this.#told.add(topic);
    } catch (thrown) {
      // Those that took it shall not keep it.
      await this.#each((backbone) => backbone.unsubscribe?.(topic)).catch(() => undefined);
      throw thrown;
    }
  }

  async #each(call: (backbone: Backbone) => Promise<void> | undefined): Promise<void> {
    const outcomes = await Promise.allSettled(this.#backbones().map(async ({ instance }) => call(instance)));
    const failed = outcomes.findIndex(({ status }) => status === "rejected");
    if (failed >= 0) throw withPlugin((outcomes[failed] as PromiseRejectedResult).reason, this.#backbones()[failed]?.name ?? "", "BACKBONE_FAILED");
  }
}
