import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createOracle, type Oracle, type OracleFigures } from "../src/index.ts";
import { hashBytes, idTable } from "../src/id-table.ts";

const scale = Number(process.env["THREATBUS_TEST_SCALE"] ?? 1);
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

function claimed(...ids: string[]): Oracle {
  const oracle = createOracle(["a"]);
  for (const id of ids) {
    oracle.claim(id, bytes(`payload of ${id}`));
    oracle.acked(id);
  }
  return oracle;
}
const ingest = (oracle: Oracle, ...ids: string[]): void => ids.forEach((id) => oracle.ingest("a", id, bytes(`payload of ${id}`)));
const clean = { duplicates: 0, spurious: 0, corrupted: 0, reordered: 0, lost: 0, missing: 0, accounted: 0 };

describe("the oracle", () => {
  it("has nothing to say about a clean run", () => {
    const oracle = claimed("1", "2", "3");
    ingest(oracle, "1", "2", "3");
    const figures = { ...clean, deliveredDistinct: 3, deliveredTotal: 3 };
    expect(oracle.report()).toEqual({ issued: 3, acked: 3, subscriptions: { a: figures }, total: figures });
  });

  it.each<[string, (oracle: Oracle) => void, Partial<OracleFigures>]>([
    ["lost", (o) => ingest(o, "1", "3"), { lost: 1, missing: 1, firstMissing: 1, deliveredDistinct: 2 }],
    ["everything lost, by a subscription that never came", () => undefined, { lost: 3, missing: 3, firstMissing: 0 }],
    ["duplicated", (o) => ingest(o, "1", "2", "2", "3"), { duplicates: 1, lost: 0, reordered: 0, deliveredTotal: 4 }],
    ["replayed in order, which is no reordering", (o) => ingest(o, "1", "2", "1", "2", "3"), { duplicates: 2, reordered: 0 }],
    ["spurious", (o) => ingest(o, "1", "2", "3", "4"), { spurious: 1, deliveredDistinct: 3, deliveredTotal: 4 }],
    ["reordered", (o) => ingest(o, "1", "3", "2"), { reordered: 1, lost: 0 }],
    ["corrupted, and so missing", (o) => (ingest(o, "1", "2"), o.ingest("a", "3", bytes("payload of 4"))), { corrupted: 1, lost: 1 }],
    ["accounted", (o) => (ingest(o, "1"), o.account("a", { dropped: { overflow: 1, closed: 1 } })), { lost: 0, missing: 2, accounted: 2 }],
    ["accounted in part", (o) => o.account("a", { dropped: 1, refused: 1 }), { lost: 1, missing: 3, accounted: 2 }],
    ["accounted in two lives", (o) => (o.account("a", { waiting: 1 }), o.account("a", { superseded: 2 })), { lost: 0, accounted: 3 }],
  ])("tells what was %s", (_what, happen, expected) => {
    const oracle = claimed("1", "2", "3");
    happen(oracle);
    expect(oracle.report().subscriptions["a"]).toMatchObject(expected);
    const { firstMissing: _, ...sums } = expected;
    expect(oracle.report().total).toMatchObject(sums);
  });

  it("misses nothing that was never acknowledged", () => {
    const oracle = createOracle(["a"]);
    oracle.claim("1", bytes("x"));
    expect(oracle.report()).toMatchObject({ issued: 1, acked: 0, total: { lost: 0, missing: 0 } });
  });

  it("judges order per producer and per subscription", () => {
    const oracle = createOracle();
    for (const [id, producer] of [["1", "p"], ["2", "q"], ["3", "p"], ["4", "q"]] as const) oracle.claim(id, bytes(id), producer);
    for (const id of ["2", "4", "1", "3"]) oracle.ingest("interleaved", id, bytes(id));
    for (const id of ["4", "2", "1", "3"]) oracle.ingest("swapped", id, bytes(id));
    expect(oracle.report().subscriptions).toMatchObject({ interleaved: { reordered: 0 }, swapped: { reordered: 1 } });
    expect(oracle.report().total.reordered).toBe(1);
  });

  it("refuses a test's own mistakes", () => {
    const oracle = claimed("1");
    expect(() => oracle.claim("1", bytes("x"))).toThrow("claimed twice");
    expect(() => oracle.acked("2")).toThrow("never claimed");
  });

  it("finds one missing in a million, in less than 100 MiB", () => {
    const messages = Math.max(1, scale) * 1_000_000;
    const payload = bytes("payload");
    const oracle = createOracle();
    const before = process.memoryUsage();
    for (let n = 0; n < messages; n++) {
      const id = `indicator--${n.toString(16).padStart(12, "0")}`;
      oracle.claim(id, payload);
      oracle.acked(id);
      for (const subscription of ["a", "b", "c", "d"]) if (n !== 500_000 || subscription !== "c") oracle.ingest(subscription, id, payload);
    }
    const after = process.memoryUsage();
    expect(oracle.report()).toMatchObject({ issued: messages, acked: messages, total: { lost: 1, deliveredTotal: messages * 4 - 1 } });
    expect(oracle.report().subscriptions["c"]).toMatchObject({ lost: 1, firstMissing: 500_000 });
    expect(after.arrayBuffers - before.arrayBuffers).toBeLessThan(100 * 2 ** 20 * Math.max(1, scale));
  });

  it("tells apart payloads that differ in one byte or in length", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 100 }), fc.nat(), fc.integer({ min: 1, max: 255 }), (payload, at, flip) => {
        const changed = payload.slice();
        changed[at % payload.length] = (changed[at % payload.length] ?? 0) ^ flip;
        expect(hashBytes(changed)).not.toBe(hashBytes(payload));
        expect(hashBytes(payload.slice())).toBe(hashBytes(payload));
        expect(hashBytes(Uint8Array.of(...payload, 0))).not.toBe(hashBytes(payload));
      }),
      { numRuns: 1000 * scale },
    );
  });

  it("numbers ids as a map would", () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: "binary", maxLength: 5 }), { maxLength: 1000, size: "max" }), (given) => {
        const table = idTable();
        const map = new Map<string, number>();
        for (const id of given) {
          expect(table.add(id)).toBe(map.has(id) ? undefined : map.size);
          if (!map.has(id)) map.set(id, map.size);
        }
        for (const [id, number] of map) expect(table.find(id)).toBe(number);
        expect(table.find("six long")).toBeUndefined();
        expect(table.size).toBe(map.size);
      }),
      { numRuns: 50 * scale },
    );
  });
});
