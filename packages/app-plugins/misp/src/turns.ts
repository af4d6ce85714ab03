/** Pieces that may be under way at once. A broker takes its time to confirm each. */
const window = 1_000;

/**
 * Lets work begin in the order it came, each piece as soon as all before it have begun and none of those under way is about the same. What is
 * about everything waits for all before it, and lets nothing begin beside it.
 */
export class Turns {
  readonly #underWay = new Set<string>();
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;
  #wake: (() => void) | undefined;

  /** Some work has not begun: whoever can wait with more, should. */
  get crowded(): boolean {
    return this.#waiting > 0;
  }

  /**
   * Resolves, or rejects, as the work does.
   * @param about what no other work must be about meanwhile; `""`: everything
   */
  take<T>(about: string, work: () => Promise<T>): Promise<T> {
    if (this.#waiting === 0 && this.#free(about)) return this.#begin(about, work);
    this.#waiting++;
    const turn = this.#last.then(async () => {
      while (!this.#free(about)) await new Promise<void>((resolve) => (this.#wake = resolve));
      this.#waiting--;
      return { done: this.#begin(about, work) };
    });
    this.#last = turn.catch(() => undefined);
    return turn.then(({ done }) => done);
  }

  #free(about: string): boolean {
    const { size } = this.#underWay;
    return size === 0 || (about !== "" && size < window && !this.#underWay.has("") && !this.#underWay.has(about));
  }

  #begin<T>(about: string, work: () => Promise<T>): Promise<T> {
    const done = work();
    this.#underWay.add(about);
    const settle = (): void => {
      this.#underWay.delete(about);
      this.#wake?.();
      this.#wake = undefined;
    };
    done.then(settle, settle);
    return done;
  }
}
