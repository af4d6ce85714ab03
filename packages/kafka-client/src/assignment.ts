import type { Partition, Position } from "./contract.ts";
import { OffsetWindow } from "./offset-window.ts";

/** A partition this member has, and what was read of it. */
export interface Share extends Partition {
  readonly window: OffsetWindow;
  /** The offset after its last record, as far as is known. */
  end: number;
}

/** What a group gave to this member, and how far it has come there. */
export class Assignment {
  readonly #shares = new Map<string, Share>();
  #starts: ReadonlyMap<string, number>;

  /** @param starts where to begin in partitions that the group never read; what is not named here begins with its first record */
  constructor(starts: readonly Position[]) {
    this.#starts = new Map(starts.map((start) => [keyOf(start), start.offset]));
  }

  /** Takes over what is assigned now; returns where to begin where the group never read. */
  change(assigned: readonly Partition[]): Position[] {
    const begin: Position[] = [];
    const now = new Set(assigned.map(keyOf));
    // What went to another member: its commits are not this one's any more.
    for (const key of this.#shares.keys()) if (!now.has(key)) this.#shares.delete(key);
    for (const { topic, partition } of assigned) {
      const key = keyOf({ topic, partition });
      if (this.#shares.has(key)) continue;
      const offset = this.#starts.get(key);
      this.#shares.set(key, { topic, partition, window: new OffsetWindow(offset), end: 0 });
      if (offset !== undefined) begin.push({ topic, partition, offset });
    }
    // By the next change others may have read there.
    this.#starts = new Map();
    return begin;
  }

  get(partition: Partition): Share | undefined {
    return this.#shares.get(keyOf(partition));
  }

  /** Records handed over and not committed. */
  get uncommitted(): number {
    let sum = 0;
    for (const { window } of this.#shares.values()) sum += window.size;
    return sum;
  }

  /** Records that are not read yet, or not committed. */
  get lag(): number {
    let sum = 0;
    for (const { window, end } of this.#shares.values()) if (window.next !== undefined) sum += Math.max(0, end - window.next) + window.size;
    return sum;
  }

  /** What is to be committed. */
  due(): (Position & { readonly window: OffsetWindow })[] {
    return [...this.#shares.values()].flatMap(({ topic, partition, window }) => {
      const offset = window.uncommitted;
      return offset === undefined ? [] : [{ topic, partition, offset, window }];
    });
  }
}

function keyOf({ topic, partition }: Partition): string {
  return `${topic}/${partition}`;
}
