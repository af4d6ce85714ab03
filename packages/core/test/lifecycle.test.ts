import { describe, expect, it } from "vitest";
import { ThreatbusError, createBus, defineApp, defineBackbone, message, silentLogger } from "../src/index.ts";
import type { Bus, Host } from "../src/index.ts";
import { app, frame, gate, indicator, loop } from "./samples.ts";

const quiet = { logger: silentLogger };
const never = new Promise<never>(() => undefined);

describe("start", () => {
  it("backbones first, then apps; stop in the other order", async () => {
    const order: string[] = [];
    const backbone = loop();
    const one = app("one", { start: async () => void order.push("start", ...backbone.calls), stop: async () => void order.push("stop", ...backbone.calls.filter((call) => call === "stop")) });
    const bus = createBus({ backbones: [backbone.plugin], apps: [one], ...quiet });
    await bus.start();
    expect(bus.state).toBe("running");
    await bus.stop();
    expect(order).toEqual(["start", "+threatbus/", "stop"]);
    expect(backbone.calls.at(-1)).toBe("stop");
  });

  it("is all or nothing: what stood is stopped, all failures are told with their plugin's names", async () => {
    const backbone = loop();
    const stopped: string[] = [];
    const apps = [
      app("good", { stop: async () => void stopped.push("good") }),
      app("bad", { start: () => { throw new Error("at once"); } }),
      app("worse", { start: () => Promise.reject(new Error("later")) }),
    ];
    const bus = createBus({ backbones: [backbone.plugin], apps, ...quiet });
    await expect(bus.start()).rejects.toMatchObject({ code: "PLUGIN_START_FAILED", message: "bad: at once\nworse: later" });
    expect(stopped).toEqual(["good"]);
    expect(backbone.calls).toContain("stop");
    expect(bus.state).toBe("stopped");
  });

  it("does not wait for ever", async () => {
    const bus = createBus({ backbones: [loop().plugin], apps: [app("slow", { start: () => never })], startTimeout: 20, ...quiet });
    await expect(bus.start()).rejects.toMatchObject({ code: "PLUGIN_START_TIMEOUT", plugin: "slow" });
  });

  it("a backbone that is late may say why", async () => {
    const slow = defineBackbone({
      name: "slow",
      create: () => ({
        start: (_, signal) => new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(new ThreatbusError("CONNECTION_FAILED", "nobody answers")))),
        publish: async () => undefined,
        stop: async () => undefined,
      }),
    });
    const bus = createBus({ backbones: [slow()], startTimeout: 20, ...quiet });
    await expect(bus.start()).rejects.toMatchObject({ code: "CONNECTION_FAILED", plugin: "slow", message: "slow: nobody answers" });
  });

  it("a plugin that throws while being made is told too", async () => {
    const broken = app("broken", {}, () => { throw new Error("no"); });
    await expect(createBus({ backbones: [loop().plugin], apps: [broken], ...quiet }).start()).rejects.toMatchObject({ plugin: "broken" });
  });

  it("refuses no backbone, two of one name, and a second start", async () => {
    expect(() => createBus({ backbones: [] })).toThrowError(expect.objectContaining({ code: "BACKBONE_MISSING" }) as Error);
    expect(() => createBus({ backbones: [loop().plugin], apps: [app("a", {}), app("a", {})] })).toThrowError(expect.objectContaining({ code: "PLUGIN_DUPLICATE" }) as Error);
    const bus = createBus({ backbones: [loop().plugin], ...quiet });
    await bus.start();
    await expect(bus.start()).rejects.toMatchObject({ code: "BUS_NOT_RUNNING" });
    await bus.stop();
  });

  it("can be stopped meanwhile", async () => {
    const { opened, open } = gate();
    const bus = createBus({ backbones: [loop().plugin], apps: [app("slow", { start: () => opened })], ...quiet });
    const started = expect(bus.start()).rejects.toMatchObject({ code: "BUS_NOT_RUNNING" });
    await expect.poll(() => bus.state).toBe("starting");
    const stopped = bus.stop();
    open();
    await Promise.all([started, stopped]);
  });
});

