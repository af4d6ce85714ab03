/** Frames remembered, and for how long, in milliseconds. */
const most = 100_000;
const longest = 600_000;

interface Entry {
  readonly outcome: Promise<void>;
  readonly at: number;
}

/** Tells frames that a backbone, or a second backbone, brings again. Ids are of transport: equal content sent twice is two frames. */
export class SeenFrames {
  readonly #entries = new Map<string, Entry>();

  /** What became of a frame that was here before; its promise may still be open. */
  outcome(id: string): Promise<void> | undefined {
    return this.#entries.get(id)?.outcome;
  }

  remember(id: string, outcome: Promise<void>, now: number): void {
    this.#entries.set(id, { outcome, at: now });
    for (const [oldest, { at }] of this.#entries) {
      if (this.#entries.size <= most && now - at <= longest) break;
      this.#entries.delete(oldest);
    }
  }

  forget(id: string): void {
    this.#entries.delete(id);
  }
}
