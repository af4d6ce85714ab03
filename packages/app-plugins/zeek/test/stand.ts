import { createBus, message, systemClock } from "@threatbus/core";
import type { Message, ThreatBus } from "@threatbus/core";
import { inmem } from "@threatbus/inmem";
import { type FakeHost, fakeHost, freePort } from "@threatbus/testkit";
import type { Sighting } from "stix2-ts-types";
import { onTestFinished } from "vitest";
import { zeek } from "../src/index.ts";

export type Options = Exclude<Parameters<typeof zeek>[0], undefined>;

export interface Stand {
  readonly bus: ThreatBus;
  /** Where it listens for native peers. */
  readonly port: number;
  /** What the plugin logged and counted. */
  readonly host: FakeHost<typeof systemClock>;
  /** Sightings that came over the bus. */
  readonly sightings: Sighting[];
}

/** A bus with the plugin in it, ended with the test. */
export async function stand(options: Options = {}): Promise<Stand> {
  const port = options.port ?? (await freePort());
  const host = fakeHost({ clock: systemClock });
  const plugin = zeek({ port, ...options });
  const watched = { ...plugin, create: (real: typeof host) => plugin.create({ ...real, logger: host.logger, metrics: host.metrics }) } as typeof plugin;
  const bus = createBus({ backbones: [inmem()], apps: [watched], logger: host.logger, drainTimeout: 5_000 });
  await bus.start();
  onTestFinished(async () => void (await bus.stop().catch(() => undefined)));
  const sightings: Sighting[] = [];
  await bus.subscribe("stix2/sighting", ({ body }) => void sightings.push(body as Sighting), { name: "watcher" });
  return { bus, port, host, sightings };
}

export const created = "2024-05-01T10:00:00.123Z";

export function idOf(n: number): `indicator--${string}` {
  return `indicator--00000000-0000-4000-8000-${n.toString(16).padStart(12, "0")}`;
}

/** An indicator with a number for an id; `more` replaces properties. */
export function indicator(n: number, pattern = `[ipv4-addr:value = '10.${(n >> 16) & 255}.${(n >> 8) & 255}.${n & 255}']`, more: Readonly<Record<string, unknown>> = {}): Message {
  return message({
    type: "indicator", spec_version: "2.1", id: idOf(n), created, modified: created, pattern, pattern_type: "stix", valid_from: created, indicator_types: ["malicious-activity"], ...more,
  } as never);
}
