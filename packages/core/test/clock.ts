import type { Clock } from "../src/index.ts";

/** A clock that a test moves. (The testkit's would be a circle: it needs core.) */
export function clockInHand(): Clock & { advance(ms: number): Promise<void> } {
  const sleepers = new Set<{ readonly due: number; readonly wake: () => void }>();
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  let now = Date.UTC(2026, 0, 1);
  return {
    now: () => now,
    sleep: (ms, signal) => new Promise((resolve) => {
      const wake = (): void => {
        sleepers.delete(sleeper);
        signal?.removeEventListener("abort", wake);
        resolve();
      };
      const sleeper = { due: now + ms, wake };
      sleepers.add(sleeper);
      signal?.addEventListener("abort", wake);
      if (signal?.aborted === true) wake();
    }),
    async advance(ms) {
      const until = now + ms;
      await turn();
      for (;;) {
        const next = [...sleepers].sort((a, b) => a.due - b.due)[0];
        if (next === undefined || next.due > until) break;
        now = next.due;
        next.wake();
        await turn();
      }
      now = until;
    },
  };
}
