import { systemClock } from "@threatbus/core";
import { describe, expect, it } from "vitest";
import { fakeHost, manualClock } from "../src/index.ts";

describe("a fake host", () => {
  it("records what is logged, with level and fields", () => {
    const host = fakeHost();
    host.logger.warn("queue is full", { dropped: 3 });
    host.logger.debug("ready");
    expect(host.entries).toEqual([
      { level: "warn", text: "queue is full", fields: { dropped: 3 } },
      { level: "debug", text: "ready", fields: {} },
    ]);
  });

  it("shows counters by name and labels in any order, and gauges", () => {
    const host = fakeHost();
    host.metrics.counter("dropped", { reason: "overflow", app: "zmq" }).add();
    host.metrics.counter("dropped", { app: "zmq", reason: "overflow" }).add(2);
    host.metrics.gauge("waiting", () => 5);
    expect(host.count("dropped", { reason: "overflow", app: "zmq" })).toBe(3);
    expect(host.count("dropped")).toBe(0);
    expect(host.gauge("waiting")).toBe(5);
    expect(host.gauge("none")).toBeUndefined();
  });

  it("fires the stop signal on demand and takes overrides", () => {
    const host = fakeHost({ name: "zmq", clock: systemClock });
    expect([host.name, host.clock, host.signal.aborted]).toEqual(["zmq", systemClock, false]);
    host.stopping.abort();
    expect(host.signal.aborted).toBe(true);
  });
});

describe("a manual clock", () => {
  it("wakes sleepers in the order they are due, those who go back to sleep included", async () => {
    const clock = manualClock(0);
    const woken: string[] = [];
    const tick = async (): Promise<void> => {
      for (let n = 0; n < 3; n++) {
        await clock.sleep(10);
        woken.push(`tick at ${clock.now()}`);
      }
    };
    const ticking = tick();
    const late = clock.sleep(25).then(() => woken.push(`late at ${clock.now()}`));
    await clock.advance(9);
    expect(woken).toEqual([]);
    await clock.advance(91);
    await Promise.all([ticking, late]);
    expect(woken).toEqual(["tick at 10", "tick at 20", "late at 25", "tick at 30"]);
    expect([clock.now(), clock.sleeping]).toEqual([100, 0]);
  });

  it("wakes at once when the signal fires, and does not sleep at all for no time", async () => {
    const clock = manualClock();
    const ending = new AbortController();
    const sleeping = clock.sleep(1_000, ending.signal);
    expect(clock.sleeping).toBe(1);
    ending.abort();
    await sleeping;
    await clock.sleep(1_000, ending.signal);
    await clock.sleep(0);
    expect(clock.sleeping).toBe(0);
    expect(clock.now()).toBe(Date.UTC(2024, 0, 1));
  });
});
