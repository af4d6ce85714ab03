import { defineApp } from "@threatbus/core";
import type { AppPlugin } from "@threatbus/core";
import type { Sighting } from "stix2-ts-types";
import { z } from "zod";

const options = z.strictObject({ max_items: z.int().min(1).default(1_000).describe("Sightings to keep.") });

/** Keeps the latest sightings, for subscribers that come late. */
export const journal: AppPlugin<z.input<typeof options>> = defineApp({
  name: "journal",
  options,
  create({ max_items }, host) {
    const kept: Sighting[] = [];
    return {
      async start(bus) {
        await bus.subscribe("stix2/sighting", ({ body }) => {
          if (typeof body === "string" || body.type !== "sighting") return;
          kept.push(body);
          if (kept.length > max_items) kept.shift();
        });
      },
      async *snapshot({ snapshot_type, snapshot }, signal) {
        if (snapshot_type !== 2) return;
        const since = host.clock.now() - snapshot * 1000;
        for (const sighting of [...kept]) {
          if (signal.aborted) return;
          if (Date.parse(sighting.modified) >= since) yield sighting;
        }
      },
      async stop() {
        kept.length = 0;
      },
    };
  },
});
export default journal;
