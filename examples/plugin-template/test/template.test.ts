import { once } from "node:events";
import { connect } from "node:net";
import type { Socket } from "node:net";
import { createBus, message, silentLogger } from "@threatbus/core";
import type { Message, ThreatBus } from "@threatbus/core";
import { inmem } from "@threatbus/inmem";
import { appSuite, expectBalanced, freePort } from "@threatbus/testkit";
import type { Indicator } from "stix2-ts-types";
import { afterEach, beforeEach, expect, it } from "vitest";
import { template } from "../src/index.ts";

appSuite({
  name: "template",
  create: async () => template({ port: await freePort() }),
  invalid: [() => template({ port: 80_000 }), () => template({ prot: 1 } as object)],
});

const time = "2026-11-21T12:00:00Z";
const indicator = (n: number, value: string, update?: "REMOVE"): Indicator => ({
  type: "indicator",
  spec_version: "2.1",
  id: `indicator--0190a6a4-0000-7000-8000-00000000000${n}`,
  created: time,
  modified: time,
  valid_from: time,
  pattern: `[domain-name:value = '${value}']`,
  pattern_type: "stix",
  ...(update === undefined ? {} : { x_threatbus_update: update }),
});

let bus: ThreatBus;
let port: number;
let sightings: Message[];
const tools: Socket[] = [];

beforeEach(async () => {
  port = await freePort();
  bus = createBus({ backbones: [inmem()], apps: [template({ port, max_indicators: 2 })], logger: silentLogger });
  await bus.start();
  sightings = [];
  await bus.subscribe("stix2/sighting", (sighting) => void sightings.push(sighting));
});

afterEach(async () => {
  for (const tool of tools.splice(0)) tool.destroy();
  await bus.stop();
  expectBalanced(bus.stats());
});

async function tool(): Promise<{ socket: Socket; told: () => unknown[] }> {
  const socket = connect(port, "127.0.0.1").setEncoding("utf8");
  tools.push(socket);
  let text = "";
  socket.on("data", (chunk: string) => (text += chunk));
  socket.on("error", () => undefined);
  await once(socket, "connect");
  return { socket, told: () => text.split("\n").slice(0, -1).map((line) => JSON.parse(line) as unknown) };
}

const counted = (name: string): number | undefined => bus.stats().plugins["template"]?.find((sample) => sample.name === name)?.value;

it("tells a tool what to watch, removals and what does not fit any more included", async () => {
  await bus.publish(message(indicator(1, "evil.example")));
  const { told } = await tool();
  await expect.poll(told).toEqual([{ watch: "evil.example" }]);
  await bus.publish(message(indicator(2, "worse.example")));
  await bus.publish(message(indicator(3, "worst.example")));
  await bus.publish(message(indicator(2, "worse.example", "REMOVE")));
  await expect.poll(told).toEqual([
    { watch: "evil.example" }, { watch: "worse.example" }, { watch: "worst.example" }, { drop: "evil.example" }, { drop: "worse.example" },
  ]);
});

it("keeps a value with a line break in its line", async () => {
  const { told } = await tool();
  await bus.publish(message(indicator(1, "a\nb")));
  await expect.poll(told).toEqual([{ watch: "a\nb" }]);
});

it("reports what a tool sees, and counts lines that say nothing", async () => {
  await bus.publish(message(indicator(1, "evil.example")));
  const { socket, told } = await tool();
  await expect.poll(told).toHaveLength(1);
  socket.write('{"seen":"good.example"}\nnot json\n{"seen":7}\n{"seen":"evil.');
  socket.write('example"}\n');
  await expect.poll(() => sightings.map(({ body }) => body)).toMatchObject([
    { type: "sighting", sighting_of_ref: indicator(1, "").id, x_threatbus_sighting_context: { seen: "evil.example" }, x_threatbus_source: "template" },
  ]);
  await expect.poll(() => counted("template_sightings")).toBe(1);
  expect(counted("template_lines_refused")).toBe(3);
});

it("hangs up on a tool whose line does not end, and serves the next", async () => {
  const endless = await tool();
  endless.socket.write("x".repeat(100_000));
  await once(endless.socket, "close");
  const { told } = await tool();
  await bus.publish(message(indicator(1, "evil.example")));
  await expect.poll(told).toEqual([{ watch: "evil.example" }]);
});
