import { describe, expect, it } from "vitest";
import { createBus, decodeMessage, defineBackbone, message, silentLogger } from "../src/index.ts";
import type { Bus, Logger, Message, QueueLimits } from "../src/index.ts";
import { app, bytes, frame, gate, indicator, loop, scale, sighting } from "./samples.ts";

const quiet = { logger: silentLogger };

async function running(options: Partial<Parameters<typeof createBus>[0]> = {}) {
  const backbone = loop();
  const bus = createBus({ backbones: [backbone.plugin], ...quiet, ...options });
  await bus.start();
  return { bus, backbone };
}

function idOf(message: Message): string {
  return (message.body as { id: string }).id;
}

describe("routing", () => {
  it("matches by prefix, hands one object to all, and counts", async () => {
    const { bus } = await running();
    const got: Record<string, Message[]> = { all: [], stix: [], indicators: [], rules: [] };
    const keep = (name: string) => (m: Message): void => void got[name]?.push(m);
    await bus.subscribe("", keep("all"));
    await bus.subscribe("stix2/", keep("stix"));
    await bus.subscribe(["stix2/indicator", "stix2/ind"], keep("indicators"));
    await bus.subscribe("sigma", keep("rules"));
    const [a, b] = [message(indicator()), message(sighting(indicator()))];
    await bus.publish(a);
    await bus.publish(b);
    await expect.poll(() => got["all"]).toEqual([a, b]);
    expect(got["stix"]).toEqual([a, b]);
    expect(got["indicators"]).toEqual([a]);
    expect(got["rules"]).toEqual([]);
    await bus.publish(message("yara/rule", "rule a { condition: true }"));
    expect(bus.stats()).toMatchObject({ published: 3, arrived: 3, routed: 3, unmatched: 0, failed: 0 });
    await bus.stop();
  });

  it("counts what matches nobody", async () => {
    const { bus } = await running();
    await bus.publish(message(indicator()));
    expect(bus.stats()).toMatchObject({ arrived: 1, routed: 0, unmatched: 1 });
    await bus.stop();
  });

  it("never encodes what no wire asked for, and freezes nothing that is only relayed", async () => {
    const { bus } = await running();
    const relayed = decodeMessage("stix2/indicator", bytes(indicator()));
    const got: Uint8Array[] = [];
    await bus.subscribe("", (m) => void got.push(m.payload));
    await bus.publish(relayed);
    await expect.poll(() => got).toEqual([relayed.payload]);
    expect(Object.isFrozen((relayed as unknown as { raw: object }).raw)).toBe(false);
    await bus.stop();
  });

  it("hands out whole messages from the far end of a long queue", async () => {
    const { bus } = await running();
    const { opened, open } = gate();
    const got: unknown[] = [];
    await bus.subscribe("", async (m) => {
      await opened;
      got.push(m.body);
    });
    const sent = Array.from({ length: 1_500 }, (_, n) => indicator(`198.51.${n >> 8}.${n & 255}`));
    for (const [n, object] of sent.entries()) await bus.publish(n % 2 === 0 ? message(object) : decodeMessage("stix2/indicator", bytes(object)));
    open();
    await expect.poll(() => got).toEqual(sent);
    expect(got.every((body) => Object.isFrozen(body))).toBe(true);
    await bus.stop();
  });

  it("tells backbones of the first subscription to a prefix and of the last one's end", async () => {
    const { bus, backbone } = await running();
    const one = await bus.subscribe("stix2/", () => undefined);
    const two = await bus.subscribe("stix2/", () => undefined);
    await one.close();
    await two.close();
    await expect.poll(() => backbone.calls).toEqual(["+threatbus/", "+stix2/", "-stix2/"]);
    await bus.stop();
  });

  it("routes a flood of made-up types without remembering them all", async () => {
    const { bus } = await running();
    let got = 0;
    await bus.subscribe("stix2/x-", () => void got++);
    for (let n = 0; n < 3_000; n++) await bus.publish(message({ type: `x-${n}`, id: `x-${n}--00000000-0000-4000-8000-000000000000` } as never));
    await expect.poll(() => got).toBe(3_000);
    await bus.stop();
  });
});

