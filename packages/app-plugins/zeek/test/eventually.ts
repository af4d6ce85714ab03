import { expect, vi } from "vitest";

/** Waits until what `read` gives is what is expected; fails with the difference after `patience` ms. */
export async function eventually(read: () => unknown, expected: unknown, patience = 10_000): Promise<void> {
  await vi.waitFor(() => expect(read()).toEqual(expected), { timeout: patience, interval: 5 });
}

/** A test's size, times `THREATBUS_TEST_SCALE`. */
export function scaled(runs: number): number {
  return Math.ceil(runs * Number(process.env["THREATBUS_TEST_SCALE"] ?? 1));
}
