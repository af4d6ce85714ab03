import { defineApp } from "@threatbus/core";
import { createOracle, expectBalanced } from "@threatbus/testkit";
import type { BusIndicator } from "@threatbus/zmq-client";
import { expect, test } from "vitest";
import { bytesOf, indicator, join, read, scale, stand } from "./stand.ts";

const count = Math.round(5_000 * scale);
/** Objects of the history inside the bus that the app outside has as well, and that come live at the same time. */
const shared = Math.round(300 * scale);
const live = Math.round(2_000 * scale);

const range = (length: number, producer: number): BusIndicator[] => Array.from({ length }, (_, n) => indicator(n, producer));

test("a fresh app gets every object of every history and every live message, each once, while both flow", async () => {
  const inside = range(count, 1);
  const outside = [...range(count, 2), ...inside.slice(0, shared)];
  const flowing = [...range(live, 3), ...inside.slice(count - shared)];
  const spans: number[] = [];
  const history = defineApp({
    name: "history",
    create: () => ({
      start: () => Promise.resolve(),
      async *snapshot({ snapshot }) {
        spans.push(snapshot);
        yield* inside;
      },
      stop: () => Promise.resolve(),
    }),
  });
  const { bus, ports } = await stand({ apps: [history()] });
  await (await join(ports.manage)).onSnapshotRequest(async function* ({ snapshot }) {
    spans.push(snapshot);
    yield* outside;
  });

  const oracle = createOracle(["fresh"]);
  const expected = new Map([...inside, ...outside, ...flowing].map((object) => [object.id, object]));
  for (const object of expected.values()) {
    oracle.claim(object.id, bytesOf(object));
    oracle.acked(object.id);
  }
  const producer = await join(ports.manage);
  // Connected and known before it matters when the live messages come.
  await producer.publish(indicator(0, 9));
  await expect.poll(() => bus.stats().published).toBeGreaterThan(0);
  const fresh = await (await join(ports.manage)).subscribe("stix2/indicator", { snapshot: 30 });
  const published = (async () => {
    for (const object of flowing) await producer.publish(object);
  })();
  const reading = read(fresh, (id, payload) => oracle.ingest("fresh", id, payload));
  await published;
  await expect.poll(() => oracle.report().total.deliveredDistinct).toBe(expected.size);
  await expect.poll(() => bus.stats().snapshots.answered).toBe(1);
  await expect.poll(() => bus.stats().snapshots.arrived).toBe(inside.length + outside.length);
  // Behind everything else.
  await producer.publish(indicator(1, 9));
  await expect.poll(() => oracle.report().total.deliveredTotal).toBe(expected.size + 1);
  expect(oracle.report().total).toMatchObject({ missing: 0, duplicates: 0, corrupted: 0, spurious: 1 });
  expect(fresh.stats).toMatchObject({ lost: 0, malformed: 0 });
  expect(spans).toEqual([30 * 86_400, 30 * 86_400]);
  expect(bus.stats().snapshots).toMatchObject({ failed: 0, ignored: 0 });
  expectBalanced(bus.stats());
  await fresh.close();
  await reading;
});