describe("stop", () => {
  it("tells apps to take nothing in, drains what they took, handlers' own messages included", async () => {
    let host: Host | undefined;
    let out = 0;
    const relay = app("relay", {
      async start(bus: Bus) {
        await bus.subscribe("stix2/indicator", async (m) => {
          await new Promise((resolve) => setImmediate(resolve));
          await bus.publish(message({ ...(m.body as object), type: "x-copy", id: (m.body as { id: string }).id.replace("indicator", "x-copy") } as never));
        });
        await bus.subscribe("stix2/x-copy", async () => {
          await new Promise((resolve) => setImmediate(resolve));
          out++;
        });
      },
    }, (given) => (host = given));
    const bus = createBus({ backbones: [loop().plugin], apps: [relay], ...quiet });
    await bus.start();
    for (let n = 0; n < 500; n++) await bus.publish(message(indicator()));
    const stopped = bus.stop();
    expect(host?.signal.aborted).toBe(true);
    await stopped;
    expect(out).toBe(500);
    await expect(bus.publish(message(indicator()))).rejects.toMatchObject({ code: "BUS_NOT_RUNNING" });
  });

  it("twice is harmless", async () => {
    const bus = createBus({ backbones: [loop().plugin], ...quiet });
    await bus.start();
    await Promise.all([bus.stop(), bus.stop()]);
    await bus.stop();
  });

  it("gives up on a stuck handler in time, and says exactly how much was left", async () => {
    const bus = createBus({ backbones: [loop().plugin], drainTimeout: 30, ...quiet });
    await bus.start();
    await bus.subscribe("", () => never);
    for (let n = 0; n < 7; n++) await bus.publish(message(indicator()));
    await expect(bus.stop()).rejects.toMatchObject({ code: "BUS_STOP_INCOMPLETE", message: expect.stringMatching(/^7 messages/) as string });
    expect(bus.stats().ended).toMatchObject({ received: 7, delivered: 0, dropped: { shutdown: 7 }, waiting: 0 });
  });

  it("names plugins that hang or fail, all together, and still stops the rest", async () => {
    const backbone = loop();
    const bus = createBus({
      backbones: [backbone.plugin], stopTimeout: 20, ...quiet,
      apps: [app("hangs", { stop: () => never }), app("fails", { stop: () => Promise.reject(new Error("no")) })],
    });
    await bus.start();
    await expect(bus.stop()).rejects.toMatchObject({ message: expect.stringMatching(/^hangs: no end after 0.02 s\nfails: no$/) as string });
    expect(backbone.calls).toContain("stop");
  });

  it("takes no frames from brokers while it drains, so that they are offered again elsewhere", async () => {
    const backbone = loop();
    const { opened, open } = gate();
    const bus = createBus({ backbones: [backbone.plugin], ...quiet });
    await bus.start();
    await bus.subscribe("", () => opened);
    await bus.publish(message(indicator()));
    const stopped = bus.stop();
    await expect(backbone.deliver({ topic: "stix2/indicator", id: "", payload: message(indicator()).payload })).rejects.toMatchObject({ code: "BUS_NOT_RUNNING" });
    open();
    await stopped;
  });
});

