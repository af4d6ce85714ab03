import { setTimeout as pause } from "node:timers/promises";
import { chaosProxy, createOracle, expectBalanced, faultScript, runFaultScript, type ChaosProxy, type FaultHandlers, type FaultKind } from "@threatbus/testkit";
import type { Subscription } from "@threatbus/zmq-client";
import { expect, test } from "vitest";
import { frontDesk } from "./front-desk.ts";
import { bytesOf, counted, indicator, join, read, say, scale, seed, stand, subscriptionsOf } from "./stand.ts";

/** Milliseconds of faults. */
const duration = Math.round(6_000 * scale);
/** Messages a producer sends at a time. */
const burst = 20;
const producers = 3;
const faults: readonly FaultKind[] = [
  { op: "resetPeer", who: "pub" },
  { op: "latency", who: "pub", undo: "calm" },
  { op: "slicer", who: "pub", undo: "calm" },
  { op: "bandwidth", who: "pub", undo: "calm" },
  { op: "halfOpen", who: "pub", undo: "calm" },
  { op: "down", who: "pub", undo: "up" },
];

function handlersOf(proxy: ChaosProxy): FaultHandlers {
  return {
    // Drops what stands; the next connection is left alone.
    resetPeer: async () => {
      await proxy.down();
      await proxy.up();
    },
    latency: () => void proxy.add({ type: "latency", latency: 40, jitter: 30 }, "down"),
    slicer: () => void proxy.add({ type: "slicer", averageSize: 700, delay: 1 }, "down"),
    bandwidth: () => void proxy.add({ type: "bandwidth", rate: 200 }, "down"),
    halfOpen: () => void proxy.add({ type: "halfOpen" }),
    calm: () => proxy.clear(),
    down: () => proxy.down(),
    up: () => proxy.up(),
  };
}

test("under faults nothing is unaccounted for: the direct app has all, and what others miss is announced to them", async () => {
  const { bus, ports } = await stand({ zmq: { queue: { max_items: 2_000 } } });
  const proxy = await chaosProxy({ target: { host: "127.0.0.1", port: ports.pub }, seed });
  const handlers = handlersOf(proxy);
  const made = faultScript(seed, { faults, duration, period: 1_000 });
  // Whatever the seed brings, one connection at least is lost.
  const script = { ...made, steps: [{ at: 100, op: "resetPeer", who: "pub" }, ...made.steps.map((step) => ({ ...step, at: step.at + 200 }))] };
  say(`THREATBUS_TEST_SEED=${seed}: ${made.steps.map(({ at, op }) => `${at} ${op}`).join(", ")}`);

  const names = ["direct", "proxied", "pausing"] as const;
  const oracle = createOracle(names);
  const desks = { direct: ports.manage, proxied: await frontDesk(ports, { pub: proxy.port }), pausing: ports.manage };
  let resume: () => void = () => undefined;
  const paused = new Promise<void>((resolve) => (resume = resolve));
  const last = new Set<string>();
  const subscriptions = new Map<(typeof names)[number], Subscription>();
  const readers: Promise<void>[] = [];
  for (const name of names) {
    const client = await join(desks[name]);
    const subscription = await client.subscribe("stix2/indicator", { buffer: 500 });
    subscriptions.set(name, subscription);
    readers.push(read(subscription, async (id, payload) => {
      oracle.ingest(name, id, payload);
      if (id === indicator(0, 0xffff).id) last.add(name);
      if (name === "pausing") await paused;
    }));
  }

  // The bus is looked at in the middle of things: while it sends, and whenever a timer happens to fire.
  let looks = 0;
  const unbalanced: unknown[] = [];
  const look = (): void => {
    looks++;
    try {
      expectBalanced(bus.stats());
    } catch (thrown) {
      unbalanced.push(thrown);
    }
  };
  const looking = setInterval(look, 7);

  let running = true;
  async function produce(producer: number): Promise<void> {
    const client = await join(ports.manage);
    for (let n = 0; running; n++) {
      const object = indicator(n, producer);
      oracle.claim(object.id, bytesOf(object), String(producer));
      await client.publish(object);
      oracle.acked(object.id);
      if (n % burst === 0) await pause(4);
      if (n % 101 === 0) look();
    }
  }
  const producing = Array.from({ length: producers }, (_, producer) => produce(producer));
  const faulty = runFaultScript(script, handlers, new AbortController().signal);
  await expect.poll(() => subscriptionsOf(bus)[2]?.dropped.overflow).toBeGreaterThan(0);
  resume();
  expect(await faulty).toBe(script.steps.length);
  running = false;
  await Promise.all(producing);
  proxy.clear();
  await proxy.up();

  // The last message comes behind everything else: who has it has all that it will ever get.
  const { issued } = oracle.report();
  await expect.poll(() => counted(bus, "accepted")).toBe(issued);
  await expect.poll(() => counted(bus, "attached")).toBe(3);
  const end = indicator(0, 0xffff);
  oracle.claim(end.id, bytesOf(end), "end");
  await (await join(ports.manage)).publish(end);
  oracle.acked(end.id);
  await expect.poll(() => [...last].sort()).toEqual([...names].sort());
  clearInterval(looking);
  look();
  expect(unbalanced).toEqual([]);
  expect(looks).toBeGreaterThan(100);

  const stats = subscriptionsOf(bus);
  const figures = oracle.report();
  const missing = names.map((name) => `${name} ${figures.subscriptions[name]?.missing}`);
  say(`${issued} messages, missing: ${missing.join(", ")}; ${proxy.accepted - 1} reconnects, ${counted(bus, "retries")} retries, ${looks} looks`);
  expect(figures.total).toMatchObject({ duplicates: 0, spurious: 0, corrupted: 0, reordered: 0 });
  expect(figures.subscriptions["direct"]).toMatchObject({ missing: 0, deliveredDistinct: issued + 1 });
  for (const [n, name] of names.entries()) {
    const seen = subscriptions.get(name)?.stats;
    const held = stats[n];
    if (seen === undefined || held === undefined) throw new Error(`no figures of ${name}`);
    // The number of the last message counts what was sent and what was dropped.
    expect([name, seen.received + seen.lost]).toEqual([name, held.delivered + held.dropped.overflow]);
    expect([name, seen.lost]).toEqual([name, figures.subscriptions[name]?.missing]);
    expect(held).toMatchObject({ received: issued + 1, waiting: 0, refused: 0 });
    expect(seen).toMatchObject({ sequenced: true, malformed: 0, resubscribed: 0 });
  }
  // Proof of stress.
  expect(proxy.accepted).toBeGreaterThan(1);
  expect(figures.subscriptions["pausing"]?.missing).toBeGreaterThan(0);
  expect(counted(bus, "retries")).toBeGreaterThan(0);

  for (const subscription of subscriptions.values()) await subscription.close();
  await Promise.all(readers);
  await proxy.stop();
});