describe("the handler's promise is the acknowledgement", () => {
  it("deliver resolves when the last subscription is done", async () => {
    const { bus, backbone } = await running();
    const { opened, open } = gate();
    await bus.subscribe("stix2/", () => opened);
    await bus.subscribe("stix2/", () => undefined);
    let settled = false;
    const delivery = backbone.deliver(frame(indicator())).then(() => (settled = true));
    await new Promise((resolve) => setImmediate(resolve));
    expect(settled).toBe(false);
    open();
    await delivery;
    await bus.stop();
  });

  it("a refusal is counted, logged once, and stops nothing", async () => {
    const warnings: string[] = [];
    const logger: Logger = { ...silentLogger, warn: (text) => void warnings.push(text) };
    const { bus } = await running({ logger });
    let calls = 0;
    const picky = await bus.subscribe("stix2/", () => {
      calls++;
      if (calls % 2 === 1) throw new Error("no");
      return calls === 2 ? Promise.reject(new Error("no")) : undefined;
    });
    for (let n = 0; n < 4; n++) await bus.publish(message(indicator()));
    await expect.poll(() => picky.stats).toMatchObject({ received: 4, delivered: 1, refused: 3, waiting: 0 });
    expect(warnings).toEqual(["a subscriber refused a message; more are counted"]);
    await bus.stop();
  });

  it("undecodable frames are refused to the backbone with a reason, and counted", async () => {
    const { bus, backbone } = await running();
    await bus.subscribe("stix2/", () => undefined);
    await expect(backbone.deliver(frame("{"))).rejects.toMatchObject({ code: "MESSAGE_REFUSED", reason: "json" });
    await expect(backbone.deliver(frame(indicator(), "", "cef/event"))).rejects.toMatchObject({ reason: "topic" });
    expect(bus.stats()).toMatchObject({ arrived: 2, refused: { json: 1, topic: 1 } });
    await bus.stop();
  });

  it("what nobody here subscribes to is not looked into, but for the bus's own", async () => {
    const { bus, backbone } = await running();
    await backbone.deliver(frame("{"));
    await expect(backbone.deliver(frame("{", "", "threatbus/snapshotrequest"))).rejects.toMatchObject({ reason: "json" });
    expect(bus.stats()).toMatchObject({ arrived: 2, unmatched: 1, refused: { json: 1 } });
    await bus.stop();
  });

  it("frames without a topic are told by what is inside", async () => {
    const { bus, backbone } = await running();
    const topics: string[] = [];
    await bus.subscribe(["", "threatbus/"], ({ topic }) => void topics.push(topic));
    await backbone.deliver(frame(indicator(), "", ""));
    await backbone.deliver(frame(sighting(indicator()), "", ""));
    await backbone.deliver(frame({ type: "snapshotrequest", snapshot_type: 1, snapshot_id: "a", snapshot: 1 }, "", ""));
    await expect(backbone.deliver(frame({ type: "no id" }, "", ""))).rejects.toMatchObject({ code: "MESSAGE_REFUSED" });
    expect(topics).toEqual(["stix2/indicator", "stix2/sighting", "threatbus/snapshotrequest"]);
    await bus.stop();
  });
});

it("who subscribes before the start misses nothing, its snapshot included, and the backbone is told", async () => {
  const backbone = loop();
  const history = indicator();
  const archive = app("archive", { async *snapshot() { yield history; } });
  const bus = createBus({ backbones: [backbone.plugin], apps: [archive], logger: silentLogger });
  const got: string[] = [];
  await bus.subscribe("stix2/indicator", ({ body }) => void got.push((body as { id: string }).id), { snapshot: 60 });
  expect(backbone.calls).toEqual([]);
  await bus.start();
  expect(backbone.calls).toContain("+stix2/indicator");
  await expect.poll(() => got).toEqual([history.id]);
  await bus.stop();
});

