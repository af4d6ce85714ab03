import { ThreatbusError, defineBackbone } from "@threatbus/core";
import type { Backbone, BackbonePlugin, Deliver } from "@threatbus/core";

/**
 * Moves frames within one process. Every frame a subscription matches is in its queue before `publish` resolves; frames still queued
 * when the process dies are lost (at most once across a crash, nothing lost in a graceful stop).
 */
export const inmem: BackbonePlugin<Record<never, never>> = defineBackbone({ name: "inmem", create: createInmem });
export default inmem;

function createInmem(): Backbone {
  let deliver: Deliver | undefined;
  let inFlight = 0;
  let waiting: (() => void)[] = [];
  const done = (): void => {
    if (--inFlight > 0) return;
    for (const settled of waiting) settled();
    waiting = [];
  };
  return {
    async start(toHost, signal) {
      signal.throwIfAborted();
      deliver = toHost;
    },
    async publish(frame) {
      if (deliver === undefined) throw new ThreatbusError("BUS_NOT_RUNNING", "the backbone is not started");
      // The queues have it now. Who waits for it to be handled is `stop`, not the publisher: a slow subscriber is slow alone.
      inFlight++;
      deliver(frame).then(done, done);
    },
    async stop() {
      deliver = undefined;
      if (inFlight > 0) await new Promise<void>((resolve) => waiting.push(resolve));
    },
  };
}