describe("stop while starting", () => {
  it("starts nothing any more once stopped", async () => {
    const { opened, open } = gate();
    const backbone = loop();
    const slow = defineBackbone({ name: "slow", create: () => ({ start: () => opened, publish: async () => undefined, stop: async () => undefined }) })();
    let started = false;
    const bus = createBus({ backbones: [backbone.plugin, slow], apps: [app("late", { start: async () => void (started = true) })], ...quiet });
    const failed = expect(bus.start()).rejects.toMatchObject({ code: "BUS_NOT_RUNNING" });
    const stopped = bus.stop();
    open();
    await Promise.all([failed, stopped]);
    await new Promise((resolve) => setImmediate(resolve));
    expect(started).toBe(false);
    expect(backbone.calls.at(-1)).toBe("stop");
  });

  it("a backbone that cannot subscribe ends the start, and is stopped", async () => {
    const calls: string[] = [];
    const broken = defineBackbone({
      name: "broken",
      create: () => ({ start: async () => undefined, publish: async () => undefined, subscribe: () => Promise.reject(new Error("no")), stop: async () => void calls.push("stop") }),
    })();
    const bus = createBus({ backbones: [broken], ...quiet });
    await expect(bus.start()).rejects.toMatchObject({ code: "PLUGIN_START_FAILED", plugin: "broken", message: "broken: no" });
    expect(calls).toEqual(["stop"]);
    expect(bus.state).toBe("stopped");
  });

  it("takes no messages before frames can flow", async () => {
    const bus = createBus({ backbones: [loop().plugin], ...quiet });
    const started = bus.start();
    await expect(bus.publish(message(indicator()))).rejects.toMatchObject({ code: "BUS_NOT_RUNNING" });
    await started;
    await bus.stop();
  });

  it("keeps what a broker brings until the apps have subscribed", async () => {
    const backbone = loop();
    const { opened, open } = gate();
    let got = 0;
    const late = app("late", {
      async start(bus) {
        await opened;
        await bus.subscribe("stix2/", () => void got++);
      },
    });
    const bus = createBus({ backbones: [backbone.plugin], apps: [late], ...quiet });
    const started = bus.start();
    await expect.poll(() => backbone.calls).toEqual(["+threatbus/"]);
    const delivered = backbone.deliver(frame(indicator(), "kept"));
    open();
    await Promise.all([started, delivered]);
    expect(got).toBe(1);
    await bus.stop();
  });
});

describe("a subscription that was closed while its handler is busy", () => {
  it("stays in the accounts, and stop waits for it", async () => {
    const { opened, open } = gate();
    const bus = createBus({ backbones: [loop().plugin], ...quiet });
    await bus.start();
    const subscription = await bus.subscribe("", () => opened);
    for (let n = 0; n < 3; n++) await bus.publish(message(indicator()));
    await expect.poll(() => subscription.stats.waitingBytes).toBeGreaterThan(0);
    await new Promise((resolve) => setImmediate(resolve));
    const closed = subscription.close();
    expect(bus.stats().subscriptions).toMatchObject([{ received: 3, dropped: { closed: 2 }, waiting: 1 }]);
    const stopped = bus.stop();
    open();
    await Promise.all([closed, stopped]);
    expect(bus.stats().ended).toMatchObject({ count: 1, received: 3, delivered: 1, dropped: { closed: 2 }, waiting: 0 });
  });

  it("is given up in time even if its handler awaits the close itself", async () => {
    const bus = createBus({ backbones: [loop().plugin], drainTimeout: 30, ...quiet });
    await bus.start();
    const subscription = await bus.subscribe("", async () => {
      await Promise.resolve();
      await subscription.close();
    });
    await bus.publish(message(indicator()));
    await expect.poll(() => bus.stats().subscriptions).toMatchObject([{ waiting: 1 }]);
    await expect(bus.stop()).rejects.toMatchObject({ code: "BUS_STOP_INCOMPLETE" });
    await subscription.closed;
    expect(bus.stats().ended).toMatchObject({ received: 1, dropped: { shutdown: 1 }, waiting: 0 });
  });
});

describe("options of a plugin", () => {
  it("are checked when it is configured, all problems at once", () => {
    const picky = defineApp<{ "~standard": { version: 1; vendor: "test"; validate: (value: unknown) => { issues: { message: string; path: string[] }[] }; types?: { input: { a: number }; output: { a: number } } } }>({
      name: "picky",
      options: { "~standard": { version: 1, vendor: "test", validate: () => ({ issues: [{ message: "is no port", path: ["pub"] }, { message: "is missing", path: ["sub"] }] }) } },
      create: () => ({ start: async () => undefined, stop: async () => undefined }),
    });
    expect(() => picky({ a: 1 })).toThrowError("the options of picky have problems\n  picky.pub: is no port\n  picky.sub: is missing");
    const plain = defineApp({ name: "plain", create: () => ({ start: async () => undefined, stop: async () => undefined }) });
    expect(() => plain({ a: 1 })).toThrowError(expect.objectContaining({ code: "OPTIONS_INVALID" }) as Error);
    expect(plain()).toMatchObject({ kind: "app", name: "plain" });
    expect({ ...plain }).toMatchObject({ kind: "app", name: "plain", contract: 1 });
  });
});
