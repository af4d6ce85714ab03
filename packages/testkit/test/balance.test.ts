import { createBus, silentLogger, type BusStats, type SubscriptionStats } from "@threatbus/core";
import { describe, expect, it } from "vitest";
import { expectBalanced, loopback } from "../src/index.ts";
import { samples } from "../src/samples.ts";

async function figures(): Promise<BusStats> {
  const bus = createBus({ backbones: [loopback()], logger: silentLogger });
  await bus.start();
  await bus.subscribe("", () => undefined, { name: "all" });
  await bus.subscribe("stix2/sighting", () => Promise.reject(new Error("no")), { name: "refusing" });
  for (const sample of samples()) await bus.publish(sample);
  await bus.stop();
  return bus.stats();
}

describe("balance", () => {
  it("finds a bus that has delivered and refused in order", async () => {
    const stats = await figures();
    expect(stats.arrived).toBe(samples().length);
    expectBalanced(stats);
  });

  it.each<[string, (stats: BusStats) => BusStats, RegExp]>([
    ["a message that arrived and went nowhere", (stats) => ({ ...stats, arrived: stats.arrived + 1 }), /the bus: arrived 6 is not routed 5/],
    ["a refusal nobody caused", (stats) => ({ ...stats, refused: { json: 1 } }), /refused 1$/m],
    ["a message that ended twice", (stats) => ({ ...stats, subscriptions: [subscription({ received: 1, delivered: 1, refused: 1 })] }), /subscription one:/],
    ["a drop without a message", (stats) => ({ ...stats, subscriptions: [subscription({ dropped: { overflow: 1, budget: 0, closed: 0, shutdown: 0 } })] }), /dropped 1/],
    ["a negative number", (stats) => ({ ...stats, subscriptions: [subscription({ waiting: -1, delivered: 1 })] }), /waiting -1/],
    ["no number", (stats) => ({ ...stats, unmatched: NaN }), /unmatched NaN/],
    ["what ended subscriptions left open", (stats) => ({ ...stats, ended: { ...stats.ended, received: stats.ended.received + 1 } }), /subscription ended:/],
    ["routed to nobody", (stats) => ({ ...stats, subscriptions: [], ended: { ...subscription({}), count: 0 } }), /received only 0/],
  ])("finds %s", async (_what, change, expected) => {
    const stats = await figures();
    expect(() => expectBalanced(change(stats))).toThrow(expected);
  });
});

function subscription(figures: Partial<SubscriptionStats>): SubscriptionStats {
  const dropped = { overflow: 0, budget: 0, closed: 0, shutdown: 0 };
  const none = { received: 0, delivered: 0, refused: 0, superseded: 0, waiting: 0, waitingBytes: 0, repeated: 0, ackedEarly: 0 };
  return { name: "one", topics: [""], ...none, dropped, ...figures };
}
