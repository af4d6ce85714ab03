/** The whole loop: MISP's feed, a bus, the bridge, a Tenzir node, and back to MISP's API. All of it is real but MISP. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createBus, type ThreatBus } from "@threatbus/core";
import { inmem } from "@threatbus/inmem";
import { misp } from "@threatbus/misp";
import { needs, tenzir, type Tenzir } from "@threatbus/services";
import { fakeMisp, freePorts, mispFeed, type FakeMisp, type MispFeed } from "@threatbus/testkit";
import { zmq } from "@threatbus/zmq";
import { afterAll, beforeAll, expect, it } from "vitest";

const { describe } = await needs("tenzir");
const program = join(import.meta.dirname, "..", "..", "apps", "vast-bridge", "bin", "vast-threatbus.js");

describe("MISP, a bus, the bridge and Tenzir", () => {
  const folder = mkdtempSync(join(tmpdir(), "threatbus-loop-"));
  let node: Tenzir, feed: MispFeed, api: FakeMisp, bus: ThreatBus, bridge: ChildProcess;
  let said = "";

  const flow = (address: string): Promise<string> =>
    node.run("from_stdin { read_suricata } | import", `${JSON.stringify({ timestamp: "2026-03-04T05:06:07.891011+0000", event_type: "flow", src_ip: "192.0.2.1", dest_ip: address })}\n`);

  beforeAll(async () => {
    const [manage, pub, sub] = (await freePorts(3)) as [number, number, number];
    [node, feed] = await Promise.all([tenzir(), mispFeed()]);
    api = await fakeMisp({ feed });
    await flow("198.51.100.1");
    bus = createBus({
      backbones: [inmem()],
      apps: [zmq({ manage, pub, sub }), misp({ api: { host: api.url, key: api.key }, zmq: { host: "127.0.0.1", port: feed.port } })],
    });
    await bus.start();
    await feed.joined("misp_json_attribute");
    const config = { threatbus: `127.0.0.1:${manage}`, engine: "tenzir", live_match: true, retro_match: true, tenzir: { endpoint: node.endpoint, binary: node.binary } };
    writeFileSync(join(folder, "config.yaml"), JSON.stringify(config));
    bridge = spawn(process.execPath, [program], { cwd: folder, env: { PATH: process.env["PATH"], HOME: folder }, stdio: ["ignore", "ignore", "pipe"] });
    bridge.stderr?.on("data", (chunk: Buffer) => (said += chunk.toString()));
  });

  afterAll(async () => {
    if (bridge?.exitCode === null) {
      bridge.kill("SIGTERM");
      await once(bridge, "exit");
    }
    await bus?.stop();
    await Promise.all([api?.stop(), feed?.stop(), node?.stop()]);
    rmSync(folder, { recursive: true, force: true });
  });

  it("report what was seen before an indicator came, and what is seen afterwards", async () => {
    await expect.poll(() => said).toMatch(/the bus state="subscribed"/);
    await expect.poll(() => said).toContain("live matching has begun");
    const event = api.addEvent();
    const past = await api.add(event, { value: "198.51.100.1" });
    const coming = await api.add(event, { value: "198.51.100.2" });
    const sighted = (): number[] => [...new Set(api.library.sightings.map((sighting) => sighting.attribute_id))];
    await expect.poll(sighted).toEqual([past.id]);
    await flow("198.51.100.2");
    await expect.poll(sighted).toEqual([past.id, coming.id]);
  });
});
