import { createBus, pointIndicators, silentLogger } from "@threatbus/core";
import { inmem } from "@threatbus/inmem";
import { misp } from "@threatbus/misp";
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { readRecording, replay } from "../src/replay.ts";
import type { Report } from "../src/replay.ts";

test("what the misp plugin makes of the bundled feed is what the recording says", async () => {
  const stopping = new AbortController();
  const reports: Report[] = [];
  const feed = replay({ port: 0, rate: 100_000, once: true, signal: stopping.signal, report: (report) => void reports.push(report) });
  await expect.poll(() => reports.length).toBe(1);
  const [listening] = reports;
  const port = listening?.event === "listening" ? listening.port : 0;

  const bus = createBus({ backbones: [inmem()], apps: [misp({ zmq: { host: "127.0.0.1", port } })], logger: silentLogger });
  const live = new Map<string, string>();
  /** Removals of another pattern than the one on the bus. */
  const wrong: string[] = [];
  const updates: Record<string, number> = {};
  try {
    await bus.start();
    await bus.subscribe("stix2/indicator", ({ body }) => {
      const { id, pattern, x_threatbus_update: update = "ADD" } = body as { id: string; pattern: string; x_threatbus_update?: string };
      updates[update] = (updates[update] ?? 0) + 1;
      if (update === "REMOVE") {
        if ((live.get(id) ?? pattern) !== pattern) wrong.push(pattern);
        live.delete(id);
      } else live.set(id, pattern);
    });
    const fed = await feed;
    const figures = (name: string): Record<string, number> =>
      Object.fromEntries((bus.stats().plugins["misp"] ?? []).filter((sample) => sample.name === name).map(({ labels, value }) => [Object.values(labels)[0] ?? "", value]));
    await expect.poll(() => figures("misp_received")["feed"]).toBe(fed.frames);
    await expect.poll(() => updates).toStrictEqual(fed.updates);
    expect(fed.frames).toBe(readRecording().length);
    expect(figures("misp_mapped")).toStrictEqual({ "": fed.mapped });
    expect(figures("misp_skipped")).toStrictEqual(fed.skipped);
    expect(figures("misp_refused")).toStrictEqual(fed.refused);
    expect(wrong).toStrictEqual([]);
    await expect.poll(() => figures("misp_messages")).toStrictEqual(fed.updates);
  } finally {
    stopping.abort();
    await bus.stop();
  }

  const values = new Set([...live.values()].filter((pattern) => !pattern.startsWith("rule ")).flatMap((pattern) => pointIndicators(pattern) ?? []).map(({ value }) => value));
  const [, worth = "", withdrawn = ""] = readFileSync(new URL("../data/README.md", import.meta.url), "utf8").split(/^## /m);
  const named = (text: string): string[] => [...text.matchAll(/^- `(.+)`/gm)].map(([, value = ""]) => value);
  expect(named(worth).length).toBeGreaterThan(25);
  expect(named(worth).filter((value) => !values.has(value))).toStrictEqual([]);
  expect(named(withdrawn).length).toBeGreaterThan(4);
  expect(named(withdrawn).filter((value) => values.has(value))).toStrictEqual([]);
});
