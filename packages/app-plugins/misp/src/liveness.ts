import { attributeTopic, heartbeatTopic } from "./receive.ts";
import type { Surroundings } from "./receive.ts";

/** MISP's heartbeats come every ten seconds: after six, a minute has passed without a single message. */
const heartbeatsBeforeHint = 6;
/** Milliseconds without any frame. Some MISP releases send no heartbeat, so this is a hint, not a failure. */
const silence = 60_000;

/** Listens to what arrives, and says what an operator would want to know when it does not. */
export interface Liveness {
  /** A frame came, with this topic if it has one. */
  heard(topic: string | undefined): void;
}

/** The setting of MISP that lets a topic through. */
export function switchOf(topic: string): string {
  if (topic === "misp_json") return "Plugin.ZeroMQ_enable";
  return `Plugin.ZeroMQ_${topic.replace("misp_json_", "")}_notifications_enable`;
}

/** @param topics those subscribed to */
export function watchLiveness(topics: readonly string[], { logger, clock, signal }: Surroundings): Liveness {
  // Attributes are what comes most; without them, any other topic shows that something comes.
  const wanted = topics.includes(attributeTopic) ? attributeTopic : topics[0];
  let frames = 0, heartbeats = 0, messages = 0, hinted = false;
  void watchSilence();
  return {
    heard(topic) {
      frames++;
      if (topic === wanted) messages++;
      if (topic !== heartbeatTopic || ++heartbeats < heartbeatsBeforeHint || messages > 0 || hinted || wanted === undefined) return;
      hinted = true;
      logger.warn(`MISP sends heartbeats but nothing of ${wanted}; is ${switchOf(wanted)} switched on?`);
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
