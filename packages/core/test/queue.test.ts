import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Overflow } from "../src/index.ts";
import { Delivery } from "../src/delivery.ts";
import { Content } from "../src/message.ts";
import { BoundedQueue } from "../src/queue.ts";
import type { Left } from "../src/queue.ts";
import { indicator, scale } from "./samples.ts";

const uuid = (n: number): string => `00000000-0000-4000-8000-${String(n).padStart(12, "0")}`;

function delivery(n: number, removal = false, history = false): Delivery {
  const object = indicator("198.51.100.7", { id: `indicator--${uuid(n)}`, ...(removal ? { x_threatbus_update: "REMOVE" } : {}) });
  return new Delivery(new Content("stix2/indicator", object, Buffer.alloc(100)), undefined, history);
}

function queueOf(overflow: Overflow, maxItems = 3, maxBytes = 1_000_000, budget = { used: 0, max: 1e9 }) {
  const left: [Delivery, Left][] = [];
  return { queue: new BoundedQueue<Delivery>({ maxItems, maxBytes, overflow }, budget, (gone, why) => left.push([gone, why])), left, budget };
}

function drain(queue: BoundedQueue<Delivery>): Delivery[] {
  const all: Delivery[] = [];
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) all.push(next);
  return all;
}

describe("a full queue", () => {
  const [a, b, c, d] = [delivery(1), delivery(2), delivery(3), delivery(4)] as const;

  it("drop_oldest: the oldest goes", () => {
    const { queue, left } = queueOf("drop_oldest");
    for (const one of [a, b, c, d]) expect(queue.offer(one)).toBe(true);
    expect(left).toEqual([[a, "overflow"]]);
    expect(drain(queue)).toEqual([b, c, d]);
  });

  it("drop_newest: the arriving one goes", () => {
    const { queue, left } = queueOf("drop_newest");
    for (const one of [a, b, c, d]) queue.offer(one);
    expect(left).toEqual([[d, "overflow"]]);
    expect(drain(queue)).toEqual([a, b, c]);
  });

  it("disconnect: says so", () => {
    const { queue } = queueOf("disconnect");
    for (const one of [a, b, c]) expect(queue.offer(one)).toBe(true);
    expect(queue.offer(d)).toBe(false);
  });

  it("block: takes it; its publishers were to wait", () => {
    const { queue, left } = queueOf("block");
    for (const one of [a, b, c, d]) queue.offer(one);
    expect(queue.full).toBe(true);
    expect(left).toEqual([]);
  });

  it.each(["drop_oldest", "drop_newest", "conflate"] as const)("%s: removals go last", (overflow) => {
    const { queue, left } = queueOf(overflow);
    const removals = [delivery(11, true), delivery(12, true), delivery(13, true)];
    for (const one of [a, ...removals, b]) queue.offer(one);
    expect(left.map(([gone]) => gone)).toEqual([a, b]);
    queue.offer(delivery(14, true));
    expect(left.at(-1)?.[0]).toBe(removals[0]);
    expect(queue.count).toBe(3);
  });

  it("conflate: a newer version takes the place of the waiting one at any time", () => {
    const { queue, left } = queueOf("conflate", 100);
    const newer = delivery(1);
    for (const one of [a, b, newer]) queue.offer(one);
    expect(left).toEqual([[a, "superseded"]]);
    expect(drain(queue)).toEqual([b, newer]);
  });

  it("is bounded by bytes too, but takes one message of any size", () => {
    const { queue, left } = queueOf("drop_oldest", 100, 250);
    for (const one of [a, b, c]) queue.offer(one);
    expect(left).toEqual([[a, "overflow"]]);
    const tight = queueOf("drop_oldest", 100, 10);
    tight.queue.offer(a);
    expect(tight.queue.count).toBe(1);
  });

  it("counts history by bytes only", () => {
    const { queue, left } = queueOf("drop_oldest", 2, 1_000);
    for (let n = 0; n < 8; n++) queue.offer(delivery(n, false, true));
    expect(left).toEqual([]);
    expect(queue.count).toBe(8);
  });

  it("shares the budget of the bus", () => {
    const { queue, left, budget } = queueOf("drop_oldest", 100, 1_000_000, { used: 850, max: 1_000 });
    queue.offer(a);
    queue.offer(b);
    expect(left).toEqual([[a, "budget"]]);
    expect(budget.used).toBe(950);
  });
});

