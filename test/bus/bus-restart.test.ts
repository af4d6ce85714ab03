import { createOracle, expectBalanced } from "@threatbus/testkit";
import type { SubscriptionState } from "@threatbus/zmq-client";
import { describe, expect, test } from "vitest";
import { busProcess, killed, subscriberApp } from "./processes.ts";
import { bytesOf, counted, indicator, join, read, scale, stand, subscriptionsOf, threePorts, type Ports } from "./stand.ts";

const count = Math.round(1_000 * scale);

interface Life {
  /** Ends this life of the bus. */
  end(): Promise<void>;
}

/** Two apps and a producer live through several lives of a bus on the same ports. */
async function outlive(ports: Ports, first: Life, again: () => Promise<Life>, lives: number): Promise<void> {
  const names = ["one", "other"] as const;
  const oracle = createOracle(names);
  const states = new Map<string, SubscriptionState[]>();
  const readers: Promise<void>[] = [];
  const subscriptions = [];
  for (const name of names) {
    const seen: SubscriptionState[] = [];
    states.set(name, seen);
    const subscription = await (await join(ports.manage)).subscribe("stix2/indicator", { onStatus: (state) => void seen.push(state) });
    subscriptions.push(subscription);
    readers.push(read(subscription, (id, payload) => oracle.ingest(name, id, payload)));
  }
  const producer = await join(ports.manage);
  let life = first;
  for (let n = 0; n < lives; n++) {
    if (n > 0) {
      await life.end();
      life = await again();
      await expect.poll(() => names.map((name) => states.get(name)?.filter((state) => state === "resubscribed").length)).toEqual([n, n]);
    }
    for (let m = 0; m < count; m++) {
      const object = indicator(m, n);
      oracle.claim(object.id, bytesOf(object), String(n));
      await producer.publish(object);
      oracle.acked(object.id);
    }
    await expect.poll(() => oracle.report().total.deliveredDistinct).toBe(2 * (n + 1) * count);
  }
  expect(oracle.report().total).toMatchObject({ lost: 0, duplicates: 0, spurious: 0, corrupted: 0, reordered: 0 });
  expect(subscriptions.map(({ stats }) => stats.lost)).toEqual([0, 0]);
  expect(states.get("one")).toContain("lost");
  for (const subscription of subscriptions) await subscription.close();
  await Promise.all(readers);
}

describe("a bus that comes back on the same ports has its apps back by themselves, and loses nothing they publish from then on", () => {
  test("stopped and started", async () => {
    const ports = await threePorts();
    const life = async (): Promise<Life> => {
      const { bus } = await stand({ ports });
      return {
        async end() {
          await bus.stop();
          expectBalanced(bus.stats());
        },
      };
    };
    await outlive(ports, await life(), life, 3);
  });

  test("killed and started", async () => {
    const ports = await threePorts();
    const life = async (): Promise<Life> => {
      const child = await busProcess(ports);
      return { end: () => killed(child) };
    };
    await outlive(ports, await life(), life, 2);
  });
});

test("apps that were killed are forgotten after their time, with all that waited for them", async () => {
  const { bus, ports } = await stand({ zmq: { grace: 10, heartbeat_timeout: 10 } });
  const apps = await Promise.all(Array.from({ length: 3 }, () => subscriberApp(ports.manage)));
  const survivor = await (await join(ports.manage, { heartbeatInterval: 200 })).subscribe("stix2/indicator");
  const received: string[] = [];
  const reading = read(survivor, (id) => void received.push(id));
  await expect.poll(() => counted(bus, "attached")).toBe(4);
  await Promise.all(apps.map(({ child }) => killed(child)));
  await expect.poll(() => counted(bus, "attached")).toBe(1);
  const producer = await join(ports.manage);
  for (let n = 0; n < count; n++) await producer.publish(indicator(n));
  await expect.poll(() => counted(bus, "accepted")).toBe(count);
  // Nobody comes back for them.
  await expect.poll(() => counted(bus, "subscriptions")).toBe(1);
  await expect.poll(() => bus.stats().ended.count).toBeGreaterThanOrEqual(3);
  await expect.poll(() => received.length).toBe(count);
  expect(subscriptionsOf(bus)).toEqual([expect.objectContaining({ delivered: count, waiting: 0, waitingBytes: 0 })]);
  const { ended } = bus.stats();
  expect(ended).toMatchObject({ waiting: 0, waitingBytes: 0, received: 3 * count, delivered: 0 });
  expect(ended.dropped.closed + ended.refused).toBe(3 * count);
  expectBalanced(bus.stats());
  await survivor.close();
  await reading;
});
