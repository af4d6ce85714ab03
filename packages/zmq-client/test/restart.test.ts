import { expect, test } from "vitest";
import type { SubscriptionState } from "../src/index.ts";
import type { Request } from "./fake-bus.ts";
import { attached, busWith, indicator, join, take } from "./joined.ts";

test("after a restart of the bus the subscription is made anew", async () => {
  const before = await busWith();
  const client = await join(before);
  const states: SubscriptionState[] = [];
  const subscription = await client.subscribe("stix2/", { snapshot: 30, onStatus: (state) => states.push(state) });
  await attached(before);
  await before.send("indicator", indicator(1));
  await expect.poll(() => subscription.stats.waiting).toBe(1);
  const { ports } = before;
  before.kill();
  await expect.poll(() => states).toContain("lost");
  const after = await busWith({ ports });
  await expect.poll(() => states.at(-1)).toBe("resubscribed");
  expect(states).toEqual(["subscribed", "lost", "resubscribed"]);
  await attached(after);
  // Only the time away is asked for again, in whole days.
  expect(after.actions("subscribe")).toMatchObject([{ snapshot: 1 }]);
  await after.send("indicator", indicator(2));
  expect(await take(subscription, 2)).toEqual(["indicator--1", "indicator--2"]);
  expect(subscription.stats).toMatchObject({ resubscribed: 1, lost: 0 });
  expect(after.actions("unsubscribe")).toHaveLength(1);
});

test("a restart on other ports is followed", async () => {
  const before = await busWith();
  const client = await join(before);
  const subscription = await client.subscribe("stix2/");
  await client.publish({ topic: "stix2/sighting", payload: "{}" });
  const { manage } = before.ports;
  const spare = await busWith();
  const { pub, sub } = spare.ports;
  before.kill();
  spare.kill();
  const after = await busWith({ ports: { manage, pub, sub } });
  await expect.poll(() => subscription.stats.resubscribed).toBe(1);
  await attached(after);
  await after.send("indicator", indicator(1));
  expect(await take(subscription, 1)).toEqual(["indicator--1"]);
  await client.publish({ topic: "stix2/sighting", payload: '{"n":1}' });
  await expect.poll(() => after.taken).toEqual(['stix2/sighting {"n":1}']);
});

test("a bus that is silent for a while had kept the subscription", async () => {
  let silent = false;
  const bus = await busWith({ answer: (_, usual) => (silent ? undefined : usual) });
  const client = await join(bus, { requestTimeout: 1_000, heartbeatInterval: 50 });
  const states: string[] = [];
  const subscription = await client.subscribe("stix2/", {
    onStatus: (state, error) => states.push(error === undefined ? state : `${state} ${error.code}`),
  });
  await attached(bus);
  silent = true;
  await expect.poll(() => states).toContain("lost REQUEST_TIMEOUT");
  await bus.send("indicator", indicator(1));
  await expect.poll(() => subscription.stats.waiting).toBe(1);
  silent = false;
  await expect.poll(() => states.at(-1)).toBe("recovered");
  expect(bus.actions("subscribe")).toHaveLength(1);
});

test("one refused subscription does not stop the heartbeats of the others", async () => {
  let refused = "";
  const refuses = ({ topic, action }: Request): boolean => refused !== "" && (topic === refused || action === "subscribe");
  const bus = await busWith({ answer: (request, usual) => (refuses(request) ? '{"status":"error"}' : usual) });
  const client = await join(bus, { heartbeatInterval: 50 });
  const first = await client.subscribe("stix2/indicator");
  const firstChannel = bus.channel;
  await client.subscribe("stix2/sighting");
  const second = bus.channel;
  refused = firstChannel;
  await expect.poll(() => first.state).toBe("lost");
  const beats = bus.actions("heartbeat").length;
  await expect.poll(() => bus.actions("heartbeat").slice(beats).filter(({ topic }) => topic === second).length).toBeGreaterThan(2);
});
