import { clockInHand } from "./clock.ts";
import { describe, expect, it } from "vitest";
import { createBus, message, silentLogger } from "../src/index.ts";
import type { Overflow } from "../src/index.ts";
import { app, frame, gate, indicator, loop } from "./samples.ts";

async function running(overflow: Overflow = "drop_oldest") {
  const backbone = loop();
  const clock = clockInHand();
  const bus = createBus({ backbones: [backbone.plugin], clock, logger: silentLogger, drainTimeout: 20 });
  await bus.start();
  const { opened, open } = gate();
  let quick = 0;
  await bus.subscribe("stix2/", () => opened, { name: "slow", queue: { overflow } });
  await bus.subscribe("stix2/", () => void quick++, { name: "quick" });
  let acked = 0;
  let given = 0;
  const bring = (): void => void backbone.deliver(frame(indicator())).then(() => acked++, () => given++);
  return { bus, clock, open, bring, acked: () => acked, given: () => given, quick: () => quick, slow: () => bus.stats().subscriptions[0] };
}

describe("a subscription that lags", () => {
  it("holds its broker up for 30 s, no longer; what comes then is acknowledged at once, until it has caught up", async () => {
    const { bus, clock, open, bring, acked, quick, slow } = await running();
    for (let n = 0; n < 5; n++) bring();
    await clock.advance(29_000);
    expect([acked(), quick()]).toEqual([0, 5]);
    await clock.advance(2_000);
    expect([acked(), slow()?.ackedEarly, slow()?.waiting]).toEqual([5, 5, 5]);
    bring();
    await clock.advance(0);
    expect([acked(), slow()?.ackedEarly]).toEqual([6, 6]);
    open();
    await clock.advance(0);
    expect(slow()).toMatchObject({ received: 6, delivered: 6, waiting: 0, ackedEarly: 6 });
    bring();
    await clock.advance(0);
    expect([acked(), slow()?.ackedEarly]).toEqual([7, 6]);
    await bus.stop();
  });

  it("with block it holds up its broker, which is what it asked for", async () => {
    const { bus, clock, open, bring, acked } = await running("block");
    bring();
    await clock.advance(120_000);
    expect(acked()).toBe(0);
    open();
    await clock.advance(0);
    expect(acked()).toBe(1);
    await bus.stop();
  });
});

it("what a stop leaves undelivered is given back to its broker", async () => {
  const { bus, clock, bring, acked, given, slow } = await running();
  bring();
  await clock.advance(0);
  expect(slow()?.waiting).toBe(1);
  const stopped = expect(bus.stop()).rejects.toMatchObject({ code: "BUS_STOP_INCOMPLETE" });
  await clock.advance(50);
  await stopped;
  expect([acked(), given()]).toEqual([0, 1]);
});

it("history that a stop leaves undelivered is nobody's fault", async () => {
  const backbone = loop();
  const archive = app("archive", { async *snapshot() { yield indicator(); } });
  const bus = createBus({ backbones: [backbone.plugin], apps: [archive], logger: silentLogger, drainTimeout: 20 });
  await bus.start();
  const { opened, open } = gate();
  let asked = 0;
  await bus.subscribe("stix2/indicator", () => (asked++, opened), { snapshot: 60 });
  await expect.poll(() => asked).toBe(1);
  // An unhandled rejection would fail the run.
  await expect(bus.stop()).rejects.toMatchObject({ code: "BUS_STOP_INCOMPLETE" });
  open();
});

it("what never left this process is nobody's to hold", async () => {
  const { bus, clock, open, slow } = await running();
  await bus.publish(message(indicator()));
  await clock.advance(120_000);
  expect(slow()?.ackedEarly).toBe(0);
  open();
  await bus.stop();
});
