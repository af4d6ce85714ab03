import type { Surroundings } from "./receive.ts";

/** MISP's heartbeats come every ten seconds: after six, a minute has passed without a single attribute. */
const heartbeatsBeforeHint = 6;
/** Milliseconds without any frame. Some MISP releases send no heartbeat, so this is a hint, not a failure. */
const silence = 60_000;

/** Listens to what arrives, and says what an operator would want to know when it does not. */
export interface Liveness {
  attribute(): void;
  heartbeat(): void;
}

export function watchLiveness({ logger, clock, signal }: Surroundings): Liveness {
  let heard = 0, heartbeats = 0, attributes = 0, hinted = false;
  void watchSilence();
  return {
    attribute() {
      heard++;
      attributes++;
    },
    heartbeat() {
      heard++;
      heartbeats++;
      if (attributes > 0 || hinted || heartbeats < heartbeatsBeforeHint) return;
      hinted = true;
      logger.warn("MISP sends heartbeats but no attributes; is Plugin.ZeroMQ_attribute_notifications_enable switched on?");
    },
  };

  async function watchSilence(): Promise<void> {
    let before = 0, silent = false;
    while (!signal.aborted) {
      await clock.sleep(silence, signal);
      if (signal.aborted) return;
      if (heard === before && !silent) logger.warn("nothing heard from MISP for a minute, not even a heartbeat");
      if (heard !== before && silent) logger.info("MISP is heard again");
      silent = heard === before;
      before = heard;
    }
  }
}
