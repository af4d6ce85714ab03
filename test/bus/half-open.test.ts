import { chaosProxy, createOracle, expectBalanced } from "@threatbus/testkit";
import { expect, test } from "vitest";
import { frontDesk } from "./front-desk.ts";
import { bytesOf, counted, indicator, join, read, stand, subscriptionsOf } from "./stand.ts";

/** Messages before, during and after the cut. */
const each = 200;

test("a connection whose cable was pulled is noticed at both ends by heartbeats, and what was lost in it is told exactly", async () => {
  const { bus, ports } = await stand();
  const proxy = await chaosProxy({ target: { host: "127.0.0.1", port: ports.pub } });
  const oracle = createOracle(["cut", "whole"]);
  const cut = await (await join(await frontDesk(ports, { pub: proxy.port }))).subscribe("stix2/indicator");
  const whole = await (await join(ports.manage)).subscribe("stix2/indicator");
  const readers = [read(cut, (id, payload) => oracle.ingest("cut", id, payload)), read(whole, (id, payload) => oracle.ingest("whole", id, payload))];
  const producer = await join(ports.manage);
  const produce = async (turn: number): Promise<void> => {
    for (let n = 0; n < each; n++) {
      const object = indicator(n, turn);
      oracle.claim(object.id, bytesOf(object));
      await producer.publish(object);
      oracle.acked(object.id);
    }
  };
  const arrived = (name: string): number | undefined => oracle.report().subscriptions[name]?.deliveredDistinct;

  await produce(0);
  await expect.poll(() => [arrived("cut"), arrived("whole")]).toEqual([each, each]);
  const mend = proxy.add({ type: "halfOpen" });
  await produce(1);
  await expect.poll(() => arrived("whole")).toBe(2 * each);
  expect([counted(bus, "attached"), proxy.accepted, proxy.connections]).toEqual([2, 1, 1]);
  await Promise.all([
    // The bus takes the app for gone, and keeps what comes from now on.
    expect.poll(() => counted(bus, "attached")).toBe(1),
    // The app gives its connection up and makes another.
    expect.poll(() => proxy.accepted).toBeGreaterThan(1),
  ]);
  await produce(2);
  await expect.poll(() => subscriptionsOf(bus)[0]?.waiting).toBe(each);
  expectBalanced(bus.stats());
  mend();
  await expect.poll(() => subscriptionsOf(bus)[0]?.waiting).toBe(0);
  await expect.poll(() => [cut.stats.received + cut.stats.lost, arrived("whole")]).toEqual([3 * each, 3 * each]);
  const { subscriptions, total } = oracle.report();
  expect(cut.stats).toMatchObject({ lost: subscriptions["cut"]?.missing, resubscribed: 0, sequenced: true });
  // Nothing of before or after the cut is among the lost.
  expect(cut.stats).toMatchObject({ lost: each, gaps: 1 });
  expect(subscriptions["whole"]).toMatchObject({ missing: 0 });
  expect(total).toMatchObject({ duplicates: 0, spurious: 0, corrupted: 0, reordered: 0 });
  await Promise.all([cut.close(), whole.close()]);
  await Promise.all(readers);
  await proxy.stop();
});
