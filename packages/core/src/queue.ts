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

/** What a full queue is short of. History takes bytes only. */
type Room = "items" | "bytes";

/** Slots that may be empty before the queue is compacted, besides three for each that holds something. */
const emptySlots = 4_096;

/** Waiting messages that keep their parsed view; those behind them keep their bytes only. */
const parsed = 1_000;

/**
 * A first-in-first-out queue with a limit. Whatever leaves it other than by `shift` is told to `left`, once each. Removals of
 * indicators are dropped only when nothing else is left to drop: a lost removal is a false positive for ever.
 */
export class DeliveryQueue {
  readonly #limits: QueueLimits;
  readonly #budget: Budget;
  readonly #left: (delivery: Delivery, why: Left) => void;
  /** Slots of what has left stay `undefined` until the next compaction. */
  #slots: (Delivery | undefined)[] = [];
  #front = 0;
  /** No slot before it holds anything that may be dropped to make this kind of room. */
  readonly #droppable: Record<Room, number> = { items: 0, bytes: 0 };
  #count = 0;
  #counted = 0;
  #bytes = 0;
  /** With `conflate`: in which slot the latest version of an indicator waits. */
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
      for (let room = this.#lacks(delivery); room !== undefined; room = this.#lacks(delivery)) {
        if (overflow === "disconnect") return false;
        if (!this.#makeRoom(delivery, room, "overflow")) return true;
      }
    }
    while (this.#budget.used + delivery.size > this.#budget.max) {
      if (!this.#makeRoom(delivery, "bytes", "budget")) return true;
    }
    this.#push(delivery);
    return true;
  }

  shift(): Delivery | undefined {
    while (this.#front < this.#slots.length) {
      const delivery = this.#take(this.#front++);
      if (delivery !== undefined) return delivery;
    }
    return undefined;
  }

  /** Empties it. */
  clear(why: DropReason): void {
    for (let delivery = this.shift(); delivery !== undefined; delivery = this.shift()) this.#left(delivery, why);
  }

  #lacks(delivery: Delivery): Room | undefined {
    if (!delivery.history && this.#counted >= this.#limits.maxItems) return "items";
    return this.#bytes > 0 && this.#bytes + delivery.size > this.#limits.maxBytes ? "bytes" : undefined;
  }

  /** Drops one delivery: a waiting one, or the arriving one; then there is no need for room and the answer is false. */
  #makeRoom(arriving: Delivery, room: Room, why: DropReason): boolean {
    const newest = this.#limits.overflow === "drop_newest" && !arriving.removal;
    const victim = newest ? undefined : this.#takeDroppable(room) ?? (arriving.removal ? this.shift() : undefined);
    this.#left(victim ?? arriving, why);
    return victim !== undefined;
  }

  #takeDroppable(room: Room): Delivery | undefined {
    for (let slot = Math.max(this.#droppable[room], this.#front); slot < this.#slots.length; slot++) {
      const delivery = this.#slots[slot];
      if (delivery === undefined || delivery.removal || (room === "items" && delivery.history)) continue;
      this.#droppable[room] = slot;
      return this.#take(slot);
    }
    this.#droppable[room] = this.#slots.length;
    return undefined;
  }

  /** With `conflate`, an older version that waits makes way; the newer one waits at the end, in the order of arrival. */
  #supersede(delivery: Delivery): void {
    const id = this.#latest === undefined ? undefined : indicatorId(delivery);
    const slot = id === undefined ? undefined : this.#latest?.get(id);
    const waiting = slot === undefined ? undefined : this.#take(slot);
    if (waiting !== undefined) this.#left(waiting, "superseded");
  }

  #push(delivery: Delivery): void {
    this.#slots.push(delivery);
    if (this.#count >= parsed && this.#latest === undefined) delivery.content.lighten();
    this.#count++;
    if (!delivery.history) this.#counted++;
    this.#bytes += delivery.size;
    this.#budget.used += delivery.size;
    const id = this.#latest === undefined ? undefined : indicatorId(delivery);
    if (id !== undefined) this.#latest?.set(id, this.#slots.length - 1);
  }

  #take(slot: number): Delivery | undefined {
    const delivery = this.#slots[slot];
    if (delivery === undefined) return undefined;
    this.#slots[slot] = undefined;
    this.#count--;
    if (!delivery.history) this.#counted--;
    this.#bytes -= delivery.size;
    this.#budget.used -= delivery.size;
    const id = this.#latest === undefined ? undefined : indicatorId(delivery);
    if (id !== undefined) this.#latest?.delete(id);
    if (this.#slots.length > this.#count * 4 + emptySlots) this.#compact();
    return delivery;
  }

  /** Closes the gaps: a front that does not move, its handler being stuck, must not make the array grow for ever. */
  #compact(): void {
    this.#slots = this.#slots.filter((delivery) => delivery !== undefined);
    this.#front = this.#droppable.items = this.#droppable.bytes = 0;
    if (this.#latest === undefined) return;
    for (const [slot, delivery] of this.#slots.entries()) {
      const id = delivery === undefined ? undefined : indicatorId(delivery);
      if (id !== undefined) this.#latest.set(id, slot);
    }
  }
}

function indicatorId(delivery: Delivery): string | undefined {
  return delivery.content.topic === "stix2/indicator" ? (delivery.content.raw as StixObject).id : undefined;
}
