import type { Bus, Message, SubscribeOptions, Subscription } from "@threatbus/core";

/** A subscription of the bus for one Zeek. */
export class Feed {
  readonly #take: (message: Message, history: boolean) => Promise<void> | void;
  #subscription: Subscription | undefined;
  /** Lets the bus go on without what is in hand. */
  #release: () => void = () => undefined;

  /** @param take is given each message, and whether history comes beside what is new */
  constructor(take: (message: Message, history: boolean) => Promise<void> | void) {
    this.#take = take;
  }

  /** @param ended is told when the subscription has ended, by whomever */
  async open(bus: Bus, topic: string, options: SubscribeOptions, ended: () => void): Promise<void> {
    this.#subscription = await bus.subscribe(topic, (message) => this.#handle(message), options);
    void this.#subscription.closed.then(ended);
  }

  /** Messages that were not taken yet. */
  get waiting(): number {
    return this.#subscription?.stats.waiting ?? 0;
  }

  /** Whether the bus gave it up since its queue was full: with policy `disconnect` that is the first drop. */
  get overflown(): boolean {
    return (this.#subscription?.stats.dropped.overflow ?? 0) > 0;
  }

  /** Ends it: what waits is dropped, and counted by the bus. What is in hand has its place in what the Zeek is to be told. */
  async close(): Promise<void> {
    const closed = this.#subscription?.close();
    this.#release();
    await closed;
  }

  #handle(message: Message): Promise<void> | void {
    const told = this.#take(message, (this.#subscription?.snapshots.size ?? 0) > 0);
    if (told === undefined) return;
    return new Promise((resolve, reject) => {
      this.#release = resolve;
      told.then(resolve, reject);
    });
  }
}
