import { appendFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { MetricSet, silentLogger, systemClock } from "@threatbus/core";
import { needsReference, reference } from "@threatbus/services";
import { freePort } from "@threatbus/testkit";
import { describe, expect, onTestFinished, test } from "vitest";
import { BusLink } from "../src/bus-link.ts";
import { findingOf, sightingOf } from "../src/sighting.ts";
import type { Finding } from "../src/sighting.ts";
import { site, vast } from "./grounds.ts";
import { eventually, indicator } from "./program.ts";

const dns = { ts: "2026-01-02T19:08:01.310448000", uid: "C1", query: "evil.example", "id.orig_h": "10.0.0.5" };

describe("the bridge, a bus and a tool", () => {
  test("finds what was and what comes, tells the whole of it, and ends with what is taken back", async () => {
    await site.bus();
    const { client, sightings } = await site.client();
    vast.events(dns, { ...dns, query: "good.example" });
    const bridge = await site.running(site.bridge({ vast_binary: vast.binary, live_match: true, matcher_name: "m" }));
    const evil = indicator(1, "[domain-name:value = 'evil.example']");
    await client.publish(evil);
    await eventually(() => sightings.length).toBe(1);
    expect(sightings[0]).toMatchObject({
      type: "sighting",
      last_seen: "2026-01-02T19:08:01.310448Z",
      sighting_of_ref: evil.id,
      x_threatbus_indicator: evil,
      x_threatbus_match_type: "RETRO",
      x_threatbus_sighting_context: dns,
      x_threatbus_source: "VAST",
    });
    await eventually(() => vast.told).toEqual([{ add: "evil.example", context: `threatbus__${evil.id}` }]);
    await eventually(() => vast.watching).toBe(1);
    const now = { ...dns, ts: "2026-11-01T00:00:00" };
    vast.happens(now);
    await eventually(() => sightings.length).toBe(2);
    expect(sightings[1]).toMatchObject({
      last_seen: "2026-11-01T00:00:00Z", sighting_of_ref: evil.id, x_threatbus_indicator: evil, x_threatbus_indicator_value: "evil.example", x_threatbus_match_type: "LIVE",
      x_threatbus_sighting_context: now, x_threatbus_match: { schema: "zeek.dns" },
    });
    await client.publish({ ...evil, x_threatbus_update: "REMOVE" });
    await eventually(() => vast.told.at(-1)).toEqual({ remove: "evil.example" });
    expect(await bridge.kill("SIGTERM")).toEqual({ code: 0, signal: null });
    expect(bridge.stderr).toContain("stopped");
  });
});

describe("the bridge, a bus and log files", () => {
  const log = (): string => join(site.folder, "dns.log");
  const line = (event: object): string => `${JSON.stringify(event)}\n`;
  const options = { engine: "logs", live_match: true };

  test("an indicator is found in a file that is there and in lines appended to it, and a killed bridge goes on where it was", async () => {
    await site.bus();
    const { client, sightings } = await site.client();
    // Killed before it knew that a sighting had arrived, the bridge sends it again.
    const seen = () => [...new Map(sightings.map((one) => [one.id, one])).values()];
    writeFileSync(log(), line(dns) + line({ ...dns, query: "good.example" }));
    const first = await site.running(site.bridge({ ...options, logs: { files: [log()] } }));
    await eventually(() => first.stderr).toContain("live matching has begun");
    const evil = indicator(1, "[domain-name:value = 'evil.example']");
    await client.publish(evil);
    await eventually(seen).toHaveLength(1);
    expect(seen()[0]).toMatchObject({
      last_seen: "2026-01-02T19:08:01.310448Z", sighting_of_ref: evil.id, x_threatbus_indicator: evil, x_threatbus_match_type: "RETRO", x_threatbus_sighting_context: dns,
      x_threatbus_source: "logs", x_threatbus_match: { value: "evil.example", kind: "domain", field: "query", schema: "zeek.dns" },
    });

    const now = { ...dns, ts: "2026-11-01T00:00:00Z", query: "EVIL.example" };
    appendFileSync(log(), line({ ...now, query: "good.example" }) + line(now));
    await eventually(seen).toHaveLength(2);
    expect(seen()[1]).toMatchObject({
      last_seen: "2026-11-01T00:00:00Z", sighting_of_ref: evil.id, x_threatbus_indicator: evil, x_threatbus_match_type: "LIVE", x_threatbus_sighting_context: now,
    });

    await first.kill("SIGKILL");
    const missed = { ...now, ts: "2026-11-02T00:00:00Z" };
    appendFileSync(log(), line(missed));
    const second = await site.running(site.bridge({ ...options, logs: { files: [log()] } }));
    await eventually(seen).toHaveLength(3);
    expect(seen()[2]).toMatchObject({ last_seen: "2026-11-02T00:00:00Z", sighting_of_ref: evil.id, x_threatbus_match_type: "LIVE", x_threatbus_sighting_context: missed });

    // What was taken back is not found any more; the other, in the line behind, tells that it was read.
    const other = indicator(2, "[domain-name:value = 'other.example']");
    await client.publish({ ...evil, x_threatbus_update: "REMOVE" });
    await client.publish(other);
    appendFileSync(log(), line({ ...dns, ts: "2026-11-03T00:00:00Z", query: "other.example" }));
    await eventually(seen).toHaveLength(4);
    appendFileSync(log(), line({ ...now, ts: "2026-11-04T00:00:00Z" }) + line({ ...dns, ts: "2026-11-05T00:00:00Z", query: "other.example" }));
    await eventually(seen).toHaveLength(5);
    expect(seen().slice(3).map(({ sighting_of_ref }) => sighting_of_ref)).toEqual([other.id, other.id]);
    expect(await second.kill("SIGTERM")).toEqual({ code: 0, signal: null });
    expect(second.stderr).toMatch(/stopped searches=0 sightings=0/);
  });
});

const python = await needsReference();
python.describe("the bridge and the Python Threat Bus", () => {
  async function oldBus(): Promise<void> {
    const [manage, pub, sub] = site.ports;
    const config = `logging: {console: true, console_verbosity: DEBUG, file: false}\nplugins:\n  backbones: {inmem: {}}\n  apps:\n    zmq: {host: "127.0.0.1", manage: ${manage}, pub: ${pub}, sub: ${sub}}\n`;
    const bus = await reference({ config, manage: manage as number });
    onTestFinished(() => bus.stop());
  }

  test("an old bus is joined as well: sightings go to it, and are known to have arrived", async () => {
    await oldBus();
    const { client, sightings } = await site.client();
    vast.events(dns);
    const port = await freePort();
    const bridge = await site.running(site.bridge({ vast_binary: vast.binary, metrics: { port } }));
    const evil = indicator(1, "[domain-name:value = 'evil.example']");
    await client.publish(evil);
    await expect.poll(async () => (await fetch(`http://127.0.0.1:${port}/metrics`)).text()).toContain("vast_threatbus_sightings_delivered_total 1\n");
    await eventually(() => sightings[0]).toMatchObject({ sighting_of_ref: evil.id, last_seen: "2026-01-02T19:08:01.310448Z", x_threatbus_match_type: "RETRO", x_threatbus_sighting_context: dns });
    expect(await bridge.kill("SIGTERM")).toEqual({ code: 0, signal: null });
    expect(bridge.stderr).toMatch(/stopped searches=0 sightings=0/);
    expect(new Set(sightings.map(({ id }) => id)).size).toBe(1);
  });

  test("an old bus writes a time with fewer digits, and the sighting is known to have arrived all the same", async () => {
    await oldBus();
    const link = new BusLink({ host: "127.0.0.1", port: site.ports[0] as number, snapshot: 0, reports: true }, { clock: systemClock, logger: silentLogger, metrics: new MetricSet() }, () => undefined);
    onTestFinished(() => link.close());
    link.start();
    await eventually(() => link.connected).toBe(true);
    const evil = indicator(1, "[domain-name:value = 'evil.example']");
    const finding = findingOf({ observable: { kind: "domain", value: "evil.example" }, event: dns }, "LIVE") as Finding;
    const report = sightingOf(finding, evil, "test", "2026-11-26T21:56:52.160Z");
    expect(await link.deliver([report])).toEqual({ outcome: "kept" });
  });
});
