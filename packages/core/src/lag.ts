import type { Clock } from "./contract.ts";
import type { ActiveSubscription } from "./subscription.ts";

/** Milliseconds between two looks. */
const interval = 1_000;

/** Sees to it that no subscription holds up its broker for longer than its `ackHold`, until the signal fires. */
export async function watchLag(subscriptions: Iterable<ActiveSubscription>, clock: Clock, signal: AbortSignal): Promise<void> {
  for (await clock.sleep(interval, signal); !signal.aborted; await clock.sleep(interval, signal)) {
    for (const subscription of subscriptions) subscription.ackOverdue(clock.now());
  }
}
