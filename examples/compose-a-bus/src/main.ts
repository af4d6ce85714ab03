import { randomUUID } from "node:crypto";
import { createBus, defineApp, message, pointIndicators } from "@threatbus/core";
import { inmem } from "@threatbus/inmem";

const common = { spec_version: "2.1", created: "2026-11-21T12:00:00Z", modified: "2026-11-21T12:00:00Z" } as const;
const contacted = new Set(["198.51.100.7", "203.0.113.9"]);

const firewall = defineApp({
  name: "firewall",
  create: () => ({
    async start(bus) {
      await bus.subscribe("stix2/indicator", async ({ body }) => {
        if (typeof body === "string" || body.type !== "indicator") return;
        if (!pointIndicators(body.pattern)?.some(({ value }) => contacted.has(value))) return;
        await bus.publish(message({ ...common, type: "sighting", id: `sighting--${randomUUID()}`, sighting_of_ref: body.id }));
      });
    },
    async stop() {},
  }),
});

const bus = createBus({ backbones: [inmem()], apps: [firewall()] });
await bus.start();
await bus.subscribe("stix2/", ({ topic, body }) => console.log(topic, typeof body === "object" && "pattern" in body ? body.pattern : ""));
for (const pattern of ["[ipv4-addr:value = '198.51.100.7']", "[ipv4-addr:value = '192.0.2.1']"])
  await bus.publish(message({ ...common, type: "indicator", id: `indicator--${randomUUID()}`, valid_from: common.created, pattern, pattern_type: "stix" }));
await bus.stop();
console.log(`${bus.stats().published} published, ${bus.stats().ended.delivered} deliveries`);
