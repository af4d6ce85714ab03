import { expectBalanced } from "@threatbus/testkit";
import { describe, expect, it } from "vitest";
import { appProcess, indicator, OldApp, stand, subscriptionsOf, take } from "./stand.ts";

describe("the life of a subscription", () => {
  it("ends when asked, for its owner", async () => {
    const { bus, ports } = await stand();
    const app = new OldApp(ports);
    const channel = await app.subscribe("stix2/");
    expect(await app.ask({ action: "heartbeat", topic: channel })).toEqual({ status: "success" });
    expect(await app.ask({ action: "unsubscribe", topic: channel })).toEqual({ status: "success" });
    expect(await app.ask({ action: "unsubscribe", topic: channel })).toMatchObject({ status: "error" });
    expect(await app.ask({ action: "heartbeat", topic: channel })).toMatchObject({ status: "error" });
    await expect.poll(() => subscriptionsOf(bus)).toEqual([]);
  });

  it("ends when the app never comes", async () => {
    const { bus, ports, host } = await stand({ attach_timeout: 0.2 });
    await new OldApp(ports).subscribe("stix2/");
    await bus.publish(indicator(1));
    await expect.poll(() => host.gauge("zmq_subscriptions")).toBe(0);
    await expect.poll(() => bus.stats().ended.count).toBe(1);
    expectBalanced(bus.stats());
  });

  it("ends some time after the app died without a word", async () => {
    const { bus, ports, host } = await stand({ grace: 0.3 });
    const channel = await new OldApp(ports).subscribe("stix2/");
    const { child, received } = appProcess(ports.pub, channel);
    await bus.publish(indicator(1));
    await received;
    expect(host.gauge("zmq_attached")).toBe(1);
    child.kill("SIGKILL");
    await expect.poll(() => host.gauge("zmq_attached")).toBe(0);
    expect(host.count("zmq_maybe_lost")).toBe(1);
    await expect.poll(() => host.gauge("zmq_subscriptions")).toBe(0);
  });

  it("outlives a short absence, and nothing of that time is lost", async () => {
    const { bus, ports, host } = await stand();
    const app = new OldApp(ports);
    const channel = await app.subscribe("stix2/");
    const before = app.listen(channel);
    await bus.publish(indicator(1));
    await take(before, 1);
    before.close();
    await expect.poll(() => host.gauge("zmq_attached")).toBe(0);
    for (let n = 2; n < 102; n++) await bus.publish(indicator(n));
    const after = app.listen(channel);
    expect((await take(after, 100)).map((frame) => frame.slice(channel.length + 10))).toEqual(Array.from({ length: 100 }, (_, n) => String(indicator(n + 2).payload)));
  });

  it("ends without heartbeats only if the app is gone as well", async () => {
    const { bus, ports, host } = await stand({ heartbeat_timeout: 0.2 });
    const app = new OldApp(ports);
    const [beating, never] = [await app.subscribe("stix2/"), await app.subscribe("stix2/")];
    const sockets = [app.listen(beating), app.listen(never)] as const;
    await bus.publish(indicator(1));
    for (const socket of sockets) await take(socket, 1);
    await app.ask({ action: "heartbeat", topic: beating });
    // Outlives the time-out while it is connected: it goes on getting messages.
    const until = Date.now() + 500;
    for (let n = 0; Date.now() < until; n++) {
      await bus.publish(indicator(n));
      await take(sockets[0], 1);
    }
    for (const socket of sockets) socket.close();
    await expect.poll(() => host.gauge("zmq_subscriptions")).toBe(1);
    expect(await app.ask({ action: "heartbeat", topic: never })).toEqual({ status: "success" });
  });

  it("makes room for another when the app never came", async () => {
    const { ports } = await stand({ max_subscriptions: 2 });
    const app = new OldApp(ports);
    const first = await app.subscribe("stix2/");
    await app.subscribe("stix2/");
    expect(await app.ask({ action: "subscribe", topic: "stix2/" })).toMatchObject({ status: "error" });
    await expect.poll(async () => (await app.ask({ action: "subscribe", topic: "stix2/" }))["status"]).toBe("success");
    expect(await app.ask({ action: "heartbeat", topic: first })).toMatchObject({ status: "error" });
  });

  it("does not hold up the end of the bus when its app is away", async () => {
    const { bus, ports } = await stand();
    await new OldApp(ports).subscribe("stix2/");
    await bus.publish(indicator(1));
    await bus.stop();
    expect(bus.stats().ended).toMatchObject({ received: 1, refused: 1 });
  });

  it("is drained at the end of the bus when its app is there", async () => {
    const { bus, ports } = await stand();
    const app = new OldApp(ports);
    const socket = app.listen(await app.subscribe("stix2/"), { receiveHighWaterMark: 10 });
    await bus.publish(indicator(0));
    await take(socket, 1);
    for (let n = 0; n < 5_000; n++) await bus.publish(indicator(n));
    // Most of it waits in the bus: there is less room in ZeroMQ and the kernel.
    expect(subscriptionsOf(bus)[0]?.waiting).toBeGreaterThan(2_000);
    // What is in ZeroMQ's hands when the bus has stopped still comes.
    const [frames] = await Promise.all([take(socket, 5_000), bus.stop()]);
    expect(frames.map((frame) => frame.slice(42))).toEqual(Array.from({ length: 5_000 }, (_, n) => String(indicator(n).payload)));
    expect(bus.stats().ended).toMatchObject({ received: 5_001, delivered: 5_001 });
  });
});
