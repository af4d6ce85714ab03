/** Something to wait for: whoever changes the state calls `notify`, whoever waits is woken when its test holds. */
export class Condition {
  readonly #waiting = new Set<() => void>();

  notify(): void {
    for (const check of [...this.#waiting]) check();
  }

  /** Resolves with true once `test` holds, with false after `ms` milliseconds; without `ms` it waits for ever. */
  until(test: () => boolean, ms?: number): Promise<boolean> {
    if (test()) return Promise.resolve(true);
    return new Promise((resolve) => {
      const settle = (held: boolean): void => {
        clearTimeout(timer);
        this.#waiting.delete(check);
        resolve(held);
      };
      const check = (): void => {
        if (test()) settle(true);
      };
      const timer = ms === undefined ? undefined : setTimeout(settle, ms, false);
      this.#waiting.add(check);
    });
  }
}
