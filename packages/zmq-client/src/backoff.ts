const firstWait = 200, longestWait = 5_000;

/** Waits between attempts, in milliseconds: 200, 400 … 5,000, each shortened by up to half so that many clients do not return at once. */
export class Backoff {
  #wait = firstWait;

  next(): number {
    const wait = this.#wait;
    this.#wait = Math.min(wait * 2, longestWait);
    return wait - Math.floor((wait / 2) * Math.random());
  }

  reset(): void {
    this.#wait = firstWait;
  }
}
