import type { DropReason, Overflow, QueueLimits } from "./contract.ts";
import { ThreatbusError } from "./errors.ts";

export const defaultQueueLimits: QueueLimits = { maxItems: 10_000, maxBytes: 64 * 1024 * 1024, overflow: "drop_oldest", ackHold: 30_000 };

/** What bounds a queue, and its policy. */
export type Bounds = Pick<QueueLimits, "maxItems" | "maxBytes" | "overflow">;

const overflows: Readonly<Record<Overflow, true>> = { drop_oldest: true, drop_newest: true, conflate: true, block: true, disconnect: true };

/** @throws ThreatbusError `OPTIONS_INVALID` */
export function checkLimits(limits: QueueLimits): QueueLimits {
  for (const limit of ["maxItems", "maxBytes"] as const) {
    if (!(Number.isSafeInteger(limits[limit]) && limits[limit] >= 1)) throw new ThreatbusError("OPTIONS_INVALID", `queue ${limit} is no whole number from 1`);
  }
  if (!(limits.ackHold >= 0)) throw new ThreatbusError("OPTIONS_INVALID", "queue ackHold is no number of milliseconds from 0");
  if (!Object.hasOwn(overflows, limits.overflow)) throw new ThreatbusError("OPTIONS_INVALID", `queue overflow is none of ${Object.keys(overflows).join(", ")}`);
  return limits;
}

/** Bytes that all queues of one bus may hold together. */
export interface Budget {
  used: number;
  readonly max: number;
}

/** What a queue knows of what waits in it. */
export interface Queued {
  /** Bytes. */
  readonly size: number;
  /** Withdraws an indicator. */
  readonly removal: boolean;
  /** An object of a snapshot: bounded by bytes only, since history comes in bursts. */
  readonly history: boolean;
  /** Id of the indicator it is a version of, if it is one: what `conflate` goes by. */
  readonly indicator: string | undefined;
  /** Lets go of what can be made again from its bytes. */
  lighten(): void;
}

/** Why something left the queue other than by its turn. */
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
export class BoundedQueue<Item extends Queued> {
  readonly #limits: Bounds;
  readonly #budget: Budget;
  readonly #left: (item: Item, why: Left) => void;
  /** Slots of what has left stay `undefined` until the next compaction. */
  #slots: (Item | undefined)[] = [];
  #front = 0;
  /** No slot before it holds anything that may be dropped to make this kind of room. */
  readonly #droppable: Record<Room, number> = { items: 0, bytes: 0 };
  #count = 0;
  #counted = 0;
  #bytes = 0;
  /** With `conflate`: in which slot the latest version of an indicator waits. */
  readonly #latest: Map<string, number> | undefined;

  constructor(limits: Bounds, budget: Budget, left: (item: Item, why: Left) => void) {
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

  /** Takes an item in, making room by the policy. Returns false when the policy is to disconnect and there is no room. */
  offer(item: Item): boolean {
    this.#supersede(item);
    const overflow = this.#limits.overflow;
    if (overflow !== "block") {
      for (let room = this.#lacks(item); room !== undefined; room = this.#lacks(item)) {
        if (overflow === "disconnect") return false;
        if (!this.#makeRoom(item, room, "overflow")) return true;
      }
    }
    while (this.#budget.used + item.size > this.#budget.max) {
      if (!this.#makeRoom(item, "bytes", "budget")) return true;
    }
    this.#push(item);
    return true;
  }

  shift(): Item | undefined {
    while (this.#front < this.#slots.length) {
      const item = this.#take(this.#front++);
      if (item !== undefined) return item;
    }
    return undefined;
  }

  /** The oldest that waits, left where it is. */
  get oldest(): Item | undefined {
    while (this.#front < this.#slots.length && this.#slots[this.#front] === undefined) this.#front++;
    return this.#slots[this.#front];
  }

  /** All that wait, oldest first. */
  *[Symbol.iterator](): Iterator<Item> {
    for (const item of this.#slots) if (item !== undefined) yield item;
  }

  /** Empties it. */
  clear(why: DropReason): void {
    for (let item = this.shift(); item !== undefined; item = this.shift()) this.#left(item, why);
  }

  #lacks(item: Item): Room | undefined {
    if (!item.history && this.#counted >= this.#limits.maxItems) return "items";
    return this.#bytes > 0 && this.#bytes + item.size > this.#limits.maxBytes ? "bytes" : undefined;
  }

  /** Drops one item: a waiting one, or the arriving one; then there is no need for room and the answer is false. */
  #makeRoom(arriving: Item, room: Room, why: DropReason): boolean {
    const newest = this.#limits.overflow === "drop_newest" && !arriving.removal;
    const victim = newest ? undefined : this.#takeDroppable(room) ?? (arriving.removal ? this.shift() : undefined);
    this.#left(victim ?? arriving, why);
    return victim !== undefined;
  }

  #takeDroppable(room: Room): Item | undefined {
    for (let slot = Math.max(this.#droppable[room], this.#front); slot < this.#slots.length; slot++) {
      const item = this.#slots[slot];
      if (item === undefined || item.removal || (room === "items" && item.history)) continue;
      this.#droppable[room] = slot;
      return this.#take(slot);
    }
    this.#droppable[room] = this.#slots.length;
    return undefined;
  }

  /** With `conflate`, an older version that waits makes way; the newer one waits at the end, in the order of arrival. */
  #supersede(item: Item): void {
    const id = this.#latest === undefined ? undefined : item.indicator;
    const slot = id === undefined ? undefined : this.#latest?.get(id);
    const waiting = slot === undefined ? undefined : this.#take(slot);
    if (waiting !== undefined) this.#left(waiting, "superseded");
  }

  #push(item: Item): void {
    this.#slots.push(item);
    if (this.#count >= parsed && this.#latest === undefined) item.lighten();
    this.#count++;
    if (!item.history) this.#counted++;
    this.#bytes += item.size;
    this.#budget.used += item.size;
    const id = this.#latest === undefined ? undefined : item.indicator;
    if (id !== undefined) this.#latest?.set(id, this.#slots.length - 1);
  }

  #take(slot: number): Item | undefined {
    const item = this.#slots[slot];
    if (item === undefined) return undefined;
    this.#slots[slot] = undefined;
    this.#count--;
    if (!item.history) this.#counted--;
    this.#bytes -= item.size;
    this.#budget.used -= item.size;
    const id = this.#latest === undefined ? undefined : item.indicator;
    if (id !== undefined) this.#latest?.delete(id);
    if (this.#slots.length > this.#count * 4 + emptySlots) this.#compact();
    return item;
  }

  /** Closes the gaps: a front that does not move, its handler being stuck, must not make the array grow for ever. */
  #compact(): void {
    this.#slots = this.#slots.filter((item) => item !== undefined);
    this.#front = this.#droppable.items = this.#droppable.bytes = 0;
    if (this.#latest === undefined) return;
    for (const [slot, item] of this.#slots.entries()) {
      const id = item?.indicator;
      if (id !== undefined) this.#latest.set(id, slot);
    }
  }
}
