/** Messages that the bus numbered for this subscription and that never came. */
export interface Gap {
  /** Number of the last message before it; 0 if the first ones are missing. */
  readonly after: number;
  /** Number of the first message behind it. */
  readonly before: number;
  readonly missing: number;
}

/** Follows the numbers of one grant, which begin at 1. */
export class Sequence {
  #last = 0;

  observe(number: number): Gap | undefined {
    const after = this.#last;
    if (number <= after) return undefined;
    this.#last = number;
    return number === after + 1 ? undefined : { after, before: number, missing: number - after - 1 };
  }
}