describe("a queue nobody empties", () => {
  it.each(["drop_oldest", "conflate"] as const)("%s: takes hundreds of thousands in the room it has", (overflow) => {
    const { queue, left } = queueOf(overflow, 3);
    queue.offer(delivery(0, true));
    const others = [delivery(1), delivery(2), delivery(3)];
    let slots = 0;
    const push = Array.prototype.push;
    // The only way to see the room it takes from outside.
    Array.prototype.push = function watched(this: unknown[], ...items: unknown[]) {
      if (items[0] instanceof Delivery) slots = Math.max(slots, this.length);
      return push.apply(this, items);
    };
    try {
      for (let n = 0; n < 30_000; n++) queue.offer(others[n % 3] as Delivery);
    } finally {
      Array.prototype.push = push;
    }
    expect(slots).toBeGreaterThan(0);
    expect(slots).toBeLessThan(10_000);
    expect(queue.count + left.length).toBe(30_001);
    expect(drain(queue)[0]?.removal).toBe(true);
  });

  it("a live message takes the place of a live one, however much history waits before it", () => {
    const { queue, left } = queueOf("drop_oldest", 2, 1_000_000);
    const [a, b, c] = [delivery(1), delivery(2), delivery(3)];
    for (let n = 10; n < 20; n++) queue.offer(delivery(n, false, true));
    for (const live of [a, b, c]) queue.offer(live);
    expect(left).toEqual([[a, "overflow"]]);
    expect(queue.count).toBe(12);
  });
});

describe("whatever happens", () => {
  it("what was offered was handed out, left with a reason, or waits; the limits hold", () => {
    const step = fc.oneof(
      fc.record({ do: fc.constant("offer" as const), n: fc.nat(30), removal: fc.boolean(), history: fc.boolean() }),
      fc.record({ do: fc.constant("shift" as const) }),
      fc.record({ do: fc.constant("clear" as const) }),
    );
    const overflow = fc.constantFrom<Overflow>("drop_oldest", "drop_newest", "conflate", "disconnect");
    fc.assert(fc.property(overflow, fc.array(step, { maxLength: 200 }), (policy, steps) => {
      const { queue, left, budget } = queueOf(policy, 7, 1_500, { used: 0, max: 1_200 });
      let offered = 0, shifted = 0, turnedAway = 0;
      for (const one of steps) {
        if (one.do === "offer") {
          offered++;
          if (!queue.offer(delivery(one.n, one.removal, one.history))) turnedAway++;
        } else if (one.do === "shift") shifted += queue.shift() === undefined ? 0 : 1;
        else queue.clear("closed");
        expect(offered).toBe(shifted + left.length + turnedAway + queue.count);
        expect(queue.bytes).toBe(budget.used);
        expect(queue.bytes).toBeLessThanOrEqual(1_200);
      }
      expect(drain(queue).length).toBe(offered - shifted - left.length - turnedAway);
      expect(queue.bytes).toBe(0);
    }), { numRuns: 500 * scale });
  });

  it("keeps the order over many thousands", () => {
    const { queue } = queueOf("drop_oldest", 20_000);
    const waiting: Delivery[] = [];
    for (let round = 0; round < 30; round++) {
      for (let n = 0; n < 1_000; n++) {
        const next = delivery(n);
        waiting.push(next);
        queue.offer(next);
      }
      for (let n = 0; n < 900; n++) expect(queue.shift()).toBe(waiting.shift());
    }
    expect(queue.count).toBe(waiting.length);
  });
});
