import type { Backbone, Topic } from "./contract.ts";

/** Tells the backbones which prefixes somebody on this host wants: once at the first, once after the last. */
export class Interests {
  readonly #backbones: () => readonly Backbone[];
  readonly #counts = new Map<Topic, number>();
  /** One change at a time, so that an end cannot overtake a beginning. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(backbones: () => readonly Backbone[]) {
    this.#backbones = backbones;
  }

  async add(topics: readonly Topic[]): Promise<void> {
    const first = topics.filter((topic) => this.#count(topic, 1) === 1);
    await this.#tell(first, (backbone, topic) => backbone.subscribe?.(topic));
  }

  async remove(topics: readonly Topic[]): Promise<void> {
    const last = topics.filter((topic) => this.#count(topic, -1) === 0);
    await this.#tell(last, (backbone, topic) => backbone.unsubscribe?.(topic));
  }

  #count(topic: Topic, change: 1 | -1): number {
    const count = (this.#counts.get(topic) ?? 0) + change;
    if (count === 0) this.#counts.delete(topic);
    else this.#counts.set(topic, count);
    return count;
  }

  #tell(topics: readonly Topic[], call: (backbone: Backbone, topic: Topic) => Promise<void> | undefined): Promise<unknown> {
    const next = this.#last.then(() => Promise.all(topics.flatMap((topic) => this.#backbones().map(async (backbone) => call(backbone, topic)))));
    this.#last = next.catch(() => undefined);
    return next;
  }
}
