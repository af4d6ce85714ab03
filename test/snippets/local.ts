import { EventEmitter } from "node:events";
import { ThreatbusError, defineBackbone, reasonOf } from "@threatbus/core";
import type { BackbonePlugin, Deliver, Frame } from "@threatbus/core";
import { z } from "zod";

const options = z.strictObject({ hub: z.instanceof(EventEmitter) });

/** Hosts of one process with one hub see each other's frames. */
export const local: BackbonePlugin<z.input<typeof options>> = defineBackbone({
  name: "local",
  options,
  create({ hub }, { logger }) {
    const underWay = new Set<Promise<void>>();
    let deliver: Deliver | undefined;
    const hear = (frame: Frame): void => {
      const delivery = deliver?.(frame).catch((thrown: unknown) => logger.warn("a frame was not taken", { id: frame.id, reason: reasonOf(thrown) }));
      if (delivery === undefined) return;
      underWay.add(delivery);
      void delivery.finally(() => underWay.delete(delivery));
    };
    return {
      async start(toHost, signal) {
        signal.throwIfAborted();
        deliver = toHost;
        hub.on("frame", hear);
      },
      async publish(frame) {
        if (deliver === undefined) throw new ThreatbusError("BUS_NOT_RUNNING");
        hub.emit("frame", frame);
      },
      async stop() {
        deliver = undefined;
        hub.off("frame", hear);
        await Promise.all(underWay);
      },
    };
  },
});
export default local;
