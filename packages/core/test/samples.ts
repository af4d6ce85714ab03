import { randomUUID } from "node:crypto";
import { defineApp, defineBackbone } from "../src/index.ts";
import type { App, Bus, ConfiguredApp, ConfiguredBackbone, Deliver, Frame, Host } from "../src/index.ts";
import type { Indicator, Sighting } from "stix2-ts-types";

const time = "2024-05-01T12:00:00.000Z";

export function indicator(value = "198.51.100.7", more: Partial<Indicator> & Record<string, unknown> = {}): Indicator {
  return {
    type: "indicator", spec_version: "2.1", id: `indicator--${randomUUID()}`, created: time, modified: time,
    pattern: `[ipv4-addr:value = '${value}']`, pattern_type: "stix", valid_from: time, ...more,
  };
}

export function sighting(of: Indicator, more: Partial<Sighting> & Record<string, unknown> = {}): Sighting {
  return { type: "sighting", spec_version: "2.1", id: `sighting--${randomUUID()}`, created: time, modified: time, sighting_of_ref: of.id, ...more };
}

export function bytes(value: unknown): Uint8Array {
  return Buffer.from(typeof value === "string" ? value : JSON.stringify(value));
}

/** A frame as another host would send it: bytes only. */
export function frame(value: unknown, id = "", topic = "stix2/indicator"): Frame {
  return { topic, id, payload: bytes(value) };
}

/** The smallest backbone, with the host's `deliver` in the test's hands. */
export function loop(name = "loop"): { plugin: ConfiguredBackbone; deliver: Deliver; calls: string[] } {
  const held: { plugin: ConfiguredBackbone; deliver: Deliver; calls: string[] } = {
    deliver: () => Promise.reject(new Error("not started")),
    calls: [],
    plugin: defineBackbone({
      name,
      create: () => ({
        async start(deliver) {
          held.deliver = deliver;
        },
        async publish(published) {
          void held.deliver(published).catch(() => undefined);
        },
        async subscribe(prefix) {
          held.calls.push(`+${prefix}`);
        },
        async unsubscribe(prefix) {
          held.calls.push(`-${prefix}`);
        },
        async stop() {
          held.calls.push("stop");
        },
      }),
    })(),
  };
  return held;
}

/** An app made of whatever parts a test needs. */
export function app(name: string, parts: Partial<App>, onCreate: (host: Host) => void = () => undefined): ConfiguredApp {
  return defineApp({
    name,
    create(_options, host) {
      onCreate(host);
      return { start: async (_bus: Bus) => undefined, stop: async () => undefined, ...parts };
    },
  })();
}

/** A promise with its ends in hand. */
export function gate(): { opened: Promise<void>; open: () => void } {
  let open: () => void = () => undefined;
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { opened, open };
}

/** How many times as much as usual the tests that scale do. */
export const scale = Number(process.env["THREATBUS_TEST_SCALE"] ?? 1);
