interface Due {
  readonly id: string;
  /** Nanoseconds since 1970-01-01 UTC. */
  readonly until: bigint;
}

/** Indicators by their end, as a heap: the first to end is on top. One may stand in it several times: only the end it has by now counts. */
export class Expiring {
  readonly #heap: Due[] = [];

  get size(): number {
    return this.#heap.length;
  }

  clear(): void {
    this.#heap.length = 0;
  }

  put(id: string, until: bigint): void {
    const heap = this.#heap;
    let at = heap.push({ id, until }) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if ((heap[parent] as Due).until <= until) break;
      [heap[at], heap[parent]] = [heap[parent] as Due, heap[at] as Due];
      at = parent;
    }
  }

  take(now: bigint): Due | undefined {
    const heap = this.#heap;
    const top = heap[0];
    if (top === undefined || top.until > now) return undefined;
    const last = heap.pop() as Due;
    if (heap.length > 0) this.#sink(last);
    return top;
  }

  #sink(entry: Due): void {
    const heap = this.#heap;
    let at = 0;
    for (;;) {
      const left = 2 * at + 1;
      const child = left + 1 < heap.length && (heap[left + 1] as Due).until < (heap[left] as Due).until ? left + 1 : left;
      if (child >= heap.length || (heap[child] as Due).until >= entry.until) break;
      heap[at] = heap[child] as Due;
      at = child;
    }
    heap[at] = entry;
  }
}
