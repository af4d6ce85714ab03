import { backoff } from "@threatbus/core";
import type { Clock } from "@threatbus/core";
import { RestFault } from "./fault.ts";

export interface Patience {
  readonly clock: Clock;
  /** Ends the waiting; then the last fault is thrown. */
  readonly signal: AbortSignal;
  /** Default: any number of. */
  readonly attempts?: number;
  /** Told of each fault that is worth another try. */
  readonly onFault?: (fault: RestFault) => void;
}

/** Milliseconds between tries, at most, unless MISP names a time itself. */
const longestWait = 60_000;

/** Calls until it succeeds or fails for good, waiting between: what MISP says, else longer and longer. @throws RestFault */
export async function persist<T>(call: () => Promise<T>, { clock, signal, attempts = Infinity, onFault }: Patience): Promise<T> {
  const waits = backoff({ first: 500, cap: longestWait });
  for (let attempt = 1; ; attempt++) {
    try {
      return await call();
    } catch (thrown) {
      if (!(thrown instanceof RestFault) || !thrown.passes || attempt >= attempts || signal.aborted) throw thrown;
      onFault?.(thrown);
      await clock.sleep(Math.max(thrown.retryAfter ?? 0, waits.next()), signal);
      if (signal.aborted) throw thrown;
    }
  }
}
