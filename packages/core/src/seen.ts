/** Frames and milliseconds after which a new generation begins. */
const most = 100_000;
const longest = 600_000;
/** Characters of the longest id kept: ids come from outside. */
const longestId = 128;

type Generation = Map<string, Promise<void>>;

/**
 * Tells frames that a backbone, or a second backbone, brings again: the last 100,000 at least. Ids are of transport: equal content sent
 * twice is two frames. Forgets by generations, since a map from which the oldest is deleted again and again grows slow.
 */
export class SeenFrames {
  #young: Generation = new Map();
  #old: Generation = new Map();
  #since = 0;

  /** What became of a frame that was here before; its promise may still be open. */
  outcome(id: string): Promise<void> | undefined {
    return this.#young.get(id) ?? this.#old.get(id);
  }

  /** Remembers a frame, if it has an id. */
  remember(id: string, outcome: Promise<void>, now: number): void {
    if (id === "" || id.length > longestId) return;
    if (this.#young.size >= most || now - this.#since > longest) {
      this.#old = this.#young;
      this.#young = new Map();
      this.#since = now;
    }
    this.#young.set(id, outcome);
  }
}
