import { connect } from "node:net";
import { describe, expect, it, vi } from "vitest";
import { reasonOf, redact, stderrLogger, systemClock } from "../src/index.ts";
import { SeenFrames } from "../src/seen.ts";

describe("frames seen", () => {
  const outcome = Promise.resolve();

  it("are remembered a hundred thousand back at least, and not for ever", () => {
    const seen = new SeenFrames();
    for (let n = 0; n < 350_000; n++) seen.remember(`id-${n}`, outcome, 1);
    expect([seen.outcome("id-349999"), seen.outcome("id-250000")]).toEqual([outcome, outcome]);
    expect(seen.outcome("id-0")).toBeUndefined();
  });

  it("are forgotten after a while", () => {
    const seen = new SeenFrames();
    seen.remember("a", outcome, 0);
    seen.remember("b", outcome, 600_001);
    expect(seen.outcome("a")).toBe(outcome);
    seen.remember("c", outcome, 1_200_002);
    expect(seen.outcome("a")).toBeUndefined();
  });

  it("without an id, or with one no transport makes, are not kept", () => {
    const seen = new SeenFrames();
    for (const id of ["", "x".repeat(1_000_000)]) {
      seen.remember(id, outcome, 1);
      expect(seen.outcome(id)).toBeUndefined();
    }
  });
});

describe("the log", () => {
  it("is one line of JSON with no secret in it, whatever quotes there are", () => {
    const lines: string[] = [];
    const write = vi.spyOn(process.stderr, "write").mockImplementation((line) => lines.push(String(line)) > 0);
    try {
      stderrLogger.warn("careful", { reason: 'key="hush hush", amqp://user:p@ss-hush@host', password: "hush", topic: "a/b", n: 1n });
    } finally {
      write.mockRestore();
    }
    expect(lines.join("")).not.toContain("hush");
    expect(JSON.parse(lines.join(""))).toMatchObject({ level: "warn", text: "careful", topic: "a/b", n: "1", password: "***" });
  });

  it("blots out a user part with an @ in it", () => {
    expect(redact("see amqp://me:p@ss@host/x, then a@b")).toBe("see amqp://***@host/x, then a@b");
  });
});

it("the reasons of every address of a name are told", async () => {
  const lookup = (_: string, __: object, done: (error: null, addresses: { address: string; family: number }[]) => void): void => done(null, ["127.0.0.1", "127.0.0.2"].map((address) => ({ address, family: 4 })));
  // Port 1 is nobody's.
  const error = await new Promise((resolve) => connect({ host: "two.example", port: 1, lookup: lookup, autoSelectFamily: true }).on("error", resolve));
  expect(reasonOf(error)).toBe("connect ECONNREFUSED 127.0.0.1:1; connect ECONNREFUSED 127.0.0.2:1");
  expect(reasonOf(new AggregateError([], "none"))).toBe("none");
});

it("a sleep longer than a timer can be does not end at once", async () => {
  const end = new AbortController();
  let over = false;
  const slept = systemClock.sleep(Number.POSITIVE_INFINITY, end.signal).then(() => (over = true));
  await systemClock.sleep(20);
  expect(over).toBe(false);
  end.abort();
  await slept;
});
