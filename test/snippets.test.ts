import { EventEmitter } from "node:events";
import { createBus, message, silentLogger } from "@threatbus/core";
import type { Body } from "@threatbus/core";
import { inmem } from "@threatbus/inmem";
import { appSuite, backboneSuite } from "@threatbus/testkit";
import type { Sighting } from "stix2-ts-types";
import { describe, expect, it } from "vitest";
import { journal } from "./snippets/journal.ts";
import { local } from "./snippets/local.ts";
import { readText } from "./workspace.ts";

describe("what docs/contract.md shows", () => {
  it.each(["local", "journal"])("is the %s that is tested here", (name) => {
    expect(readText("docs", "contract.md")).toContain(`\`\`\`ts\n${readText("test", "snippets", `${name}.ts`)}\`\`\``);
  });

  it("is what the README shows, for a bus composed in code", () => {
    expect(readText("README.md")).toContain(`\`\`\`ts\n${readText("examples", "compose-a-bus", "src", "main.ts")}\`\`\``);
  });

  it("keeps sightings for who comes late", async () => {
    const bus = createBus({ backbones: [inmem()], apps: [journal({ max_items: 2 })], logger: silentLogger });
    await bus.start();
    const now = new Date().toISOString() as Sighting["created"];
    const id = (n: number) => `sighting--0190a6a4-0000-7000-8000-00000000000${n}` as const;
    const sighting = (n: number) => message({ type: "sighting", spec_version: "2.1", id: id(n), created: now, modified: now, sighting_of_ref: `indicator--0190a6a4-0000-7000-8000-000000000000` });
    for (const n of [1, 2, 3]) await bus.publish(sighting(n));
    const seen: Body[] = [];
    await bus.subscribe("stix2/sighting", ({ body }) => void seen.push(body), { snapshot: 3_600 });
    await expect.poll(() => seen).toMatchObject([{ id: id(2) }, { id: id(3) }]);
    await bus.stop();
  });
});

const hubs = new Map<string, EventEmitter>();
backboneSuite({
  name: "local",
  create(world) {
    const hub = hubs.get(world) ?? new EventEmitter();
    hubs.set(world, hub);
    return local({ hub });
  },
});

appSuite({
  name: "journal",
  create: () => journal(),
  invalid: [() => journal({ max_items: 0 })],
  cannot: { "names itself when it cannot start": "it opens nothing, so nothing can fail" },
});
