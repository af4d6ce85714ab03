import type { Clock } from "@threatbus/core";
import { RestFault } from "../rest/fault.ts";
import type { Search } from "../rest/search.ts";

/** Milliseconds after which MISP has stored the tags that came with an attribute. */
const settling = 2_000;
/** Attributes asked for at once. */
const batch = 200;
/** What may wait: attributes and events. More is left to the next poll. */
const most = 50_000;
/** Milliseconds before it is tried again after MISP refused. */
const pause = 60_000;

interface Setup {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Searches, and relays what is found. @throws RestFault */
  readonly read: (search: Search) => Promise<void>;
  /** Told of what does not fit any more. */
  readonly onFull: () => void;
}

/** Asks MISP for attributes once more, a moment after it told of them: by then their tags are stored, and those of the event come with them. */
export class Rereader {
  readonly #setup: Setup;
  readonly #attributes = new Set<string>();
  readonly #events = new Set<string>();
  #wake: (() => void) | undefined;

  constructor(setup: Setup) {
    this.#setup = setup;
  }

  get waiting(): number {
    return this.#attributes.size + this.#events.size;
  }

  /** @param uuid of an attribute */
  attribute(uuid: string): void {
    this.#add(this.#attributes, uuid);
  }

  /** All attributes of an event. @param id of the event */
  event(id: string): void {
    this.#add(this.#events, id);
  }

  /** Runs until the signal fires. */
  async run(): Promise<void> {
    const { clock, signal } = this.#setup;
    const wake = (): void => this.#wake?.();
    signal.addEventListener("abort", wake);
    while (!signal.aborted) {
      if (this.waiting === 0) await new Promise<void>((resolve) => (this.#wake = resolve));
      const attributes = [...this.#attributes].slice(0, batch);
      const [event] = this.#events;
      await clock.sleep(settling, signal);
      if (signal.aborted) break;
      await this.#read(attributes, event);
    }
    signal.removeEventListener("abort", wake);
  }

  async #read(attributes: readonly string[], event: string | undefined): Promise<void> {
    const { clock, signal, read } = this.#setup;
    try {
      // What is said of them from here on is asked for anew.
      for (const uuid of attributes) this.#attributes.delete(uuid);
      if (attributes.length > 0) await read({ uuid: attributes, deleted: [0, 1] });
      if (event === undefined) return;
      this.#events.delete(event);
      await read({ eventid: event, deleted: [0, 1] });
    } catch (thrown) {
      if (!(thrown instanceof RestFault)) throw thrown;
      if (signal.aborted) return;
      for (const uuid of attributes) this.attribute(uuid);
      if (event !== undefined) this.event(event);
      await clock.sleep(pause, signal);
    }
  }

  #add(waiting: Set<string>, id: string): void {
    if (this.waiting >= most && !waiting.has(id)) return this.#setup.onFull();
    waiting.add(id);
    this.#wake?.();
  }
}
