import { setImmediate as immediate } from "node:timers/promises";
import type { DropReason, Handler, Logger, QueueLimits, Subscription, SubscriptionStats, Topic } from "./contract.ts";
import { Delivery } from "./delivery.ts";
import { reasonOf } from "./errors.ts";
import type { Content } from "./message.ts";
import { BoundedQueue } from "./queue.ts";
import type { Budget, Left } from "./queue.ts";
import { Recall } from "./recall.ts";

/** Messages handled before other work of the process gets its turn. */
const turn = 256;

/** Begins a microtask; `queueMicrotask` tracks each as an asynchronous resource, which takes several times as long. */
const soon: Promise<void> = Promise.resolve();

export interface SubscriptionSetup {
  readonly name: string;
  readonly topics: readonly Topic[];
  readonly handle: Handler;
  readonly limits: QueueLimits;
  readonly budget: Budget;
  readonly logger: Logger;
  /** Told once, when it has ended. */
  readonly onEnd: (subscription: ActiveSubscription) => void;
}

/** A queue and the loop that empties it into a handler. */
export class ActiveSubscription implements Subscription {
  readonly name: string;
  readonly topics: readonly Topic[];
  readonly snapshots: Set<string> = new Set();
  readonly closed: Promise<void>;
  readonly blocking: boolean;
  readonly #setup: SubscriptionSetup;
  readonly #queue: BoundedQueue<Delivery>;
  /** What arrived while a snapshot is under way, so that no object comes twice. */
  #recall: Recall | undefined;
  #received = 0;
  #delivered = 0;
  #refused = 0;
  #superseded = 0;
  #repeated = 0;
  #ackedEarly = 0;
  /** What waits was acknowledged to its broker, and what comes is at once: it cannot be held until this one has caught up. */
  #lagging = false;
  /** A delivery is on its way into the queue. */
  #arriving = false;
  readonly #dropped: Record<DropReason, number> = { overflow: 0, budget: 0, closed: 0, shutdown: 0 };
  #inHand: Delivery | undefined;
  #pumping = false;
  #ended = false;
  #resolveClosed: () => void = () => undefined;
  #idle: (() => void)[] = [];
  #room: (() => void)[] = [];

