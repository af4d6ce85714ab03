import { expect, test } from "vitest";
import { sightingOf } from "../src/intel/sighting.ts";
import { stixNanoseconds } from "../src/wire/time.ts";
import type { Value } from "../src/wire/value.ts";

test("a time beyond 64 bits of nanoseconds is later than any other, not 1970", () => {
  expect(stixNanoseconds("9999-12-31T23:59:59.999999Z")).toBe(BigInt(Date.parse("9999-12-31T23:59:59.999Z")) * 1_000_000n + 999_000n);
  expect(stixNanoseconds("2024-05-01T10:00:00.1234Z")).toBe(BigInt(Date.parse("2024-05-01T10:00:00.123Z")) * 1_000_000n + 400_000n);
});

test("tables as keys of tables as keys do not grow", () => {
  let key: Value = { type: "string", value: Buffer.from('"') } as unknown as Value;
  for (let level = 0; level < 28; level++) key = { type: "table", value: [[key, { type: "none" } as unknown as Value]] };
  const context: Value = { type: "table", value: [[key, key]] };
  const sighting = sightingOf([{ type: "timestamp", value: 0n }, { type: "string", value: Buffer.from("indicator--00000000-0000-4000-8000-000000000002") } as unknown as Value, context], 0, () => undefined);
  expect(JSON.stringify(sighting, (_, value: unknown) => (typeof value === "bigint" ? String(value) : value)).length).toBeLessThan(10_000);
});
