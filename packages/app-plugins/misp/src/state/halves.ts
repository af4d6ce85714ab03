import { secondUuid } from "../map/indicator.ts";

/** Bytes an entry takes in memory: two UUIDs of 56, and its place in the map. */
const each = 152;

/** Which attribute the second halves of split ones belong to: their ids do not tell. The longest untouched goes first. */
export class Halves {
  readonly #most: number;
  readonly #attributes = new Map<string, string>();

  constructor(most: number) {
    this.#most = most;
  }

  get bytes(): number {
    return this.#attributes.size * each;
  }

  get(half: string): string | undefined {
    return this.#attributes.get(half);
  }

  add(attribute: string): void {
    const half = secondUuid(attribute);
    this.#attributes.delete(half);
    this.#attributes.set(half, attribute);
    const [oldest] = this.#attributes.keys();
    if (this.#attributes.size > this.#most && oldest !== undefined) this.#attributes.delete(oldest);
  }
}
