import type { StixObject } from "stix2-ts-types";
import type { DropReason, Overflow, QueueLimits } from "./contract.ts";
import type { Delivery } from "./delivery.ts";
import { ThreatbusError } from "./errors.ts";

export const defaultQueueLimits: QueueLimits = { maxItems: 10_000, maxBytes: 64 * 1024 * 1024, overflow: "drop_oldest" };

const overflows: Readonly<Record<Overflow, true>> = { drop_oldest: true, drop_newest: true, conflate: true, block: true, disconnect: true };

/** @throws ThreatbusError `OPTIONS_INVALID` */
export function checkLimits(limits: QueueLimits): QueueLimits {
  for (const limit of ["maxItems", "maxBytes"] as const) {
    if (!(Number.isSafeInteger(limits[limit]) && limits[limit] >= 1)) throw new ThreatbusError("OPTIONS_INVALID", `queue ${limit} is no whole number from 1`);
  }
  if (!Object.hasOwn(overflows, limits.overflow)) throw new ThreatbusError("OPTIONS_INVALID", `queue overflow is none of ${Object.keys(overflows).join(", ")}`);
  return limits;
}

/** Bytes that all queues of one bus may hold together. */
export interface Budget {
  used: number;
  readonly max: number;
}

/** Why a delivery left the queue unhandled. */
export type Left = DropReason | "superseded";

/**
 * A first-in-first-out queue with a limit. Whatever leaves it other than by `shift` is told to `left`, once each. Removals of
 * indicators are dropped only when nothing else is left to drop: a lost removal is a false positive for ever.
 */
export class DeliveryQueue {
  readonly #limits: QueueLimits;
  readonly #budget: Budget;
  readonly #left: (delivery: Delivery, why: Left) => void;
  /** Slots of what left early stay `undefined` until the front reaches them. */
  #slots: (Delivery | undefined)[] = [];
  #front = 0;
  /** No slot before it holds anything but removals. */
  #droppable = 0;
  #count = 0;
  #counted = 0;
  #bytes = 0;
  /** Slots cut off at the front so far. */
  #cut = 0;
  /** With `conflate`: in which slot, counted from the first ever, the latest version of an indicator waits. */
  readonly #latest: Map<string, number> | undefined;

  constructor(limits: QueueLimits, budget: Budget, left: (delivery: Delivery, why: Left) => void) {
    this.#limits = limits;
    this.#budget = budget;
    this.#left = left;
    this.#latest = limits.overflow === "conflate" ? new Map() : undefined;
  }

  get count(): number {
    return this.#count;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get full(): boolean {
    return this.#counted >= this.#limits.maxItems || this.#bytes >= this.#limits.maxBytes;
  }

  /** Half its bytes or all its places are taken: what can be paced should be. */
  get crowded(): boolean {
    return this.#count >= this.#limits.maxItems || this.#bytes * 2 >= this.#limits.maxBytes;
  }

  /** Takes a delivery in, making room by the policy. Returns false when the policy is to disconnect and there is no room. */
  offer(delivery: Delivery): boolean {
    this.#supersede(delivery);
    const overflow = this.#limits.overflow;
    if (overflow !== "block") {
      while (this.#overflows(delivery)) {
        if (overflow === "disconnect") return false;
        if (!this.#makeRoom(delivery, "overflow")) return true;
      }
    }
    while (this.#budget.used + delivery.size > this.#budget.max) {
      if (!this.#makeRoom(delivery, "budget")) return true;
    }
    this.#push(delivery);
    return true;
  }

  shift(): Delivery | undefined {
    while (this.#front < this.#slots.length) {
      const delivery = this.#slots[this.#front];
      this.#slots[this.#front++] = undefined;
      if (delivery !== undefined) {
        this.#forget(delivery);
        this.#compact();
        return delivery;
      }
    }
    this.#compact();
    return undefined;
  }

  /** Empties it. */
  clear(why: DropReason): void {
    for (let delivery = this.shift(); delivery !== undefined; delivery = this.shift()) this.#left(delivery, why);
  }

  #overflows(delivery: Delivery): boolean {
    return (!delivery.history && this.#counted >= this.#limits.maxItems) || (this.#bytes > 0 && this.#bytes + delivery.size > this.#limits.maxBytes);
  }

  /** Drops one delivery: a waiting one, or the arriving one; then there is no need for room and the answer is false. */
  #makeRoom(arriving: Delivery, why: DropReason): boolean {
    const newest = this.#limits.overflow === "drop_newest" && !arriving.removal;
    const victim = newest ? undefined : this.#takeDroppable() ?? (arriving.removal ? this.shift() : undefined);
    this.#left(victim ?? arriving, why);
    return victim !== undefined;
  }

  #takeDroppable(): Delivery | undefined {
    this.#droppable = Math.max(this.#droppable, this.#front);
    for (; this.#droppable < this.#slots.length; this.#droppable++) {
      const delivery = this.#slots[this.#droppable];
      if (delivery === undefined || delivery.removal) continue;
      this.#slots[this.#droppable] = undefined;
      this.#forget(delivery);
      return delivery;
    }
    return undefined;
  }

  /** With `conflate`, an older version that waits makes way; the newer one waits at the end, in the order of arrival. */
  #supersede(delivery: Delivery): void {
    const id = this.#latest === undefined ? undefined : indicatorId(delivery);
    const slot = id === undefined ? undefined : this.#latest?.get(id);
    if (slot === undefined) return;
    const waiting = this.#slots[slot - this.#cut];
    if (waiting === undefined) return;
    this.#slots[slot - this.#cut] = undefined;
    this.#forget(waiting);
    this.#left(waiting, "superseded");
  }

  #push(delivery: Delivery): void {
    this.#slots.push(delivery);
    this.#count++;
    if (!delivery.history) this.#counted++;
    this.#bytes += delivery.size;
    this.#budget.used += delivery.size;
    const id = this.#latest === undefined ? undefined : indicatorId(delivery);
    if (id !== undefined) this.#latest?.set(id, this.#cut + this.#slots.length - 1);
  }

  #forget(delivery: Delivery): void {
    this.#count--;
    if (!delivery.history) this.#counted--;
    this.#bytes -= delivery.size;
    this.#budget.used -= delivery.size;
    const id = this.#latest === undefined ? undefined : indicatorId(delivery);
    if (id !== undefined) this.#latest?.delete(id);
  }

  #compact(): void {
    if (this.#front === this.#slots.length) {
      this.#cut += this.#slots.length;
      this.#slots.length = 0;
      this.#front = this.#droppable = 0;
    } else if (this.#front >= 4096 && this.#front * 2 >= this.#slots.length) {
      this.#slots = this.#slots.slice(this.#front);
      this.#cut += this.#front;
      this.#droppable = Math.max(0, this.#droppable - this.#front);
      this.#front = 0;
    }
  }
}

function indicatorId(delivery: Delivery): string | undefined {
  return delivery.content.topic === "stix2/indicator" ? (delivery.content.raw as StixObject).id : undefined;
}
