import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { faultScript, manualClock, runFaultScript, type FaultKind, type FaultScript } from "../src/index.ts";

const faults: readonly FaultKind[] = [
  { op: "kill", who: "broker", undo: "start" },
  { op: "stop", who: "client", undo: "continue" },
  { op: "close", who: "connections" },
];

describe("fault scripts", () => {
  it("are the same for the same seed, different for another, and data", () => {
    const script = faultScript(1, { faults, duration: 60_000 });
    expect(faultScript(1, { faults, duration: 60_000 })).toEqual(script);
    expect(faultScript(2, { faults, duration: 60_000 }).steps).not.toEqual(script.steps);
    expect(JSON.parse(JSON.stringify(script))).toEqual(script);
    expect(script.steps.length).toBeGreaterThan(20);
  });

  it("are in order, heal within their period, and leave the quiet share of periods alone, the last among them", () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 1, max: 40 }), fc.double({ min: 0, max: 1, noNaN: true }), (seed, periods, quiet) => {
        const period = 1_000;
        const { steps, duration } = faultScript(seed, { faults, duration: periods * period, period, quiet });
        const noisy = new Set(steps.map(({ at }) => Math.floor(at / period)));
        expect(duration).toBe(periods * period);
        expect(steps.map(({ at }) => at)).toEqual(steps.map(({ at }) => at).sort((a, b) => a - b));
        expect(noisy.size).toBe(periods - Math.max(1, Math.ceil(periods * quiet)));
        expect(noisy.has(periods - 1)).toBe(false);
        for (const { op, undo } of faults) {
          const ops = steps.filter((step) => step.op === op || step.op === undo);
          ops.forEach((step, n) => {
            if (undo !== undefined) expect(step.op).toBe(n % 2 === 0 ? op : undo);
            if (undo !== undefined && n % 2 === 1) expect(Math.floor(step.at / period)).toBe(Math.floor((ops[n - 1]?.at ?? 0) / period));
          });
        }
      }),
    );
  });
});

describe("running a fault script", () => {
  const script: FaultScript = {
    seed: 0,
    duration: 1_000,
    steps: [
      { at: 100, op: "kill", who: "broker" },
      { at: 300, op: "start", who: "broker" },
      { at: 350, op: "kill", who: "client" },
    ],
  };

  it("does each step at its time, one after another, and lasts as long as the script", async () => {
    const clock = manualClock(0);
    const done: string[] = [];
    const running = runFaultScript(
      script,
      {
        kill: (who) => void done.push(`${clock.now()} kill ${who}`),
        async start(who) {
          await clock.sleep(200);
          done.push(`${clock.now()} start ${who}`);
        },
      },
      new AbortController().signal,
      clock,
    );
    await clock.advance(1_000);
    expect(await running).toBe(3);
    expect(done).toEqual(["100 kill broker", "500 start broker", "500 kill client"]);
    expect(clock.now()).toBe(1_000);
  });

  it("ends early when the signal fires", async () => {
    const clock = manualClock(0);
    const ending = new AbortController();
    const running = runFaultScript(script, { kill: () => undefined, start: () => undefined }, ending.signal, clock);
    await clock.advance(200);
    ending.abort();
    expect(await running).toBe(1);
    expect(clock.sleeping).toBe(0);
  });

  it("refuses an op without a handler before doing anything, and passes on what a handler throws", async () => {
    const clock = manualClock(0);
    const signal = new AbortController().signal;
    await expect(runFaultScript(script, { kill: () => undefined }, signal, clock)).rejects.toThrow("no handler for: start");
    const steps = [{ at: 0, op: "toString", who: "" }];
    await expect(runFaultScript({ ...script, steps }, {}, signal, clock)).rejects.toThrow("no handler for: toString");
    const fail = (): never => {
      throw new Error("broker would not die");
    };
    const failing = runFaultScript(script, { kill: fail, start: fail }, signal, clock);
    await Promise.all([expect(failing).rejects.toThrow("would not die"), clock.advance(1_000)]);
  });
});
