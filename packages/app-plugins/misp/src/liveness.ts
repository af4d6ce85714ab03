import { attributeTopic, heartbeatTopic } from "./receive.ts";
import type { Surroundings } from "./receive.ts";

/** MISP's heartbeats come every ten seconds: after six, a minute has passed without a single attribute. */
const heartbeatsBeforeHint = 6;
/** Milliseconds without any frame. Some MISP releases send no heartbeat, so this is a hint, not a failure. */
const silence = 60_000;

/** Listens to what arrives, and says what an operator would want to know when it does not. */
export interface Liveness {
  /** A frame came, with this topic if it has one. */
  heard(topic: string | undefined): void;
}

export function watchLiveness({ logger, clock, signal }: Surroundings): Liveness {
  let frames = 0, heartbeats = 0, attributes = 0, hinted = false;
  void watchSilence();
  return {
    heard(topic) {
      frames++;
      if (topic === attributeTopic) attributes++;
      if (topic !== heartbeatTopic || ++heartbeats < heartbeatsBeforeHint || attributes > 0 || hinted) return;
      hinted = true;
      logger.warn("MISP sends heartbeats but no attributes; is Plugin.ZeroMQ_attribute_notifications_enable switched on?");
    },
  };

  async function watchSilence(): Promise<void> {
    let before = 0, silent = false;
    while (!signal.aborted) {
      await clock.sleep(silence, signal);
      if (signal.aborted) return;
      if (frames === before && !silent) logger.warn("nothing heard from MISP for a minute, not even a heartbeat");
      if (frames !== before && silent) logger.info("MISP is heard again");
      silent = frames === before;
      before = frames;
    }
  }
}
