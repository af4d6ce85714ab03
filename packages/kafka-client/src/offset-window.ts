/** A record that was handed over. */
export interface Handed {
  readonly offset: number;
  readonly id: string;
  done: boolean;
}

/**
 * What was read of one partition and is not committed yet. The position to commit is that of the oldest record which is not done: nothing is
 * committed before it was delivered, in whatever order deliveries end.
 */
export class OffsetWindow {
  #handed: Handed[] = [];
  /** How many at the front are done. */
  #done = 0;
  #next: number | undefined;
  #position: number | undefined;
  #committed: number | undefined;

  /** @param start where to begin, if the group never committed a position */
  constructor(start?: number) {
    this.#position = start;
  }

  /** Handed over and not committed. */
  get size(): number {
    return this.#handed.length;
  }

  /** Where to go on reading after a crash; nothing if that is committed already. */
  get uncommitted(): number | undefined {
    return this.#position === this.#committed ? undefined : this.#position;
  }

  /** The offset after the last record that was read. */
  get next(): number | undefined {
    return this.#next;
  }

  /** Nothing if the record was handed over before: a group that changes reads again from what is committed. */
  take(offset: number, id: string): Handed | undefined {
    if (this.#next !== undefined && offset < this.#next) {
      const known = this.#find(offset);
      if (known?.id === id) return undefined;
      // Not what was here: the topic was made anew, or somebody set the group back.
      this.#handed = [];
      this.#done = 0;
      this.#committed = undefined;
      this.#position = offset;
    }
    const handed: Handed = { offset, id, done: false };
    this.#handed.push(handed);
    this.#next = offset + 1;
    return handed;
  }

  settle(handed: Handed): void {
    handed.done = true;
    while (this.#handed[this.#done]?.done === true) this.#done++;
    const last = this.#handed[this.#done - 1];
    if (last !== undefined) this.#position = last.offset + 1;
  }

  committed(position: number): void {
    this.#committed = position;
    let count = 0;
    while (count < this.#done && (this.#handed[count]?.offset ?? Infinity) < position) count++;
    this.#handed.splice(0, count);
    this.#done -= count;
  }

  #find(offset: number): Handed | undefined {
    let [low, high] = [0, this.#handed.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#handed[middle]?.offset ?? Infinity) < offset) low = middle + 1;
      else high = middle;
    }
    const found = this.#handed[low];
    return found?.offset === offset ? found : undefined;
  }
}
