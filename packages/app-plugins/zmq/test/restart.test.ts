import { createBus, silentLogger } from "@threatbus/core";
import { inmem } from "@threatbus/inmem";
import { expect, it } from "vitest";
import { zmq } from "../src/index.ts";
import { freePorts, OldApp, scale } from "./stand.ts";

it("has its ports again as soon as it has stopped", async () => {
  const ports = await freePorts();
  for (let n = 0; n < 50 * scale; n++) {
    const bus = createBus({ backbones: [inmem()], apps: [zmq(ports)], logger: silentLogger });
    await bus.start();
    if (n % 10 === 0) expect(await new OldApp(ports).subscribe("stix2/")).toHaveLength(32);
    await bus.stop();
  }
});
