import type { Link } from "./link.ts";
import type { ZeekEvent } from "./wire/event.ts";

/** Where one Zeek can be told things: its connection, and the topic of its acknowledgement. One may wait for it at a time. */
export class Line {
  #link: Link | undefined;
  #topic: string | undefined;
  #over = new AbortController();
  #changed: (changed: true) => void = () => undefined;

  get link(): Link | undefined {
    return this.#link;
  }

  get topic(): string | undefined {
    return this.#topic;
  }

  /** Fires when it is closed. */
  get signal(): AbortSignal {
    return this.#over.signal;
  }

  /** The Zeek has another connection, or none. */
  connect(link: Link | undefined): void {
    this.#link = link;
    this.#topic = undefined;
    this.wake();
  }

  /** The Zeek subscribes: there will be a topic. */
  open(): void {
    if (this.signal.aborted) this.#over = new AbortController();
  }

  grant(topic: string): void {
    this.#topic = topic;
    this.wake();
  }

  /** It is told nothing more. */
  close(): void {
    this.#topic = undefined;
    this.#over.abort();
    this.wake();
  }

  wake(): void {
    this.#changed(true);
  }

  /** Whether the Zeek listens, and has room. */
  get ready(): boolean {
    const link = this.#link, topic = this.#topic;
    return link !== undefined && topic !== undefined && link.listening(topic) === true && link.room() === true;
  }

  /** @throws WireRefused for an event that has no encoding */
  send(event: ZeekEvent): void {
    if (this.#topic !== undefined) this.#link?.send(this.#topic, event);
  }

  /** Resolves when it is worth looking again whether it is ready. @throws when it is closed */
  async wait(): Promise<void> {
    if (this.signal.aborted) throw new Error("the Zeek is gone");
    const changed = new Promise<true>((resolve) => (this.#changed = resolve));
    const link = this.#link, topic = this.#topic;
    // A connection that is on its way to its end is not worth a look: the line changes when it is there.
    if (link === undefined || topic === undefined || !(await Promise.race([listens(link, topic), changed]))) await changed;
  }
}

async function listens(link: Link, topic: string): Promise<boolean> {
  return (await link.listening(topic)) && (await link.room());
}
