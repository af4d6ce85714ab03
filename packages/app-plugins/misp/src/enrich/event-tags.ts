import type { Clock } from "@threatbus/core";
import type { MispTag } from "../decode/message.ts";

/** Events whose tags are kept, the longest known go first. */
const mostEvents = 10_000;

/** The tags of events, as they were found not long ago. */
export class EventTags {
  readonly #clock: Clock;
  readonly #ttl: number;
  readonly #known = new Map<string, { readonly tags: readonly MispTag[]; readonly until: number }>();

  /** @param ttl milliseconds */
  constructor(ttl: number, clock: Clock) {
    this.#ttl = ttl;
    this.#clock = clock;
  }

  get size(): number {
    return this.#known.size;
  }

  /** @param event its id */
  get(event: string): readonly MispTag[] | undefined {
    const known = this.#known.get(event);
    return known !== undefined && known.until > this.#clock.now() ? known.tags : undefined;
  }

  /** Returns whether that is news: none were known, or others. */
  set(event: string, tags: readonly MispTag[]): boolean {
    const before = this.#known.get(event)?.tags;
    this.#known.delete(event);
    this.#known.set(event, { tags, until: this.#clock.now() + this.#ttl });
    if (this.#known.size > mostEvents) this.#known.delete(this.#known.keys().next().value ?? "");
    return before === undefined || keyOf(before) !== keyOf(tags);
  }

  forget(event: string): void {
    this.#known.delete(event);
  }
}

function keyOf(tags: readonly MispTag[]): string {
  return JSON.stringify(tags.map(({ name, local, exportable }) => [name, local, exportable]).sort());
}
