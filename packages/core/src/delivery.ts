import type { Content } from "./message.ts";

const settledAlready: Promise<void> = Promise.resolve();

/** One message on its way to the subscriptions it matches: shared by their queues, settled when the last is done with it. */
export class Delivery {
  readonly content: Content;
  readonly size: number;
  readonly removal: boolean;
  /** An object of a snapshot: bounded by bytes only, since history comes in bursts. */
  readonly history: boolean;
  #open = 0;
  #resolve: (() => void) | undefined;

  constructor(content: Content, history = false) {
    this.content = content;
    this.size = content.size;
    this.removal = content.removal;
    this.history = history;
  }

  /** One more queue holds it. */
  hold(): void {
    this.#open++;
  }

  /** One queue is done with it: delivered, refused or dropped. */
  settle(): void {
    if (--this.#open === 0) this.#resolve?.();
  }

  /** Resolves when no queue holds it any more. Asked for once, after all `hold`s. */
  get settled(): Promise<void> {
    if (this.#open === 0) return settledAlready;
    return new Promise((resolve) => (this.#resolve = resolve));
  }
}