describe("bounded queues", () => {
  it.each(["drop_oldest", "drop_newest"] as const)("one stalled of four loses what is counted, the others nothing (%s)", async (overflow) => {
    const { bus } = await running();
    const { opened, open } = gate();
    const total = 20_000 * scale;
    const counts = [0, 0, 0];
    for (const n of counts.keys()) await bus.subscribe("stix2/", () => void (counts[n] = (counts[n] as number) + 1), { queue: { maxItems: total } });
    const stalled = await bus.subscribe("stix2/", () => opened, { queue: { maxItems: 100, overflow } });
    const one = message(indicator());
    for (let n = 0; n < total; n++) await bus.publish(one);
    await expect.poll(() => counts).toEqual([total, total, total]);
    expect(stalled.stats.waiting).toBeLessThanOrEqual(101);
    open();
    await expect.poll(() => stalled.stats.waiting).toBe(0);
    const { received, delivered, dropped } = stalled.stats;
    expect([received, delivered + dropped.overflow]).toEqual([total, total]);
    expect(dropped.overflow).toBeGreaterThan(0);
    await bus.stop();
  });

  it("block: publishers wait, nothing is lost, the queue never holds more than its limit", async () => {
    const { bus } = await running();
    let most = 0;
    const slow = await bus.subscribe("stix2/", async () => {
      most = Math.max(most, slow.stats.waiting);
      await new Promise((resolve) => setImmediate(resolve));
    }, { queue: { maxItems: 5, overflow: "block" } });
    const one = message(indicator());
    await Promise.all(Array.from({ length: 4 }, async () => {
      for (let n = 0; n < 100; n++) await bus.publish(one);
    }));
    await expect.poll(() => slow.stats).toMatchObject({ received: 400, delivered: 400 });
    expect(most).toBeLessThanOrEqual(6);
    await bus.stop();
  });

  it("disconnect: the subscription ends, the accounts balance, others go on", async () => {
    const { bus } = await running();
    const { opened, open } = gate();
    const slow = await bus.subscribe("stix2/", () => opened, { queue: { maxItems: 2, overflow: "disconnect" } });
    let other = 0;
    await bus.subscribe("stix2/", () => void other++);
    for (let n = 0; n < 10; n++) await bus.publish(message(indicator()));
    open();
    await slow.closed;
    const { received, delivered, dropped, waiting } = slow.stats;
    expect(received).toBe(delivered + dropped.overflow + waiting);
    await expect.poll(() => other).toBe(10);
    expect(bus.stats().ended.count).toBe(1);
    await bus.stop();
  });

  it("refuses limits that are none", async () => {
    const { bus } = await running();
    const bad: Partial<QueueLimits>[] = [{ maxItems: 0 }, { maxBytes: Number.NaN }, { overflow: "toString" as never }];
    for (const queue of bad) await expect(bus.subscribe("", () => undefined, { queue })).rejects.toMatchObject({ code: "OPTIONS_INVALID" });
    await bus.stop();
  });
});

describe("publishers that wait for room", () => {
  it("are woken when what filled the queue was dropped for the budget of all", async () => {
    const size = bytes(indicator()).length;
    const { bus, backbone } = await running({ queueBudget: size * 2 - 1 });
    const { opened, open } = gate();
    const slow = await bus.subscribe("stix2/indicator", () => opened, { queue: { maxItems: 1, overflow: "block" } });
    await bus.publish(message(indicator()));
    await expect.poll(() => slow.stats).toMatchObject({ waiting: 1 });
    await bus.publish(message(indicator()));
    let published = false;
    const waiting = bus.publish(message(indicator())).then(() => (published = true));
    void backbone.deliver(frame(indicator("198.51.100.7", { x_filler: "x".repeat(size * 2) })));
    await waiting;
    expect(published).toBe(true);
    expect(slow.stats.dropped.budget).toBe(2);
    open();
    await bus.stop();
  });

  it("never overfill the first of two while they wait for the second", async () => {
    const { bus } = await running();
    const [first, second] = [gate(), gate()];
    const queue = { maxItems: 1, overflow: "block" } as const;
    const one = await bus.subscribe(["stix2/indicator", "stix2/sighting"], () => first.opened, { queue });
    const two = await bus.subscribe(["stix2/indicator", "yara/rule"], () => second.opened, { queue });
    const fill = async (m: Message): Promise<void> => {
      for (let n = 0; n < 2; n++) {
        await bus.publish(m);
        await new Promise((resolve) => setImmediate(resolve));
      }
    };
    await fill(message("yara/rule", "rule a { condition: true }"));
    const waiting = bus.publish(message(indicator()));
    await fill(message(sighting(indicator())));
    second.open();
    await expect.poll(() => two.stats.waiting).toBe(0);
    expect(one.stats).toMatchObject({ received: 2, waiting: 2 });
    first.open();
    await waiting;
    await expect.poll(() => [one.stats.delivered, two.stats.delivered]).toEqual([3, 3]);
    await bus.stop();
  });
});

