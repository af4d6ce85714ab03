import type { ThreatBus } from "@threatbus/core";
import { expect } from "vitest";

export interface Snapshot {
  readonly objects: Readonly<Record<string, unknown>>[];
  /** Answers that ended with an error. */
  readonly failed: number;
}

/** Asks a bus for the history of so many seconds, and waits for its end. @param type 1 indicators, 2 sightings */
export async function ask(bus: ThreatBus, type: 1 | 2, snapshot: number): Promise<Snapshot> {
  const objects: Readonly<Record<string, unknown>>[] = [];
  const before = bus.stats().snapshots;
  await bus.subscribe(type === 1 ? "stix2/indicator" : "stix2/sighting", ({ body }) => void objects.push(body as unknown as Readonly<Record<string, unknown>>), { snapshot });
  const ended = (): number => bus.stats().snapshots.answered + bus.stats().snapshots.failed - before.answered - before.failed;
  await expect.poll(ended).toBe(1);
  await expect.poll(() => bus.stats().snapshots.sent - before.sent - objects.length).toBe(0);
  return { objects, failed: bus.stats().snapshots.failed - before.failed };
}