  constructor(setup: SubscriptionSetup) {
    this.#setup = setup;
    this.name = setup.name;
    this.topics = setup.topics;
    this.blocking = setup.limits.overflow === "block";
    this.#queue = new BoundedQueue(setup.limits, setup.budget, (delivery, why) => this.#leave(delivery, why));
    this.closed = new Promise((resolve) => (this.#resolveClosed = resolve));
  }

  /** Takes a delivery into the queue. */
  offer(delivery: Delivery): void {
    if (this.#ended) return;
    if (this.snapshots.size > 0 && this.#alreadyHere(delivery)) return;
    this.#received++;
    if (this.#lagging) this.#ackedEarly++;
    else delivery.hold();
    this.#arriving = true;
    const taken = this.#queue.offer(delivery);
    this.#arriving = false;
    if (!taken) {
      this.#leave(delivery, "overflow");
      this.#setup.logger.warn("a subscription was ended: its queue is full", { subscription: this.name });
      void this.end("overflow");
    } else if (!this.#pumping && this.#queue.count > 0) {
      this.#pumping = true;
      void soon.then(() => this.#pump());
    }
  }

  get ended(): boolean {
    return this.#ended;
  }

  get full(): boolean {
    return !this.#ended && this.#queue.full;
  }

  /** Whether history had better wait. */
  get crowded(): boolean {
    return !this.#ended && this.#queue.crowded;
  }

  /**
   * Acknowledges what waits, if the oldest of it came from a broker longer than `ackHold` ago: a broker hands out only so much unacknowledged, and one slow
   * subscriber must not keep the others from their messages. Not with `block`, whose very sense is to hold the broker up.
   */
  ackOverdue(now: number): void {
    const oldest = this.#inHand ?? this.#queue.oldest;
    if (this.blocking || this.#lagging || oldest === undefined || oldest.since > now - this.#setup.limits.ackHold) return;
    this.#lagging = true;
    this.#ackedEarly += this.#waiting;
    this.#setup.logger.warn("a subscription lags behind: what waits for it is acknowledged to the broker, and lost if this process dies", { subscription: this.name, waiting: this.#waiting });
    this.#inHand?.settle();
    for (const delivery of this.#queue) delivery.settle();
  }

  /** Resolves when a message has left the queue, or the subscription has ended. */
  room(): Promise<void> {
    return this.#ended ? Promise.resolve() : new Promise((resolve) => this.#room.push(resolve));
  }

  /** Resolves when nothing waits and the handler is not busy. */
  idle(): Promise<void> {
    return this.#waiting === 0 ? Promise.resolve() : new Promise((resolve) => this.#idle.push(resolve));
  }

  close(): Promise<void> {
    return this.end("closed");
  }

  /** Ends it, counting what waits as dropped for this reason. A handler under way is waited for. */
  async end(why: DropReason): Promise<void> {
    if (!this.#ended) {
      this.#ended = true;
      this.#queue.clear(why);
      this.snapshots.clear();
      this.#recall = undefined;
      this.#wake(this.#room);
      this.#setup.onEnd(this);
      if (this.#inHand === undefined) this.#resolveClosed();
    }
    await this.closed;
  }

  /** Gives up on a handler that does not come back: what it holds is dropped. */
  abandon(why: DropReason): void {
    void this.end(why);
    const held = this.#inHand;
    if (held === undefined) return;
    this.#inHand = undefined;
    this.#leave(held, why);
    this.#resolveClosed();
  }

  /** No snapshot is under way any more. */
  forgetHistory(): void {
    if (this.snapshots.size === 0) this.#recall = undefined;
  }

  get stats(): SubscriptionStats {
    return {
      name: this.name,
      topics: this.topics,
      received: this.#received,
      delivered: this.#delivered,
      refused: this.#refused,
      superseded: this.#superseded,
      dropped: { ...this.#dropped },
      waiting: this.#waiting,
      waitingBytes: this.#queue.bytes + (this.#inHand?.size ?? 0),
      repeated: this.#repeated,
      ackedEarly: this.#ackedEarly,
    };
  }

  get #waiting(): number {
    return this.#queue.count + (this.#inHand === undefined ? 0 : 1);
  }

  async #pump(): Promise<void> {
    let handled = 0;
    for (let delivery = this.#queue.shift(); delivery !== undefined; delivery = this.#queue.shift()) {
      this.#inHand = delivery;
      this.#wake(this.#room);
      let refusal: { reason: unknown } | undefined;
      try {
        const answer = this.#setup.handle(delivery.content);
        if (answer !== undefined) await answer;
      } catch (thrown) {
        refusal = { reason: thrown };
      }
      if (this.#inHand !== delivery) return; // abandoned meanwhile
      this.#inHand = undefined;
      if (refusal === undefined) this.#delivered++;
      else this.#refuse(refusal.reason);
      this.#let(delivery);
      if (++handled % turn === 0) await immediate();
    }
    this.#pumping = false;
    this.#wake(this.#idle);
    if (this.#ended) this.#resolveClosed();
  }

  #refuse(reason: unknown): void {
    if (this.#refused++ === 0) this.#setup.logger.warn("a subscriber refused a message; more are counted", { subscription: this.name, reason: reasonOf(reason) });
  }

  #leave(delivery: Delivery, why: Left): void {
    if (why === "superseded") this.#superseded++;
    else if (this.#dropped[why]++ === 0 && why !== "closed") {
      this.#setup.logger.warn("a message was dropped; more are counted", { subscription: this.name, reason: why });
    }
    this.#let(delivery, why);
    this.#wake(this.#room);
    if (this.#waiting === 0) this.#wake(this.#idle);
  }

  /** Lets go of a delivery that has left this subscription. */
  #let(delivery: Delivery, why?: Left): void {
    if (this.#lagging) this.#lagging = this.#arriving || this.#waiting > 0;
    else if (why === "shutdown") delivery.giveUp();
    else delivery.settle();
  }

  /** While a snapshot is under way each object is taken once, by whichever way it comes first. Updates always pass. */
  #alreadyHere(delivery: Delivery): boolean {
    this.#recall ??= new Recall();
    if (!this.#recall.repeats(delivery)) return false;
    this.#repeated++;
    return true;
  }

  #wake(waiters: (() => void)[]): void {
    if (waiters.length > 0) for (const wake of waiters.splice(0)) wake();
  }
}

/** Offers a message to all of them. */
export function offerAll(content: Content, subscriptions: readonly ActiveSubscription[], since?: number): Delivery {
  const delivery = new Delivery(content, since);
  for (const subscription of subscriptions) subscription.offer(delivery);
  return delivery;
}