describe("handlers that reach back into the bus", () => {
  it("close, publish, subscribe and throw as they like: every account balances at every call", async () => {
    const { bus } = await running();
    const balance = (): void => {
      const { subscriptions, ended } = bus.stats();
      for (const { received, delivered, refused, superseded, dropped, waiting } of [...subscriptions, ended]) {
        expect(delivered + refused + superseded + dropped.overflow + dropped.budget + dropped.closed + dropped.shutdown + waiting).toBe(received);
      }
    };
    let depth = 0, offspring = 0;
    const closing = await bus.subscribe("stix2/", () => {
      balance();
      void closing.close();
      balance();
    });
    await bus.subscribe("stix2/", async (m) => {
      balance();
      if (depth++ < 50) await bus.publish(message(indicator()));
      if (depth % 2 === 0) throw new Error(idOf(m));
    });
    await bus.subscribe("stix2/", async () => {
      const child = await bus.subscribe("stix2/", () => void offspring++, { queue: { maxItems: 2, overflow: "disconnect" } });
      balance();
      if (depth > 20) void child.close();
    }, { queue: { maxItems: 5, overflow: "conflate" } });
    for (let n = 0; n < 20; n++) await bus.publish(message(indicator()));
    await expect.poll(() => bus.stats().subscriptions.every(({ waiting }) => waiting === 0)).toBe(true);
    balance();
    expect(offspring).toBeGreaterThan(0);
    expect(closing.stats).toMatchObject({ delivered: 1 });
    await bus.stop();
    expect(bus.stats().subscriptions).toEqual([]);
    balance();
  });
});

describe("a prefix no backbone took", () => {
  it("is asked for again by the next who wants it, and not kept by those who took it", async () => {
    const told: string[] = [];
    let failing = true;
    const backbone = (name: string, fails: boolean) => defineBackbone({
      name,
      create: () => ({
        start: async () => undefined, publish: async () => undefined, stop: async () => undefined,
        subscribe: async (prefix) => {
          if (fails && failing && prefix === "stix2/") throw new Error("not now");
          told.push(`${name}+${prefix}`);
        },
        unsubscribe: async (prefix) => void told.push(`${name}-${prefix}`),
      }),
    })();
    const bus = createBus({ backbones: [backbone("a", false), backbone("b", true)], ...quiet });
    await bus.start();
    told.length = 0;
    const first = bus.subscribe("stix2/", () => undefined);
    const second = first.catch(() => (failing = false)).then(() => bus.subscribe("stix2/", () => undefined));
    await expect(first).rejects.toMatchObject({ code: "BACKBONE_FAILED", plugin: "b", message: "b: not now" });
    await second;
    expect(told).toEqual(["a+stix2/", "a-stix2/", "b-stix2/", "a+stix2/", "b+stix2/"]);
    await bus.stop();
  });
});

describe("several backbones", () => {
  it("publish to each; each subscriber sees a message once", async () => {
    const [one, two] = [loop("one"), loop("two")];
    const bus = createBus({ backbones: [one.plugin, two.plugin], ...quiet });
    await bus.start();
    const got: string[] = [];
    await bus.subscribe("", (m) => void got.push(idOf(m)));
    const sent = Array.from({ length: 50 }, () => message(indicator()));
    for (const m of sent) await bus.publish(m);
    await expect.poll(() => got).toEqual(sent.map(idOf));
    expect(bus.stats()).toMatchObject({ arrived: 100, routed: 50, duplicates: 50 });
    await bus.stop();
  });

  it("a redelivered frame is acknowledged when the first is, and delivered once; equal content twice is two", async () => {
    const { bus, backbone } = await running();
    const { opened, open } = gate();
    let got = 0;
    await bus.subscribe("", () => {
      got++;
      return opened;
    });
    const content = indicator();
    let again = false;
    const first = backbone.deliver(frame(content, "id-1"));
    const second = backbone.deliver(frame(content, "id-1")).then(() => (again = true));
    await new Promise((resolve) => setImmediate(resolve));
    expect(again).toBe(false);
    open();
    await Promise.all([first, second]);
    await backbone.deliver(frame(content, "id-2"));
    await backbone.deliver(frame(content, ""));
    await backbone.deliver(frame(content, ""));
    expect(got).toBe(4);
    expect(bus.stats().duplicates).toBe(1);
    await bus.stop();
  });
});

describe("apps in one process", () => {
  it("answer each other: indicator in, sighting out", async () => {
    const seen = new Map<string, string>();
    const matcher = app("matcher", {
      async start(bus: Bus) {
        await bus.subscribe("stix2/indicator", (m) => bus.publish(message(sighting(m.body as never))));
      },
    });
    const { bus } = await running({ apps: [matcher] });
    await bus.subscribe("stix2/sighting", (m) => void seen.set((m.body as { sighting_of_ref: string }).sighting_of_ref, idOf(m)));
    const sent = Array.from({ length: 100 }, () => message(indicator()));
    for (const m of sent) await bus.publish(m);
    await expect.poll(() => [...seen.keys()]).toEqual(sent.map(idOf));
    expect(bus.stats().subscriptions[0]?.name).toBe("matcher#1");
    await bus.stop();
  });
});
