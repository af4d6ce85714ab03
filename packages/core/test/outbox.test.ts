import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MetricSet, Outbox, ThreatbusError, defaultOutboxLimits, message, silentLogger } from "../src/index.ts";
import type { Frame, Outgoing, OutboxLimits } from "../src/index.ts";
import { frame, indicator, scale } from "./samples.ts";

function outboxOf(limits: Partial<OutboxLimits> = {}) {
  const metrics = new MetricSet();
  let woken = 0;
  const outbox = new Outbox({ ...defaultOutboxLimits, ...limits }, { metrics, logger: silentLogger }, () => woken++);
  const outcomes: string[] = [];
  const put = (given: Frame): void => void outbox.put(given).then(() => outcomes.push(`${given.id} done`), (thrown: ThreatbusError) => outcomes.push(`${given.id} ${thrown.code}`));
  const figure = (name: string) => metrics.samples().find((sample) => sample.name === name)?.value;
  return { outbox, put, outcomes, figure, woken: () => woken };
}

const numbered = (n: number): Frame => frame("x".repeat(10), String(n));
const idsOf = (taken: readonly (Outgoing | undefined)[]): (string | undefined)[] => taken.map((one) => one?.frame.id);

describe("the outbox", () => {
  it("tells each publisher what became of its message", async () => {
    const { outbox, put, outcomes, figure } = outboxOf();
    for (const n of [1, 2, 3]) put(numbered(n));
    const [first, second] = [outbox.take(), outbox.take()] as [Outgoing, Outgoing];
    expect([outbox.waiting, outbox.underWay, figure("outbox_waiting"), figure("outbox_under_way"), figure("outbox_waiting_bytes")]).toEqual([1, 2, 1, 2, 10]);
    outbox.done(second);
    outbox.fail(first, new ThreatbusError("BACKBONE_FAILED"));
    outbox.close();
    await expect(outbox.put(numbered(4))).rejects.toMatchObject({ code: "BUS_NOT_RUNNING" });
    expect(outcomes).toEqual(["2 done", "1 BACKBONE_FAILED", "3 BUS_NOT_RUNNING"]);
  });

  it("after a broken connection begins again where it was, in the old order", () => {
    const { outbox, put, woken } = outboxOf();
    for (const n of [1, 2, 3, 4, 5]) put(numbered(n));
    const before = woken();
    const taken = [outbox.take(), outbox.take(), outbox.take()];
    outbox.done(taken[1] as Outgoing);
    outbox.rewind();
    expect(woken()).toBe(before + 1);
    expect(outbox.take()?.frame.id).toBe("1");
    outbox.rewind();
    expect(idsOf(Array.from({ length: 5 }, () => outbox.take()))).toEqual(["1", "3", "4", "5", undefined]);
  });

  it("an answer that comes after the rewind counts for nothing: the message is sent again", async () => {
    const { outbox, put, outcomes } = outboxOf();
    put(numbered(1));
    const lost = outbox.take() as Outgoing;
    outbox.rewind();
    outbox.done(lost);
    expect(outbox.waiting).toBe(1);
    outbox.done(outbox.take() as Outgoing);
    await Promise.resolve();
    expect(outcomes).toEqual(["1 done"]);
  });

  it.each([
    ["drop_oldest", ["1 BACKBONE_FAILED", "2 BACKBONE_FAILED"], ["3", "4", undefined]],
    ["drop_newest", ["3 BACKBONE_FAILED", "4 BACKBONE_FAILED"], ["1", "2", undefined]],
    ["block", [], ["1", "2", "3", "4"]],
  ] as const)("full: %s", async (overflow, told, left) => {
    const { outbox, put, outcomes, figure } = outboxOf({ maxItems: 2, overflow });
    for (const n of [1, 2, 3, 4]) put(numbered(n));
    await new Promise((resolve) => setImmediate(resolve));
    expect(outcomes).toEqual(told);
    expect(figure("outbox_dropped")).toBe(told.length);
    expect(idsOf(left.map(() => outbox.take()))).toEqual(left);
  });

  it("knows what a message is about, whatever else it is called", () => {
    const { outbox, put } = outboxOf();
    const object = indicator("192.0.2.1", { snapshot_id: 5 });
    for (const one of [message(object), message({ type: "snapshotrequest", snapshot_type: 1, snapshot_id: "a", snapshot: 1 }), message("yara/rule", "rule a { condition: true }"), numbered(1)]) put(one);
    expect([1, 2, 3, 4].map(() => outbox.take()?.key)).toEqual([object.id, "a", "yara/rule", "stix2/indicator"]);
  });

  it("bounds bytes too, and drops removals last", async () => {
    const { outbox, put, outcomes } = outboxOf({ maxBytes: 700, overflow: "drop_oldest" });
    const [removal, other, last] = [message(indicator("192.0.2.1", { x_threatbus_update: "REMOVE" })), message(indicator()), message(indicator())];
    for (const one of [removal, other, last]) put(one);
    await new Promise((resolve) => setImmediate(resolve));
    expect(outcomes).toEqual([`${other.id} BACKBONE_FAILED`]);
    expect(idsOf([outbox.take(), outbox.take()])).toEqual([removal.id, last.id]);
  });

  it("whatever happens, everybody is told once, and what is sent first is in order", async () => {
    const steps = fc.array(fc.oneof(fc.constant("put"), fc.constant("take"), fc.constant("done"), fc.constant("rewind")), { maxLength: 200 });
    await fc.assert(fc.asyncProperty(steps, fc.constantFrom("block", "drop_oldest", "drop_newest"), async (script, overflow) => {
      const { outbox, put, outcomes } = outboxOf({ maxItems: 5, overflow });
      const underWay: Outgoing[] = [];
      const firstSent: number[] = [];
      let n = 0;
      for (const step of script) {
        if (step === "put") put(numbered(n++));
        else if (step === "take") {
          const next = outbox.take();
          if (next === undefined) continue;
          underWay.push(next);
          const id = Number(next.frame.id);
          if (!firstSent.includes(id)) firstSent.push(id);
        } else if (step === "done") {
          const first = underWay.shift();
          if (first !== undefined) outbox.done(first);
        } else {
          underWay.length = 0;
          outbox.rewind();
        }
        expect(outbox.underWay).toBe(underWay.length);
      }
      outbox.close();
      await new Promise((resolve) => setImmediate(resolve));
      expect(outcomes.map((line) => Number(line.split(" ")[0])).sort((a, b) => a - b)).toEqual(Array.from({ length: n }, (_, k) => k));
      expect(firstSent).toEqual([...firstSent].sort((a, b) => a - b));
    }), { numRuns: 200 * scale });
  });
});
