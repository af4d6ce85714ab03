import { createOracle, expectBalanced } from "@threatbus/testkit";
import { expect, test } from "vitest";
import { subscriberApp } from "./processes.ts";
import { bytesOf, counted, indicator, join, read, scale, stand, subscriptionsOf } from "./stand.ts";

const count = Math.round(20_000 * scale);
const limits = { max_items: 500, max_bytes: 150_000 };

test("a stopped app costs the others nothing and the bus no more than its queue; continued, it is told exactly what it missed", async () => {
  const { bus, ports } = await stand({ zmq: { queue: limits } });
  const slow = await subscriberApp(ports.manage);
  const oracle = createOracle(["healthy"]);
  const healthy = await (await join(ports.manage)).subscribe("stix2/indicator");
  const reading = read(healthy, (id, payload) => oracle.ingest("healthy", id, payload));
  const producer = await join(ports.manage);
  const produce = async (n: number): Promise<void> => {
    const object = indicator(n);
    oracle.claim(object.id, bytesOf(object), "producer");
    await producer.publish(object);
    oracle.acked(object.id);
  };
  await produce(0);
  await expect.poll(() => subscriptionsOf(bus).map(({ delivered }) => delivered)).toEqual([1, 1]);

  slow.child.kill("SIGSTOP");
  let most = { waiting: 0, waitingBytes: 0 };
  for (let n = 1; n < count; n++) {
    await produce(n);
    if (n % 37 !== 0) continue;
    const stats = bus.stats();
    expectBalanced(stats);
    for (const { waiting, waitingBytes } of stats.subscriptions) {
      most = { waiting: Math.max(most.waiting, waiting), waitingBytes: Math.max(most.waitingBytes, waitingBytes) };
    }
  }
  await expect.poll(() => oracle.report().acked - (oracle.report().subscriptions["healthy"]?.deliveredDistinct ?? 0)).toBe(0);
  const [stopped, well] = subscriptionsOf(bus);
  expect(counted(bus, "attached")).toBe(2);
  expect(well).toMatchObject({ received: count, delivered: count, waiting: 0, dropped: { overflow: 0, budget: 0 } });
  expect(oracle.report().total).toMatchObject({ missing: 0, duplicates: 0, spurious: 0, corrupted: 0, reordered: 0 });
  expect(healthy.stats).toMatchObject({ received: count, lost: 0 });
  expect(stopped?.dropped.overflow).toBeGreaterThan(0);
  // One more than the queue holds is in the hands of the handler.
  const message = bytesOf(indicator(0)).length;
  expect(most.waiting).toBeLessThanOrEqual(limits.max_items + 1);
  expect(most.waitingBytes).toBeLessThanOrEqual(limits.max_bytes + 2 * message);
  expect(most.waitingBytes).toBeGreaterThan(limits.max_bytes / 2);

  slow.child.kill("SIGCONT");
  await expect.poll(() => subscriptionsOf(bus)[0]?.waiting).toBe(0);
  const { delivered = 0, dropped } = subscriptionsOf(bus)[0] ?? {};
  await expect.poll(async () => (await slow.figures()).received).toBe(delivered);
  expect(await slow.figures()).toMatchObject({ received: delivered, lost: dropped?.overflow, sequenced: true, resubscribed: 0 });
  expect(delivered + (dropped?.overflow ?? 0)).toBe(count);
  // It is an app like any other again.
  await produce(count);
  await expect.poll(async () => (await slow.figures()).received).toBe(delivered + 1);
  expectBalanced(bus.stats());
  await healthy.close();
  await reading;
});
