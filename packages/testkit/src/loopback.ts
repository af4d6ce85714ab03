import { ThreatbusError, defineBackbone, type ConfiguredBackbone, type Deliver } from "@threatbus/core";

/** The smallest backbone: what is published comes back. Every call makes one of its own. */
export function loopback(): ConfiguredBackbone {
  return configure();
}

const configure = defineBackbone({
  name: "loopback",
  create() {
    const underWay = new Set<Promise<void>>();
    let deliver: Deliver | undefined;
    return {
      async start(toHost, signal) {
        signal.throwIfAborted();
        deliver = toHost;
      },
      async publish(frame) {
        if (deliver === undefined) throw new ThreatbusError("BUS_NOT_RUNNING");
        const delivery = deliver(frame).catch(() => undefined);
        underWay.add(delivery);
        void delivery.then(() => underWay.delete(delivery));
      },
      async stop() {
        deliver = undefined;
        await Promise.all(underWay);
      },
    };
  },
});
