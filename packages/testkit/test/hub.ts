import { ThreatbusError, type Backbone, type ConfiguredBackbone, type Deliver, type Frame } from "@threatbus/core";

/** A broker within this process: hosts of one world see each other's frames. */
export interface Hub {
  create(world: string): ConfiguredBackbone;
}

/** Every host of a world, by its `deliver`. */
export type Worlds = Map<string, Set<Deliver>>;
export type Change = (backbone: Backbone, world: string, worlds: Worlds) => Backbone;

/** `change` may break each backbone. */
export function newHub(change: Change = (backbone) => backbone): Hub {
  const worlds: Worlds = new Map();
  return {
    create: (world) => ({ kind: "backbone", name: "hub", create: () => change(honest(world, worlds), world, worlds) }),
  };
}

function honest(world: string, worlds: Worlds): Backbone {
  const hosts = worlds.get(world) ?? new Set();
  worlds.set(world, hosts);
  const underWay = new Set<Promise<void>>();
  let mine: Deliver | undefined;
  return {
    async start(deliver, signal) {
      signal.throwIfAborted();
      mine = (frame) => {
        const delivery = deliver(frame).catch(() => undefined);
        underWay.add(delivery);
        return delivery.finally(() => underWay.delete(delivery));
      };
      hosts.add(mine);
    },
    async publish(frame) {
      if (mine === undefined) throw new ThreatbusError("BUS_NOT_RUNNING");
      for (const host of hosts) void host(frame);
    },
    async stop() {
      if (mine !== undefined) hosts.delete(mine);
      mine = undefined;
      await Promise.all(underWay);
    },
  };
}

/** A backbone that hands on other frames than it was given. */
export function delivering(backbone: Backbone, change: (frame: Frame, deliver: Deliver) => Promise<void>): Backbone {
  return { ...backbone, start: (deliver, signal) => backbone.start((frame) => change(frame, deliver), signal) };
}
