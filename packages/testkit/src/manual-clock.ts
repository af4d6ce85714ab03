import type { Clock } from "@threatbus/core";

/** Stands still until the test moves it. */
export interface ManualClock extends Clock {
  /** Sleepers not yet woken. */
  readonly sleeping: number;
  /**
   * Moves time on by `ms`, waking sleepers in the order they are due. After each, whatever it set off runs first, so that one who
   * goes back to sleep is woken again within the same span.
   */
  advance(ms: number): Promise<void>;
}

interface Sleeper {
  readonly due: number;
  readonly wake: () => void;
}

/** `start` in milliseconds since 1970-01-01 UTC; default 2024-01-01. */
export function manualClock(start: number = Date.UTC(2024, 0, 1)): ManualClock {
  const sleepers = new Set<Sleeper>();
  let now = start;

  function next(until: number): Sleeper | undefined {
    let first: Sleeper | undefined;
    for (const sleeper of sleepers) if (sleeper.due <= until && (first === undefined || sleeper.due < first.due)) first = sleeper;
    return first;
  }

  return {
    now: () => now,
    sleep(ms, signal) {
      if (ms <= 0 || signal?.aborted === true) return Promise.resolve();
      return new Promise((resolve) => {
        const sleeper: Sleeper = {
          due: now + ms,
          wake: () => {
            sleepers.delete(sleeper);
            signal?.removeEventListener("abort", sleeper.wake);
            resolve();
          },
        };
        signal?.addEventListener("abort", sleeper.wake);
        sleepers.add(sleeper);
      });
    },
    get sleeping() {
      return sleepers.size;
    },
    async advance(ms) {
      const until = now + ms;
      await settled();
      for (let sleeper = next(until); sleeper !== undefined; sleeper = next(until)) {
        now = sleeper.due;
        sleeper.wake();
        await settled();
      }
      now = until;
    },
  };
}

/** Every promise already on its way has run. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
