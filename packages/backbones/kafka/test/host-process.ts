/** The program of `hostProgram`: tells a file what it got and what Kafka answered for. */
import { openSync, writeSync } from "node:fs";
import { MetricSet, message, silentLogger, systemClock } from "@threatbus/core";
import { kafka } from "../src/index.ts";

const [file = "", options = "{}", publishes] = process.argv.slice(2);
const told = openSync(file, "a");
const host = { name: "kafka", logger: silentLogger, clock: systemClock, metrics: new MetricSet(), signal: new AbortController().signal };
const backbone = kafka(JSON.parse(options) as Parameters<typeof kafka>[0]).create(host);
await backbone.start(async ({ id }) => void writeSync(told, `-${id}\n`), AbortSignal.timeout(60_000));
process.send?.("runs");
const now = "2026-01-31T12:00:00.000Z";
for (let n = 0; publishes === "true"; n++) {
  const id = `indicator--00000000-0000-4000-9000-${String(n % 10).padStart(12, "0")}` as const;
  const sent = message({ type: "indicator", spec_version: "2.1", id, created: now, modified: now, valid_from: now, pattern: "[ipv4-addr:value = '192.0.2.1']", pattern_type: "stix" });
  await backbone.publish(sent);
  writeSync(told, `+${sent.id}\n`);
}
